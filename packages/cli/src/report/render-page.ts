import { createHash } from 'node:crypto';
import { countOf } from '../count-of.ts';
import type { PageData, PageFinding, PageTarget } from './page-data.ts';

/** Script and style of the page. */
export interface PageFiles {
  readonly script: string;
  readonly style: string;
}

/**
 * Renders the page of a report: one file that loads nothing. Its policy lets only its own script and style work, and
 * lets no text become markup. Without scripts it shows a summary.
 */
export function renderPage(data: PageData, { script, style }: PageFiles): string {
  const policy = [
    "default-src 'none'",
    `script-src ${hashOf(script)}`,
    `style-src ${hashOf(style)}`,
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
  const title = escape(`${data.env}: ${data.targets.map(({ label }) => label).join(', ')}`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${style}</style>
</head>
<body>
<main id="main">
${renderSummary(data)}
</main>
<script type="application/json" id="data">${renderJson(data)}</script>
<script>${script}</script>
</body>
</html>
`;
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

/** JSON that ends no script element: all that could begin or end markup in it is an escape. */
function renderJson(data: PageData): string {
  return JSON.stringify(data).replace(
    /[<>&\u2028\u2029]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (letter) => ENTITIES[letter]!);
}

/** What readers without scripts see: the script replaces it. */
function renderSummary({ env, madeAt, targets }: PageData): string {
  return `<h1>Report of ${escape(env)}</h1>
<p>Made at ${escape(madeAt)}. The tables need JavaScript.</p>
${targets.map(renderTarget).join('\n')}`;
}

/** Of each target. */
const SHOWN_FINDINGS = 100;

function renderTarget({ label, error, summary, findings }: PageTarget): string {
  const more = findings.length - SHOWN_FINDINGS;
  const lines = [
    ...findings.slice(0, SHOWN_FINDINGS).map(renderFinding),
    ...(more > 0 ? [`${more} more`] : []),
  ];
  return `<h2>${escape(label)}</h2>
<p>${escape(error ?? summary.join(', '))}</p>
<ul>${lines.map((line) => `\n<li>${escape(line)}</li>`).join('')}
</ul>`;
}

/** `dead letters: Distrikt, 64 in 12 schemas`. */
function renderFinding({ kind, about, items, count }: PageFinding): string {
  const schemas = new Set(items.map(([schema]) => schema)).size;
  return `${kind}: ${about}, ${count} in ${countOf(schemas, 'schema')}`;
}
