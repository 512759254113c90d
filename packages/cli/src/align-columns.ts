import { visible } from '@cdc-migrations/generated-file';

/**
 * Renders rows as lines. Each column is as wide as its widest cell.
 *
 * @param isNumber selects columns that are aligned to the right. The default is none.
 */
export function alignColumns(
  given: readonly (readonly string[])[],
  isNumber: (column: number) => boolean = () => false,
): readonly string[] {
  const rows = given.map((row) => row.map(visible)); // Escapes cells first, so that widths are those of the output.
  const [first = []] = rows;
  const widths = first.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, column) =>
        isNumber(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
      )
      .join('  ')
      .trimEnd(),
  );
}
