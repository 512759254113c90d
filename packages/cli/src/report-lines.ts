import { visible } from '@cdc-migrations/generated-file';
import { markdownTable } from 'markdown-table';
import { alignColumns } from './align-columns.ts';
import type { TextTable } from './lay-out-table.ts';

/** Rows with a head. */
export type Table = TextTable & Required<Pick<TextTable, 'head'>>;

/**
 * A report as lines and tables. The first line is the title, with the name of the target before `: `. A line that
 * begins with a blank belongs to the previous one.
 */
export type ReportLines = readonly (string | Table)[];

/** Output formats of a report. */
export const FORMATS = ['text', 'markdown'] as const;
export type Format = (typeof FORMATS)[number];

/** Renders a report as lines for a terminal. */
export function renderText(lines: ReportLines): readonly string[] {
  return lines.flatMap((line) =>
    typeof line === 'string' ? line : alignColumns([line.head, ...line.rows], line.isNumber),
  );
}

/** Maximum number of items, because comments of pull requests and messages have size limits. */
const MAX_ITEMS = 100;

/** Renders a report as Markdown for GitHub, GitLab and chats. */
export function renderMarkdown([title, ...lines]: ReportLines): readonly string[] {
  const [name, ...rest] = String(title).split(': ');
  const summary = rest.join(': ');
  const out = [`### ${escape(name!)}`, ''];
  if (summary !== '') out.push(`**${escape(summary)}**`, '');
  let items = 0;
  for (const line of lines) {
    if (typeof line !== 'string') {
      if (out.at(-1) !== '') out.push('');
      out.push(...renderTable(line), '');
      continue;
    }
    if (!line.startsWith(' ')) items++;
    if (items <= MAX_ITEMS) addItem(out, line);
  }
  if (items > MAX_ITEMS) out.push(`- and ${items - MAX_ITEMS} more`);
  if (out.at(-1) !== '') out.push('');
  return out;
}

/** Adds a list item, or a line to the last item. */
function addItem(out: string[], line: string): void {
  const last = out.at(-1) ?? '';
  if (line.startsWith(' ') && (last.startsWith('- ') || last.startsWith('  '))) {
    out[out.length - 1] = `${last}\\`;
    out.push(`  ${escape(line.trim())}`);
  } else out.push(`- ${escape(line.trim())}`);
}

function renderTable({ head, rows, isNumber }: Table): readonly string[] {
  const shown = rows.slice(0, MAX_ITEMS);
  const align = head.map((_, column) => (isNumber?.(column) ? 'r' : 'l'));
  const table = markdownTable(
    [head, ...shown].map((row) => row.map(escape)),
    { align },
  );
  const more = rows.length - shown.length;
  return [...table.split('\n'), ...(more > 0 ? ['', `and ${more} more`] : [])];
}

/** Escapes a text so that Markdown shows it unchanged: no markup, links or mentions. */
function escape(text: string): string {
  return visible(text).replace(/[&<>@#]|[\\`*_{}[\]|~]|:(?=\/\/)|(?<=\bwww)\./gi, (letter) =>
    /[&<>@#:.]/.test(letter) ? `&#${letter.charCodeAt(0)};` : `\\${letter}`,
  );
}
