import { familyOf, type SqlType, type TypeName } from '../tds/sql-type.ts';
import { renderType } from '../engine/scalar-functions.ts';

/** SQL of SQLite and the type that SQL Server gives its value. */
export interface TypedSql {
  readonly sql: string;
  readonly type: SqlType;
  /** A NULL without a type of its own: it takes that of what it meets. */
  readonly isNull?: boolean;
  /** The text that it is, where that is known: of a literal or a variable. */
  readonly text?: string;
  /** From COLLATE; text without one compares without case. */
  readonly collation?: 'BINARY' | 'NOCASE';
}

/** Data type precedence of T-SQL, the highest first. */
const PRECEDENCE: readonly TypeName[] = [
  'sql_variant',
  'xml',
  'datetimeoffset',
  'datetime2',
  'datetime',
  'smalldatetime',
  'date',
  'time',
  'float',
  'real',
  'decimal',
  'numeric',
  'money',
  'smallmoney',
  'bigint',
  'int',
  'smallint',
  'tinyint',
  'bit',
  'ntext',
  'text',
  'image',
  'timestamp',
  'uniqueidentifier',
  'nvarchar',
  'nchar',
  'varchar',
  'char',
  'varbinary',
  'binary',
];

/** The type of a value that is one of several: of CASE, COALESCE, UNION. */
export function commonType(values: readonly TypedSql[]): SqlType {
  const types = values.filter((value) => !value.isNull).map((value) => value.type);
  const [first, ...others] = types;
  if (!first) return { name: 'int' };
  return others.reduce(higherType, first);
}

function higherType(left: SqlType, right: SqlType): SqlType {
  const isLeft = PRECEDENCE.indexOf(left.name) <= PRECEDENCE.indexOf(right.name);
  const [high, low] = isLeft ? [left, right] : [right, left];
  const isSameFamily = familyOf(high) === familyOf(low);
  if (high.length !== undefined && low.length !== undefined && isSameFamily) {
    const isMax = high.length < 0 || low.length < 0;
    return { ...high, length: isMax ? -1 : Math.max(high.length, low.length) };
  }
  if (high.scale !== undefined && low.scale !== undefined && isSameFamily) {
    return { ...high, precision: 38, scale: Math.max(high.scale, low.scale) };
  }
  return high;
}

/** The value as another type, as CAST would. */
export function castSql(value: TypedSql, type: SqlType, style = '0', isTry = false): string {
  if (value.isNull || (!isTry && style === '0' && isSameRepresentation(value.type, type))) {
    return value.sql;
  }
  const name = isTry ? 'ts_try_convert' : 'ts_convert';
  return `${name}(${value.sql}, '${renderType(value.type)}', '${renderType(type)}', ${style})`;
}

const WIDTH: Readonly<Record<string, number>> = {
  bit: 0,
  tinyint: 1,
  smallint: 2,
  int: 3,
  bigint: 4,
};

/** Whether a value of one type is held in the same way as one of the other. */
function isSameRepresentation(from: SqlType, to: SqlType): boolean {
  const [fromWidth, toWidth] = [WIDTH[from.name], WIDTH[to.name]];
  if (fromWidth !== undefined && toWidth !== undefined) return fromWidth <= toWidth;
  if (familyOf(from) === 'text' && familyOf(to) === 'text') {
    const room = to.length ?? -1;
    return room < 0 || ((from.length ?? -1) >= 0 && (from.length ?? 0) <= room);
  }
  return renderType(from) === renderType(to) || to.name === 'sql_variant';
}

/** An identifier for SQLite. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text literal for SQLite; NUL, which it would end at, goes as bytes. */
export function quoteText(text: string): string {
  if (text.includes('\0')) return `CAST(x'${Buffer.from(text).toString('hex')}' AS TEXT)`;
  return `'${text.replaceAll("'", "''")}'`;
}
