import { columnsOf, paint, styleOf, type Terminal } from './terminal.ts';

/** Rows for a terminal, with or without a head. */
export interface TextTable {
  readonly head?: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Selects columns that are aligned to the right. The default is none. */
  readonly isNumber?: (column: number) => boolean;
  /** Lines below a row, by its index. */
  readonly below?: readonly (readonly string[])[];
  /** Text in front of every line. */
  readonly indent?: string;
}

const GAP = '  ';

/** A column is as wide as its longest word, up to this width. If the columns do not fit then, each row becomes a list. */
const LONGEST_WORD = 40;

/**
 * Renders a table within the width of a terminal. Returns the lines of each row, the head first. Long cells continue on
 * the next line.
 */
export function layOutTable(
  { head, rows, isNumber = () => false }: TextTable,
  { width = Infinity, hasColor }: Terminal,
): readonly (readonly string[])[] {
  const all = head === undefined ? rows : [head, ...rows];
  const natural = (all[0] ?? []).map((_, column) =>
    Math.max(...all.map((row) => columnsOf(row[column]!))),
  );
  const least = natural.map((own, column) =>
    isNumber(column)
      ? own
      : Math.min(LONGEST_WORD, Math.max(...all.map((row) => longestWord(row[column]!)))),
  );
  const widths = fitWidths({ natural, least }, width);
  if (widths === undefined) return listRows({ rows, ...(head && { head }) }, { width, hasColor });
  return all.map((row, index) => {
    const isHead = head !== undefined && index === 0;
    const cells = row.map((cell, column) => {
      const paintText = hasColor
        ? painterOf(cell, isHead ? undefined : (head?.[column] ?? ''))
        : plain;
      return wrap(cell, widths[column]!).map((text) => {
        const blank = ' '.repeat(Math.max(0, widths[column]! - columnsOf(text)));
        return isNumber(column) ? blank + paintText(text) : paintText(text) + blank;
      });
    });
    const height = Math.max(1, ...cells.map((lines) => lines.length));
    return Array.from({ length: height }, (_, line) =>
      cells
        .map((lines, column) => lines[line] ?? ' '.repeat(widths[column]!))
        .join(GAP)
        .trimEnd(),
    );
  });
}

type Painter = (text: string) => string;

const plain: Painter = (text) => text;

/**
 * Returns what colours a cell: the head in bold, a word for a state in the colour of the state, and a count in that of
 * its head.
 */
function painterOf(cell: string, head: string | undefined): Painter {
  if (head === undefined) return (text) => paint(text, 'bold');
  const style = styleOf(cell) ?? (/^[1-9]\d*$/.test(cell) ? styleOf(head) : undefined);
  return (text) => paint(text, style);
}

/** Returns widths that fit. The widest column gives way first. Returns undefined if the least widths are too much. */
function fitWidths(
  { natural, least }: Readonly<Record<'natural' | 'least', readonly number[]>>,
  width: number,
): readonly number[] | undefined {
  const widths = [...natural];
  let excess = widths.reduce((sum, one) => sum + one, GAP.length * (widths.length - 1)) - width;
  for (; excess > 0; excess--) {
    let widest = -1;
    widths.forEach((one, column) => {
      if (one > least[column]! && one > (widths[widest] ?? 0)) widest = column;
    });
    if (widest < 0) return undefined;
    widths[widest]!--;
  }
  return widths;
}

/** Renders each row as lines `head: cell` below its first cell. Cells without a value are left out. */
function listRows(
  { head, rows }: TextTable,
  { width = Infinity, hasColor }: Terminal,
): readonly (readonly string[])[] {
  const listed = rows.map((row) =>
    row.flatMap((cell, column) => {
      if (cell === '' || cell === '-') return [];
      const title = head?.[column] ?? '';
      const indent = column === 0 ? '' : GAP;
      const label = column === 0 || title === '' ? '' : `${title}: `;
      const paintText = hasColor ? painterOf(cell, column === 0 ? undefined : title) : plain;
      return wrap(label + cell, width - indent.length).map((text) => indent + paintText(text));
    }),
  );
  return head === undefined ? listed : [[], ...listed];
}

/** Parts between which a text can be split. */
function partsOf(text: string): readonly string[] {
  return text.split(/(?<=[ ,/])/);
}

function longestWord(text: string): number {
  return Math.max(0, ...partsOf(text).map((part) => columnsOf(part.trimEnd())));
}

/** Splits a text into lines of at most this width, after a blank, a comma or a slash if there is one. */
export function wrap(text: string, width: number): readonly string[] {
  if (columnsOf(text) <= width) return [text];
  const lines: string[] = [];
  let line = '';
  const add = (part: string) => {
    if (columnsOf((line + part).trimEnd()) > width) end();
    line += part;
  };
  const end = () => {
    if (line !== '') lines.push(line.trimEnd());
    line = '';
  };
  for (const piece of partsOf(text)) {
    if (columnsOf(piece.trimEnd()) <= width) add(piece);
    else {
      end();
      for (const letter of piece) add(letter);
    }
  }
  return [...lines, line.trimEnd()];
}
