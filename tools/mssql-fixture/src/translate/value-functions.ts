import { BIGINT, DATETIME, familyOf, INT, type SqlType } from '../tds/sql-type.ts';
import { renderType } from '../engine/scalar-functions.ts';
import type { FunctionRule } from './translate-call.ts';
import { castSql, commonType, type TypedSql } from './typed-sql.ts';

/** A function with as many arguments as `translate` says, all there. */
export function fixed(count: number, translate: (...args: TypedSql[]) => TypedSql): FunctionRule {
  return { arity: [count, count], translate: (args) => translate(...args) };
}

const DATETIME2: SqlType = { name: 'datetime2', scale: 7 };

const now = (type: SqlType): FunctionRule => fixed(0, () => ({ sql: 'ts_now()', type }));

/** CHECKSUM and BINARY_CHECKSUM: the same for the same values, but not the numbers of SQL Server. */
const checksum: FunctionRule = {
  arity: [1, 250],
  translate: (args) => {
    const values = args.map(({ sql, type }) => (familyOf(type) === 'bytes' ? `hex(${sql})` : sql));
    return { sql: `ts_checksum(json_array(${values.join(', ')}))`, type: INT };
  },
};

/** A time that may be given as text is one in the result too. */
const timeOf = (value: TypedSql): TypedSql =>
  familyOf(value.type) === 'time' ? value : { sql: castSql(value, DATETIME), type: DATETIME };

const part = (name: string): FunctionRule =>
  fixed(1, (time) => ({ sql: `ts_datepart('${name}', ${time.sql})`, type: INT }));

/** Functions of values: NULL, numbers, times, checksums. */
export const VALUE_FUNCTIONS: Readonly<Record<string, FunctionRule>> = {
  ISNULL: fixed(2, (value, other) => {
    const type = value.isNull ? other.type : value.type;
    return { sql: `ifnull(${value.sql}, ${castSql(other, type)})`, type };
  }),
  COALESCE: {
    arity: [2, 250],
    translate: (args) => ({
      sql: `coalesce(${args.map((arg) => arg.sql).join(', ')})`,
      type: commonType(args),
    }),
  },
  NULLIF: fixed(2, (a, b) => ({ sql: `nullif(${a.sql}, ${b.sql})`, type: a.type })),
  CHOOSE: {
    arity: [2, 250],
    translate: ([index, ...choices]) => {
      const whens = choices.map((choice, i) => `WHEN ${i + 1} THEN ${choice.sql}`).join(' ');
      return { sql: `CASE ${index?.sql ?? 'NULL'} ${whens} END`, type: commonType(choices) };
    },
  },
  ABS: fixed(1, (value) => ({ sql: `abs(${value.sql})`, type: value.type })),
  SIGN: fixed(1, (value) => ({ sql: `sign(${value.sql})`, type: value.type })),
  FLOOR: fixed(1, (value) => ({ sql: `floor(${value.sql})`, type: value.type })),
  CEILING: fixed(1, (value) => ({ sql: `ceil(${value.sql})`, type: value.type })),
  ROUND: fixed(2, (value, digits) => ({
    sql: `round(${value.sql}, ${digits.sql})`,
    type: value.type,
  })),
  POWER: fixed(2, (base, exponent) => ({
    sql: castSql({ sql: `pow(${base.sql}, ${exponent.sql})`, type: { name: 'float' } }, base.type),
    type: base.type,
  })),
  CHECKSUM: checksum,
  BINARY_CHECKSUM: checksum,
  HASHBYTES: fixed(2, (algorithm, value) => ({
    sql: `ts_hashbytes(${algorithm.sql}, ${value.sql}, '${renderType(value.type)}')`,
    type: { name: 'varbinary', length: 8000 },
  })),
  NEWID: fixed(0, () => ({ sql: 'ts_newid()', type: { name: 'uniqueidentifier' } })),
  GETDATE: now(DATETIME),
  GETUTCDATE: now(DATETIME),
  CURRENT_TIMESTAMP: now(DATETIME),
  SYSDATETIME: now(DATETIME2),
  SYSUTCDATETIME: now(DATETIME2),
  SYSDATETIMEOFFSET: fixed(0, () => ({
    sql: "(ts_now() || '+00:00')",
    type: { name: 'datetimeoffset', scale: 7 },
  })),
  DATEADD: fixed(3, (unit, count, time) => {
    const from = timeOf(time);
    return { sql: `ts_dateadd(${unit.sql}, ${count.sql}, ${from.sql})`, type: from.type };
  }),
  DATEDIFF: fixed(3, (unit, from, to) => ({
    sql: `ts_datediff(${unit.sql}, ${from.sql}, ${to.sql})`,
    type: INT,
  })),
  DATEDIFF_BIG: fixed(3, (unit, from, to) => ({
    sql: `ts_datediff(${unit.sql}, ${from.sql}, ${to.sql})`,
    type: BIGINT,
  })),
  DATEPART: fixed(2, (unit, time) => ({ sql: `ts_datepart(${unit.sql}, ${time.sql})`, type: INT })),
  YEAR: part('year'),
  MONTH: part('month'),
  DAY: part('day'),
  ISJSON: fixed(1, (text) => ({ sql: `json_valid(${text.sql})`, type: INT })),
  JSON_VALUE: fixed(2, (text, path) => ({
    sql: `json_extract(${text.sql}, ${path.sql})`,
    type: { name: 'nvarchar', length: 4000 },
  })),
  JSON_QUERY: {
    arity: [1, 2],
    translate: ([text, path]) => ({
      sql: path ? `(${text?.sql ?? 'NULL'} -> ${path.sql})` : (text?.sql ?? 'NULL'),
      type: { name: 'nvarchar', length: -1 },
    }),
  },
};
