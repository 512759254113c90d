import type { TableMapping } from './find-source.ts';
import { problemAt, type ProblemList } from './problems.ts';
import { buildStagingColumns } from './staging-columns.ts';
import type { ColumnDefinition, ReplicatedTable } from './table-definition.ts';
import { parsePgType, widthOf, type Width } from './types/canonical-type.ts';

/** Maximum number of columns of a table and of an index (`MaxHeapAttributeNumber`, `INDEX_MAX_KEYS`). */
const MOST_COLUMNS = 1600;
const MOST_KEY_COLUMNS = 32;
/** Maximum size of a row in bytes: a page without its header and one line pointer (`MaxHeapTupleSize`). */
const MOST_ROW_BYTES = 8160;
/** Size of a row header in bytes, without the bitmap of NULLs. */
const HEADER_BYTES = 23;
/** Alignment of rows and of the values of a row. */
const ROW_ALIGNMENT = 8;
/** Maximum size of a variable-length value that is never stored out of line, in bytes with its header of one byte. */
const MOST_INLINE_BYTES = 24;

/** Upper limit for the number of columns that a staging table has in addition to those of its final table. */
const MORE_STAGED = 10;

const WAY_OUT = 'leave columns out by ignore_columns or include_columns';

/** Properties of a column that the row width depends on. */
interface WideColumn {
  readonly type: string;
  readonly isAlwaysThere: boolean;
  /** Type that limits the values, if the type of the staging column does not. */
  readonly limitedBy: string;
}

/**
 * Reports a table that PostgreSQL cannot create or that no row fits into. Warns about a table that full rows do not fit
 * into. A staging table has one more column than its final table, and wider numbers.
 */
export function checkWidth(
  table: ReplicatedTable,
  { table: { at } }: TableMapping,
  problems: ProblemList,
): void {
  const { key, name, names } = table;
  if (key && key.columns.length > MOST_KEY_COLUMNS) {
    const message =
      `the key of "${name}" has ${key.columns.length} columns: expected at most ${MOST_KEY_COLUMNS}, as an index of ` +
      'PostgreSQL has; name another key in key_columns';
    problems.errors.push(problemAt(at, [], message));
  }
  if (isNarrow(table)) return;
  const columns = buildFinal(table);
  const staged = buildStaged(table);
  if (Math.max(columns.length, staged.length) > MOST_COLUMNS) {
    const message =
      `"${name}" has ${columns.length} columns and "${names.staging}" ${staged.length}: expected at most ` +
      `${MOST_COLUMNS}, as a table of PostgreSQL has; ${WAY_OUT}`;
    problems.errors.push(problemAt(at, [], message));
    return;
  }
  const [most, least] = [rowBytes(columns), leastRowBytes(columns)];
  const [mostStaged, leastStaged] = [rowBytes(staged), leastRowBytes(staged)];
  const bytes = (final: number, staging: number) =>
    `${final} bytes in "${name}" and ${staging} in "${names.staging}", and a row of PostgreSQL has at most ${MOST_ROW_BYTES}; ${WAY_OUT}`;
  if (Math.max(least, leastStaged) > MOST_ROW_BYTES) {
    const message = `no row fits: the columns that are NOT NULL need ${bytes(least, leastStaged)}`;
    problems.errors.push(problemAt(at, [], message));
  } else if (Math.max(most, mostStaged) > MOST_ROW_BYTES) {
    const message = `rows with values in all columns may not fit: they can need ${bytes(most, mostStaged)}`;
    problems.warnings.push(problemAt(at, [], message));
  }
}

/**
 * Checks quickly if rows always fit, as in nearly all tables. No inline value with its alignment is larger than assumed
 * here.
 */
function isNarrow({ columns }: ReplicatedTable): boolean {
  const columnBytes = MOST_INLINE_BYTES + ROW_ALIGNMENT + 1;
  return (columns.length + MORE_STAGED) * columnBytes < MOST_ROW_BYTES - HEADER_BYTES;
}

function buildFinal({ columns }: ReplicatedTable): readonly WideColumn[] {
  return columns.map(({ type, nullable }) => ({
    type,
    isAlwaysThere: !nullable,
    limitedBy: type,
  }));
}

function buildStaged(table: ReplicatedTable): readonly WideColumn[] {
  const columns = new Map(table.columns.map((column) => [column.name, column]));
  return buildStagingColumns(table).map(({ name, type }) => {
    const column: Pick<ColumnDefinition, 'type' | 'nullable' | 'role'> | undefined =
      columns.get(name);
    const isAlwaysThere = column?.role === 'source' && !column.nullable;
    return { type, isAlwaysThere, limitedBy: column?.type ?? type };
  });
}

/** Calculates the row size with the longest values that are not stored out of line, in bytes. One value may be NULL. */
function rowBytes(columns: readonly WideColumn[]): number {
  const width = (column: WideColumn) => fixedWidth(column.type)?.[0] ?? longestInline(column);
  const narrowest = Math.min(...columns.map(width));
  const first = columns.findIndex((column) => width(column) === narrowest);
  const without = columns.filter((_, index) => index !== first);
  return Math.max(
    measure(columns, HEADER_BYTES, longestInline),
    measure(without, HEADER_BYTES + Math.ceil(columns.length / 8), longestInline),
  );
}

/** Calculates the row size with only the required values at their shortest, in bytes. */
function leastRowBytes(columns: readonly WideColumn[]): number {
  const required = columns.filter(({ isAlwaysThere }) => isAlwaysThere);
  return measure(required, HEADER_BYTES, () => 1);
}

function measure(
  columns: readonly WideColumn[],
  headerBytes: number,
  variable: (column: WideColumn) => number,
): number {
  let bytes = align(headerBytes, ROW_ALIGNMENT);
  for (const column of columns) {
    const [width, alignment] = fixedWidth(column.type) ?? [variable(column), 1];
    bytes = align(bytes, alignment) + width;
  }
  return align(bytes, ROW_ALIGNMENT);
}

function align(bytes: number, alignment: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}

function fixedWidth(type: string): Exclude<Width, 'variable'> | undefined {
  const parsed = parsePgType(type);
  const width = parsed && widthOf(parsed);
  return width === 'variable' ? undefined : width;
}

/** Maximum size of a UTF-8 character in bytes. */
const CHARACTER_BYTES = 4;
/** Decimal digits in two bytes of a numeric. */
const NUMERIC_DIGITS = 4;

function longestInline({ limitedBy }: WideColumn): number {
  const parsed = parsePgType(limitedBy);
  const [first, second = 0] = parsed?.facets ?? [];
  if (!parsed || parsed.array || first === undefined) return MOST_INLINE_BYTES;
  if (parsed.base === 'numeric') {
    const groups =
      Math.ceil(Math.max(first - second, 0) / NUMERIC_DIGITS) +
      Math.ceil(Math.max(second, 0) / NUMERIC_DIGITS);
    return Math.min(3 + 2 * groups, MOST_INLINE_BYTES);
  }
  if (/^character/.test(parsed.base)) {
    return Math.min(1 + first * CHARACTER_BYTES, MOST_INLINE_BYTES);
  }
  return MOST_INLINE_BYTES;
}
