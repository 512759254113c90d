import {
  cutSeconds,
  parsePgType,
  stagingType,
  type EventForm,
  type PgType,
  type StagedColumn,
  UNAVAILABLE,
} from '@cdc-migrations/table-defs';
import { quoteLiteral } from '@cdc-migrations/sql-text';
import { asTime, formSql } from './event-form.ts';

/** Base types that text becomes only by an explicit cast. */
const CAST_FROM_TEXT = new Set(['xml', 'json', 'jsonb']);

/**
 * Bytes that a value must be longer than to be stored out of line, which every value of variable length is that makes
 * its row too wide; one that is stored so and did not change is sent as unavailable.
 */
const INLINE_BYTES = 24;
/** Bytes of a character in UTF-8, at most. */
const CHARACTER_BYTES = 4;

/** Casts a staged value as the final column takes it: `v::xml`; `v` if PostgreSQL assigns it as it is. */
export function storedValue(value: string, column: StagedColumn): string {
  const form = formSql(value, column);
  if (form) return form.value;
  const cut = cutSeconds(column);
  if (cut) return asTime(stagingType(column) === 'text' ? value : `${value}::text`, column, cut);
  const parsed = parsePgType(column.type);
  return parsed && CAST_FROM_TEXT.has(parsed.base) ? `${value}::${column.type}` : value;
}

/** Types of SQL Server whose values are in every event: those with a length, and the version of a row. */
const SENT_WHOLE = /(?:^|\()(?:n?(?:var)?char|(?:var)?binary)\(\d|^(?:rowversion|timestamp)$/;
/** An enum is a number in the source, whatever the length of its labels. */
const ENUM = / \(enum\)$/;

/**
 * Gives the literal by which Debezium says that a value of variable length did not change, as the staging column has it;
 * undefined for columns that are never left out.
 */
export function unavailableLiteral(
  { role, type, source, form }: StagedColumn,
  placeholder: string = UNAVAILABLE,
): string | undefined {
  const parsed = parsePgType(type);
  if (role !== 'source' || !parsed) return undefined;
  if (source && (SENT_WHOLE.test(source.type) || ENUM.test(source.type))) return undefined;
  if (parsed.array) return unavailableArray(parsed.base, placeholder);
  if (isInline(parsed, source?.type)) return undefined;
  if (form) return unavailableInForm(form, parsed, placeholder);
  return unavailableText(parsed.base, placeholder);
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
function unavailableArray(base: string, placeholder: string): string | undefined {
  const bytes = [...Buffer.from(placeholder)];
  if (INTEGERS.has(base)) return `'{${bytes.join(',')}}'`;
  if (base === 'date') return `'{${bytes.map(dayOf).join(',')}}'`;
  if (!TEXTS.has(base)) return undefined;
  return quoteLiteral(`{${/^\w+$/.test(placeholder) ? placeholder : JSON.stringify(placeholder)}}`);
}

function unavailableText(base: string, placeholder: string): string | undefined {
  if (base === 'bytea') return `'\\x${Buffer.from(placeholder).toString('hex')}'::bytea`;
  return TEXTS.has(base) ? quoteLiteral(placeholder) : undefined;
}

/** The same in a form: Debezium says it as bytes, but as it is where it is asked for hexadecimal digits or a text. */
function unavailableInForm(
  form: EventForm,
  { facets }: PgType,
  placeholder: string,
): string | undefined {
  if (form === 'base64') return `'${Buffer.from(placeholder).toString('base64')}'`;
  if (form === 'base64_url') return `'${Buffer.from(placeholder).toString('base64url')}'`;
  const isLarge = form === 'hex' || (form === 'decimal_text' && facets.length === 0);
  return isLarge ? quoteLiteral(placeholder) : undefined;
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
  if (column.form)
    return ROUNDED.test(column.type)
      ? `(${storedValue(value, column)})::${column.type}`
      : storedValue(value, column);
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
