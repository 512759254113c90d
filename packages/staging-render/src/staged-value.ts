import { parsePgType, type ColumnDefinition, type PgType } from '@cdc-migrations/table-defs';

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
/** `::xml` if the staged value needs a cast to be stored, else nothing. */
export function storageCast(type: string): string {
  const parsed = parsePgType(type);
  return parsed && CAST_FROM_TEXT.has(parsed.base) ? `::${type}` : '';
}

/** Types of SQL Server whose values are in every event: those with a length, and the version of a row. */
const SENT_WHOLE = /(?:^|\()(?:n?(?:var)?char|(?:var)?binary)\(\d|^(?:rowversion|timestamp)$/;
/** An enum is a number in the source, whatever the length of its labels. */
const ENUM = / \(enum\)$/;

/**
 * The literal by which Debezium says that a value of variable length did not change, as the staging column has it;
 * undefined for columns that are never left out.
 */
export function unavailableLiteral({
  role,
  type,
  source,
}: Pick<ColumnDefinition, 'role' | 'type' | 'source'>): string | undefined {
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
