import { parsePgType, type ColumnDefinition, type PgType } from '@cdc-migrations/table-defs';

/** Base types that text becomes only by an explicit cast. */
const CAST_FROM_TEXT = new Set(['xml', 'json', 'jsonb']);

/** A character varying of at least this length can be stored out of line, and then be sent as unavailable. */
const TOASTABLE_LENGTH = 500;

const UNAVAILABLE = `'__debezium_unavailable_value'`;

/** `::xml` where the staged value needs a cast to be stored, else nothing. */
export function storageCast(type: string): string {
  const parsed = parsePgType(type);
  return parsed && CAST_FROM_TEXT.has(parsed.base) ? `::${type}` : '';
}

/** Types of SQL Server whose values are in every event: those with a length, and the version of a row. */
const SENT_WHOLE = /(?:^|\()(?:n?(?:var)?char|(?:var)?binary)\(\d|^(?:rowversion|timestamp)$/;

/**
 * The literal by which Debezium says that a large value did not change, as the staging column has it; undefined for
 * columns that are never left out.
 */
export function unavailableLiteral({
  role,
  type,
  source,
}: Pick<ColumnDefinition, 'role' | 'type' | 'source'>): string | undefined {
  const parsed = parsePgType(type);
  if (role !== 'source' || !parsed || (source && SENT_WHOLE.test(source.type))) return undefined;
  const text = unavailableText(parsed);
  if (text === undefined) return undefined;
  return parsed.array ? `ARRAY[${text}]` : text;
}

function unavailableText({ base, facets }: PgType): string | undefined {
  if (base === 'bytea')
    return `'\\x${Buffer.from('__debezium_unavailable_value').toString('hex')}'::bytea`;
  if (base === 'text' || CAST_FROM_TEXT.has(base)) return UNAVAILABLE;
  if (base === 'character varying' && (facets[0] ?? Infinity) >= TOASTABLE_LENGTH)
    return UNAVAILABLE;
  return undefined;
}

/** Base types of a key whose staged value is rounded before it is compared. */
const ROUNDED = /^(real|numeric|time|timestamp)/;

/** A staged key value as the final column stores it: comparisons see what the table has. */
export function keyValue(value: string, type: string): string {
  return ROUNDED.test(type) ? `${value}::${type}` : value;
}

/** A key value as text that is the same for equal values: 1.0 is 1, and -0 is 0. */
export function keyText(value: string, type: string): string {
  if (type === 'numeric') return `trim_scale(${value})::text`;
  const stored = keyValue(value, type);
  return type === 'real' || type === 'double precision'
    ? `(${stored} + 0)::text`
    : `${stored}::text`;
}
