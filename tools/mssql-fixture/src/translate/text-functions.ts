import { BIGINT, familyOf, INT, nvarchar, type SqlType } from '../tds/sql-type.ts';
import { renderType } from '../engine/scalar-functions.ts';
import type { FunctionRule } from './translate-call.ts';
import { castSql, type TypedSql } from './typed-sql.ts';
import { fixed } from './value-functions.ts';

/** The value as text; a number or a time becomes one. */
function asText(value: TypedSql): string {
  return familyOf(value.type) === 'text' ? value.sql : castSql(value, nvarchar(4000));
}

/** The type of a text that is made from another one. */
function textType(value: TypedSql, length = value.type.length ?? 4000): SqlType {
  const isText = familyOf(value.type) === 'text';
  const isUnicode = !isText || value.type.name.startsWith('n');
  return { name: isUnicode ? 'nvarchar' : 'varchar', length };
}

/** A function of SQLite that makes a text from a text. */
const mapped = (name: string): FunctionRule =>
  fixed(1, (value) => ({ sql: `${name}(${asText(value)})`, type: textType(value) }));

const concat = (args: readonly TypedSql[], joined: string): TypedSql => {
  const isMax = args.some((arg) => arg.type.length === -1);
  const isUnicode = args.some(
    (arg) => arg.type.name.startsWith('n') && arg.type.name !== 'numeric',
  );
  const name = isUnicode ? 'nvarchar' : 'varchar';
  return { sql: joined, type: { name, length: isMax ? -1 : isUnicode ? 4000 : 8000 } };
};

const slice = (value: TypedSql, from: string, count: string): TypedSql =>
  familyOf(value.type) === 'bytes'
    ? { sql: `substr(${value.sql}, ${from}, ${count})`, type: value.type }
    : { sql: `substr(${asText(value)}, ${from}, ${count})`, type: textType(value) };

/** Functions of texts. */
export const TEXT_FUNCTIONS: Readonly<Record<string, FunctionRule>> = {
  LEN: fixed(1, (value) => ({
    sql: `ts_len(${asText(value)})`,
    type: value.type.length === -1 ? BIGINT : INT,
  })),
  DATALENGTH: fixed(1, (value) => ({
    sql: `ts_datalength(${value.sql}, '${renderType(value.type)}')`,
    type: value.type.length === -1 ? BIGINT : INT,
  })),
  UPPER: mapped('ts_upper'),
  LOWER: mapped('ts_lower'),
  LTRIM: mapped('ltrim'),
  RTRIM: mapped('rtrim'),
  TRIM: mapped('trim'),
  REVERSE: mapped('ts_reverse'),
  LEFT: fixed(2, (value, count) => slice(value, '1', `max(0, ${count.sql})`)),
  RIGHT: fixed(2, (value, count) => ({
    sql: `CASE WHEN ${count.sql} > 0 THEN substr(${asText(value)}, -(${count.sql})) ELSE '' END`,
    type: textType(value),
  })),
  SUBSTRING: fixed(3, (value, from, count) => slice(value, from.sql, count.sql)),
  CHARINDEX: {
    arity: [2, 3],
    translate: ([needle, value, start]) => ({
      sql: `ts_charindex(${needle?.sql ?? ''}, ${value?.sql ?? ''}, ${start?.sql ?? '1'})`,
      type: INT,
    }),
  },
  REPLACE: fixed(3, (value, from, to) => ({
    sql: `ts_replace(${asText(value)}, ${from.sql}, ${to.sql})`,
    type: textType(value, value.type.length === -1 ? -1 : 8000 / 2),
  })),
  STUFF: fixed(4, (value, from, count, insert) => ({
    sql: `ts_stuff(${asText(value)}, ${from.sql}, ${count.sql}, ${insert.sql})`,
    type: textType(value, value.type.length === -1 ? -1 : 4000),
  })),
  REPLICATE: fixed(2, (value, count) => ({
    sql: `ts_replicate(${asText(value)}, ${count.sql})`,
    type: textType(value, value.type.length === -1 ? -1 : 4000),
  })),
  SPACE: fixed(1, (count) => ({
    sql: `ts_replicate(' ', ${count.sql})`,
    type: { name: 'varchar', length: 8000 },
  })),
  CHAR: fixed(1, (code) => ({ sql: `char(${code.sql})`, type: { name: 'char', length: 1 } })),
  NCHAR: fixed(1, (code) => ({ sql: `char(${code.sql})`, type: { name: 'nchar', length: 1 } })),
  UNICODE: fixed(1, (value) => ({ sql: `unicode(${value.sql})`, type: INT })),
  ASCII: fixed(1, (value) => ({ sql: `unicode(${value.sql})`, type: INT })),
  QUOTENAME: {
    arity: [1, 2],
    translate: ([value, quote]) => ({
      sql: `ts_quotename(${value ? asText(value) : 'NULL'}, ${quote?.sql ?? "'['"})`,
      type: nvarchar(258),
    }),
  },
  PARSENAME: fixed(2, (value, part) => ({
    sql: `ts_parse_name(${value.sql}, ${part.sql})`,
    type: nvarchar(128),
  })),
  CONCAT: {
    arity: [2, 254],
    translate: (args) =>
      concat(args, `(${args.map((arg) => `coalesce(${asText(arg)}, '')`).join(' || ')})`),
  },
  CONCAT_WS: {
    arity: [3, 254],
    translate: ([separator, ...args]) =>
      concat(args, `concat_ws(${separator?.sql ?? ''}, ${args.map(asText).join(', ')})`),
  },
};
