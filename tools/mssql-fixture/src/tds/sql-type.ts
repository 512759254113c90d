/** Every type name of SQL Server that a column, a parameter or an expression of the fixture can have. */
export type TypeName =
  | 'bit'
  | 'tinyint'
  | 'smallint'
  | 'int'
  | 'bigint'
  | 'decimal'
  | 'numeric'
  | 'money'
  | 'smallmoney'
  | 'real'
  | 'float'
  | 'date'
  | 'time'
  | 'datetime'
  | 'smalldatetime'
  | 'datetime2'
  | 'datetimeoffset'
  | 'char'
  | 'varchar'
  | 'text'
  | 'nchar'
  | 'nvarchar'
  | 'ntext'
  | 'binary'
  | 'varbinary'
  | 'image'
  | 'timestamp'
  | 'uniqueidentifier'
  | 'xml'
  | 'sql_variant';

/**
 * A type with its facets. `length` counts characters for n(var)char and bytes for the rest; -1 is max.
 * `sysname` is nvarchar(128), `rowversion` is timestamp, a CLR type is varbinary(max).
 */
export interface SqlType {
  readonly name: TypeName;
  readonly length?: number;
  readonly precision?: number;
  readonly scale?: number;
}

/**
 * A value as the engine holds it: bit is 0 or 1; dates and times are ISO text (`2024-01-31T12:00:00.123`);
 * decimal and money are text or number; uniqueidentifier is text; binary is bytes.
 */
export type SqlValue = null | number | bigint | string | Uint8Array;

/** The family decides how a value is compared, concatenated and converted. */
export type TypeFamily = 'number' | 'text' | 'bytes' | 'time' | 'guid' | 'variant';

const FAMILIES: { readonly [N in TypeName]: TypeFamily } = {
  bit: 'number',
  tinyint: 'number',
  smallint: 'number',
  int: 'number',
  bigint: 'number',
  decimal: 'number',
  numeric: 'number',
  money: 'number',
  smallmoney: 'number',
  real: 'number',
  float: 'number',
  date: 'time',
  time: 'time',
  datetime: 'time',
  smalldatetime: 'time',
  datetime2: 'time',
  datetimeoffset: 'time',
  char: 'text',
  varchar: 'text',
  text: 'text',
  nchar: 'text',
  nvarchar: 'text',
  ntext: 'text',
  binary: 'bytes',
  varbinary: 'bytes',
  image: 'bytes',
  timestamp: 'bytes',
  uniqueidentifier: 'guid',
  xml: 'text',
  sql_variant: 'variant',
};

/** The family of a type. */
export function familyOf(type: SqlType): TypeFamily {
  return FAMILIES[type.name];
}

/** Whether a text is a type name of the fixture, aliases not included. */
export function isTypeName(text: string): text is TypeName {
  return Object.hasOwn(FAMILIES, text);
}

export const INT: SqlType = { name: 'int' };
export const BIGINT: SqlType = { name: 'bigint' };
export const BIT: SqlType = { name: 'bit' };
export const SYSNAME: SqlType = { name: 'nvarchar', length: 128 };
export const NVARCHAR_MAX: SqlType = { name: 'nvarchar', length: -1 };
export const DATETIME: SqlType = { name: 'datetime' };
export const VARIANT: SqlType = { name: 'sql_variant' };

/** `nvarchar(length)`. */
export function nvarchar(length: number): SqlType {
  return { name: 'nvarchar', length };
}
