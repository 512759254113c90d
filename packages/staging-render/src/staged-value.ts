import {
  cutSeconds,
  parsePgType,
  stagingType,
  type ColumnDefinition,
  type CutSeconds,
  type PgType,
} from '@cdc-migrations/table-defs';

/** Base types that text becomes only by an explicit cast. */
const CAST_FROM_TEXT = new Set(['xml', 'json', 'jsonb']);

/**
 * Bytes that a value must be longer than to be stored out of line, which every value of variable length is that makes
 * its row too wide; one that is stored so and did not change is sent as unavailable.
 */
const INLINE_BYTES = 24;
/** Bytes of a character in UTF-8, at most. */
const CHARACTER_BYTES = 4;

const PLACEHOLDER = '__debezium_unavailable_value';

/** What of a column says how its staged values become stored ones. */
type StagedColumn = Pick<ColumnDefinition, 'role' | 'type' | 'source'>;

/** A staged value as the final column takes it: `v::xml`; `v` if PostgreSQL assigns it as it is. */
export function storedValue(value: string, column: StagedColumn): string {
  const cut = cutSeconds(column);
  if (cut) return cutTime(value, column, cut);
  const parsed = parsePgType(column.type);
  return parsed && CAST_FROM_TEXT.has(parsed.base) ? `${value}::${column.type}` : value;
}

/**
 * A time without the digits that the final column does not keep, and none after the last one of SQL Server: a writer
 * that rounds, as pgjdbc does, sends 24:00 or the year 10000 for it. A time without an offset is one of UTC.
 */
function cutTime(value: string, column: StagedColumn, cut: CutSeconds): string {
  const text = stagingType(column) === 'text' ? value : `${value}::text`;
  const base = parsePgType(column.type)!.base;
  const isInUtc = base === 'timestamp with time zone' && !cut.hasOffset;
  const { by, last } = CUT[isInUtc ? 'timestamp without time zone' : base]!;
  const digits = cut.kept === 0 ? '' : `.${'9'.repeat(cut.kept)}`;
  const zone = by === 'as_timestamptz' ? '+00' : '';
  const limit = cut.isMssql && last ? `, '${last}${digits}${zone}'` : '';
  const time = `cdc_management.${by}(${text}, ${cut.kept}${limit})`;
  return isInUtc ? `${time} AT TIME ZONE 'UTC'` : time;
}

/** The function for each type, and the last second that SQL Server has of it. */
const CUT: Readonly<Record<string, { readonly by: string; readonly last?: string }>> = {
  'time without time zone': { by: 'as_time', last: '23:59:59' },
  'time with time zone': { by: 'as_timetz' },
  'timestamp without time zone': { by: 'as_timestamp', last: '9999-12-31 23:59:59' },
  'timestamp with time zone': { by: 'as_timestamptz', last: '9999-12-31 23:59:59' },
};

/** Types of SQL Server whose values are in every event: those with a length, and the version of a row. */
const SENT_WHOLE = /(?:^|\()(?:n?(?:var)?char|(?:var)?binary)\(\d|^(?:rowversion|timestamp)$/;
/** An enum is a number in the source, whatever the length of its labels. */
const ENUM = / \(enum\)$/;

/**
 * The literal by which Debezium says that a value of variable length did not change, as the staging column has it;
 * undefined for columns that are never left out.
 */
export function unavailableLiteral({ role, type, source }: StagedColumn): string | undefined {
  const parsed = parsePgType(type);
  if (role !== 'source' || !parsed) return undefined;
  if (source && (SENT_WHOLE.test(source.type) || ENUM.test(source.type))) return undefined;
  if (parsed.array) return unavailableArray(parsed.base);
  return isInline(parsed, source?.type) ? undefined : unavailableText(parsed.base);
}

/** Whether the source has a length that leaves no value long enough; an override says nothing of that. */
function isInline({ facets: [length] }: PgType, source = ''): boolean {
  return (
    length !== undefined &&
    source.includes(`(${length})`) &&
    length * CHARACTER_BYTES < INLINE_BYTES
  );
}

/** Text as one element; numbers, and days since 1970, one for each byte of the text. */
function unavailableArray(base: string): string | undefined {
  const bytes = [...Buffer.from(PLACEHOLDER)];
  if (INTEGERS.has(base)) return `'{${bytes.join(',')}}'`;
  if (base === 'date') return `'{${bytes.map(dayOf).join(',')}}'`;
  return TEXTS.has(base) ? `'{${PLACEHOLDER}}'` : undefined;
}

function unavailableText(base: string): string | undefined {
  if (base === 'bytea') return `'\\x${Buffer.from(PLACEHOLDER).toString('hex')}'::bytea`;
  return TEXTS.has(base) ? `'${PLACEHOLDER}'` : undefined;
}

const TEXTS = new Set(['text', 'character varying', 'character', 'bpchar', ...CAST_FROM_TEXT]);
const INTEGERS = new Set(['smallint', 'integer', 'bigint']);
const DAY_MS = 86_400_000;

function dayOf(days: number): string {
  return new Date(days * DAY_MS).toISOString().slice(0, 10);
}

/** Base types of a key whose staged value is rounded before it is compared. */
const ROUNDED = /^(real|numeric|time|timestamp)/;

/** A staged key value as the final column stores it: comparisons see what the table has. */
export function keyValue(value: string, column: StagedColumn): string {
  if (cutSeconds(column)) return storedValue(value, column);
  return ROUNDED.test(column.type) ? `${value}::${column.type}` : value;
}

/** A key value as text that is the same for equal values: 1.0 is 1, and -0 is 0. */
export function keyText(value: string, column: StagedColumn): string {
  const { type } = column;
  if (type === 'numeric') return `trim_scale(${value})::text`;
  // The same is said of rows, whose times are no text.
  const stored = keyValue(cutSeconds(column) ? `${value}::text` : value, column);
  return type === 'real' || type === 'double precision'
    ? `(${stored} + 0)::text`
    : `${stored}::text`;
}
