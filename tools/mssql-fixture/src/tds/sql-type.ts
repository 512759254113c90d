/** Type names by family. The family determines how values are compared, concatenated and converted. */
const FAMILIES = {
  number: [
    'bit',
    'tinyint',
    'smallint',
    'int',
    'bigint',
    'decimal',
    'numeric',
    'money',
    'smallmoney',
    'real',
    'float',
  ],
  text: ['char', 'varchar', 'text', 'nchar', 'nvarchar', 'ntext', 'xml'],
  bytes: ['binary', 'varbinary', 'image', 'timestamp'],
  time: ['date', 'time', 'datetime', 'smalldatetime', 'datetime2', 'datetimeoffset'],
  guid: ['uniqueidentifier'],
  variant: ['sql_variant'],
} as const;

export type TypeFamily = keyof typeof FAMILIES;

/** Supported type names of columns, parameters and expressions. */
export type TypeName = (typeof FAMILIES)[TypeFamily][number];

const FAMILY_OF = new Map<string, TypeFamily>(
  Object.entries(FAMILIES).flatMap(([family, names]) =>
    names.map((name) => [name, family as TypeFamily] as const),
  ),
);

/**
 * A type with its facets. `length` is in characters for n(var)char and in bytes for the rest, -1 for max. `sysname` is
 * nvarchar(128), `rowversion` is timestamp, and a CLR type is varbinary(max).
 */
export interface SqlType {
  readonly name: TypeName;
  readonly length?: number;
  readonly precision?: number;
  readonly scale?: number;
}

/**
 * A value in the engine. bit is 0 or 1. Dates and times are ISO text (`2024-01-31T12:00:00.123`). decimal and money are
 * text or number. uniqueidentifier is text, and binary is bytes.
 */
export type SqlValue = null | number | bigint | string | Uint8Array;

/** Returns the family of a type. */
export function familyOf({ name }: SqlType): TypeFamily {
  return FAMILY_OF.get(name) ?? 'variant';
}

/** Checks if a text is a supported type name, without aliases. */
export function isTypeName(text: string): text is TypeName {
  return FAMILY_OF.has(text);
}

export const INT: SqlType = { name: 'int' };
export const BIGINT: SqlType = { name: 'bigint' };
export const BIT: SqlType = { name: 'bit' };
export const SYSNAME: SqlType = { name: 'nvarchar', length: 128 };
export const NVARCHAR_MAX: SqlType = { name: 'nvarchar', length: -1 };
export const DATETIME: SqlType = { name: 'datetime' };
export const VARIANT: SqlType = { name: 'sql_variant' };

/** Builds the type `nvarchar(length)`. */
export function nvarchar(length: number): SqlType {
  return { name: 'nvarchar', length };
}

const ALIASES: Readonly<Record<string, SqlType>> = {
  sysname: SYSNAME,
  integer: INT,
  dec: { name: 'decimal' },
  rowversion: { name: 'timestamp' },
  hierarchyid: { name: 'varbinary', length: 892 },
  geometry: { name: 'varbinary', length: -1 },
  geography: { name: 'varbinary', length: -1 },
};

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
  const lower = written.toLowerCase();
  const alias = ALIASES[lower];
  if (alias?.length !== undefined) return alias;
  const name = alias?.name ?? lower;
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
