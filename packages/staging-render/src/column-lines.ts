import type { ColumnDefinition } from '@cdc-migrations/table-defs';

const LINE_LENGTH = 110;

/** Lists items separated by commas, with as many per line as fit. */
export function fillLines(items: readonly string[]): readonly string[] {
  const lines: string[] = [];
  for (const item of items) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + item.length + 2 <= LINE_LENGTH) {
      lines[lines.length - 1] = `${last}, ${item}`;
    } else {
      lines.push(item);
    }
  }
  return lines.map((line, index) => (index === lines.length - 1 ? line : `${line},`));
}

/** Lists columns separated by commas, one per line. Adjacent metadata columns share a line. */
export function listColumns<Column extends Pick<ColumnDefinition, 'name'>>(
  columns: readonly Column[],
  render: (column: Column) => string,
): readonly string[] {
  const runs: Column[][] = [];
  for (const column of columns) {
    const run = runs.at(-1);
    if (run && isMetadata(run[0]!) && isMetadata(column)) run.push(column);
    else runs.push([column]);
  }
  const lines = runs.flatMap((run) =>
    fillLines(run.map(render)).map((line) => line.replace(/,$/, '')),
  );
  return lines.map((line, index) => (index === lines.length - 1 ? line : `${line},`));
}

function isMetadata({ name }: Pick<ColumnDefinition, 'name'>): boolean {
  return name.startsWith('__');
}
