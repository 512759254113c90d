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

/** Base types that text is converted to only by an explicit cast. */
const CAST_FROM_TEXT = new Set(['xml', 'json', 'jsonb']);

/**
 * Size in bytes that a value must exceed to be stored out of line. Larger variable-length values are stored out of line
 * if their row is too wide, and are sent as unavailable if they did not change.
 */
const INLINE_BYTES = 24;
/** Maximum size of a UTF-8 character in bytes. */
const CHARACTER_BYTES = 4;

/** Casts a staged value to the type of the final column: `v::xml`, or `v` if PostgreSQL assigns it without a cast. */
export function storedValue(value: string, column: StagedColumn): string {
  const form = formSql(value, column);
  if (form) return form.value;
  const cut = cutSeconds(column);
  if (cut) return asTime(stagingType(column) === 'text' ? value : `${value}::text`, column, cut);
  const parsed = parsePgType(column.type);
  return parsed && CAST_FROM_TEXT.has(parsed.base) ? `${value}::${column.type}` : value;
}

/** Types of SQL Server whose values are in every event: types with a length, and row versions. */
const SENT_WHOLE = /(?:^|\()(?:n?(?:var)?char|(?:var)?binary)\(\d|^(?:rowversion|timestamp)$/;
/** Enums are stored as a number at the source, regardless of the length of their labels. */
const ENUM = / \(enum\)$/;

/**
 * Returns Debezium's placeholder for an unchanged variable-length value as a literal of the staging column. Returns
 * undefined for columns that are never omitted.
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

/** Checks if the length at the source keeps every value inline. An override does not change that. */
function isInline({ facets: [length] }: PgType, source = ''): boolean {
  return (
    length !== undefined &&
    source.includes(`(${length})`) &&
    length * CHARACTER_BYTES < INLINE_BYTES
  );
}

/**
 * Renders the placeholder as an array: text as one element, numbers and days since 1970 as one element per byte of the
 * text.
 */
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

/**
 * Renders the placeholder in a form. Debezium sends it as bytes, or as text if the setting is hexadecimal digits or
 * text.
 */
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

/** Base types of a key whose staged value is rounded before the comparison. */
const ROUNDED = /^(real|numeric|time|timestamp)/;

/** Renders a staged key value as the final column stores it, so that comparisons match the table. */
export function keyValue(value: string, column: StagedColumn): string {
  if (column.form)
    return ROUNDED.test(column.type)
      ? `(${storedValue(value, column)})::${column.type}`
      : storedValue(value, column);
  if (cutSeconds(column)) return storedValue(value, column);
  return ROUNDED.test(column.type) ? `${value}::${column.type}` : value;
}

/** Renders a key value as a text that is equal for equal values: 1.0 becomes 1, and -0 becomes 0. */
export function keyText(value: string, column: StagedColumn): string {
  const { type } = column;
  if (type === 'numeric') return `trim_scale(${value})::text`;
  // The expression is also used for stored rows, whose times are not text.
  const stored = keyValue(cutSeconds(column) ? `${value}::text` : value, column);
  return type === 'real' || type === 'double precision'
    ? `(${stored} + 0)::text`
    : `${stored}::text`;
}
