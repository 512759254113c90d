import { visible } from '@cdc-migrations/generated-file';

/**
 * Rows as lines whose columns are as wide as their widest cell.
 *
 * @param isNumber columns that stand on the right; none where it is not given.
 */
export function alignColumns(
  given: readonly (readonly string[])[],
  isNumber: (column: number) => boolean = () => false,
): readonly string[] {
  const rows = given.map((row) => row.map(visible)); // As they are printed, so that widths fit.
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
