/** Families of types. The family determines how values are compared, concatenated and converted. */
export type TypeFamily = 'number' | 'text' | 'bytes' | 'time' | 'guid' | 'variant';

/** The supported types with their family, in the order of data type precedence, highest first. */
const BY_PRECEDENCE: readonly (readonly [family: TypeFamily, names: string])[] = [
  ['variant', 'sql_variant'],
  ['text', 'xml'],
  ['time', 'datetimeoffset datetime2 datetime smalldatetime date time'],
  ['number', 'float real decimal numeric money smallmoney bigint int smallint tinyint bit'],
  ['text', 'ntext text'],
  ['bytes', 'image timestamp'],
  ['guid', 'uniqueidentifier'],
  ['text', 'nvarchar nchar varchar char'],
  ['bytes', 'varbinary binary'],
];

const FAMILY_OF: ReadonlyMap<string, TypeFamily> = new Map(
  BY_PRECEDENCE.flatMap(([family, names]) =>
    names.split(' ').map((name) => [name, family] as const),
  ),
);
const PRECEDENCE: readonly string[] = [...FAMILY_OF.keys()];

/**
 * A type with its facets. `length` is in characters for n(var)char and in bytes for the rest, -1 for max. `sysname` is
 * nvarchar(128), `rowversion` is timestamp, and a CLR type is varbinary(max).
 */
export interface SqlType {
  readonly name: string;
  readonly length?: number;
  readonly precision?: number;
  readonly scale?: number;
}

/**
 * A value in the engine. bit is 0 or 1. Dates and times are ISO text (`2024-01-31T12:00:00.123`). decimal and money are
 * text or number. uniqueidentifier is text, and binary is bytes.
 */
export type SqlValue = null | number | bigint | string | Uint8Array;

/** The name and the type of a column of a result, or of a view. */
export interface ResultColumn {
  readonly name: string;
  readonly type: SqlType;
}

/** Returns the family of a type. */
export function familyOf({ name }: SqlType): TypeFamily {
  return FAMILY_OF.get(name) ?? 'variant';
}

/** Checks if a text is a supported type name, without aliases. */
export function isTypeName(text: string): boolean {
  return FAMILY_OF.has(text);
}

/** Checks if the first type wins over the second one in an expression with both. */
export function hasPrecedence(left: SqlType, right: SqlType): boolean {
  return PRECEDENCE.indexOf(left.name) <= PRECEDENCE.indexOf(right.name);
}

export const INT: SqlType = { name: 'int' };
export const BIGINT: SqlType = { name: 'bigint' };
export const DATETIME: SqlType = { name: 'datetime' };
export const VARIANT: SqlType = { name: 'sql_variant' };
export const NVARCHAR_MAX: SqlType = nvarchar(-1);
export const SYSNAME: SqlType = nvarchar(128);
export const LSN: SqlType = { name: 'binary', length: 10 };

/** Builds the type `nvarchar(length)`. */
export function nvarchar(length: number): SqlType {
  return { name: 'nvarchar', length };
}

const CAST_LENGTH = 30;

/**
 * Builds the type of a name and the numbers after it, with -1 for max. Returns undefined for an unknown name. Without a
 * length, text and bytes have length 1 in a declaration and 30 in CAST.
 */
export function sqlType(
  written: string,
  [first, second]: readonly number[],
  use: 'declaration' | 'cast',
): SqlType | undefined {
  const name = written.toLowerCase();
  if (name === 'sysname') return SYSNAME;
  if (!isTypeName(name)) return undefined;
  if (/char|binary/.test(name))
    return { name, length: first ?? (use === 'cast' ? CAST_LENGTH : 1) };
  if (/^(decimal|numeric)$/.test(name)) return { name, precision: first ?? 18, scale: second ?? 0 };
  return /^(time|datetime2|datetimeoffset)$/.test(name) ? { name, scale: first ?? 7 } : { name };
}

/** Renders a type in T-SQL: `nvarchar(max)`. */
export function renderType({ name, length, precision, scale }: SqlType): string {
  const facets = [length ?? precision, scale].filter((facet) => facet !== undefined);
  return facets.length === 0 ? name : `${name}(${facets.join(', ').replace('-1', 'max')})`;
}

/** Formats a JavaScript time as the engine's datetime, `2024-01-31T12:00:00.123`. */
export function renderTime(time: Date): string {
  return time.toISOString().slice(0, 23);
}
