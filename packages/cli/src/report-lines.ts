import { visible } from '@cdc-migrations/generated-file';
import { markdownTable } from 'markdown-table';
import { alignColumns } from './align-columns.ts';

/** Rows below a head. */
export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Columns that stand on the right; none where it is not given. */
  readonly isNumber?: (column: number) => boolean;
}

/**
 * A report: a line, or a table. The first line is the title, with the name of the target in front of `: `; a line that
 * begins with a blank belongs to the one before it.
 */
export type ReportLines = readonly (string | Table)[];

/** How a report is printed. */
export const FORMATS = ['text', 'markdown'] as const;
export type Format = (typeof FORMATS)[number];

/** A report as lines of a terminal. */
export function renderText(lines: ReportLines): readonly string[] {
  return lines.flatMap((line) =>
    typeof line === 'string' ? line : alignColumns([line.head, ...line.rows], line.isNumber),
  );
}

/** Comments of pull requests and messages have limits of length. */
const MAX_ITEMS = 100;

/** A report as Markdown, as GitHub, GitLab and chats read it. */
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

/** Adds an item of a list, or a further line of the last one. */
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

/** A text that no reader of Markdown takes for more than a text: no markup, no link, no person. */
function escape(text: string): string {
  return visible(text).replace(/[&<>@#]|[\\`*_{}[\]|~]|:(?=\/\/)|(?<=\bwww)\./gi, (letter) =>
    /[&<>@#:.]/.test(letter) ? `&#${letter.charCodeAt(0)};` : `\\${letter}`,
  );
}
