import { raise } from '../engine/sql-server-error.ts';
import {
  familyOf,
  type SqlType,
  type SqlValue,
  type TypeFamily,
  type TypeName,
} from '../tds/sql-type.ts';
import { convertValue } from './convert-value.ts';
import type { Env, Typed } from './scope.ts';

/** Data type precedence of T-SQL, highest first. */
const PRECEDENCE: readonly TypeName[] = [
  ...(['sql_variant', 'xml', 'datetimeoffset', 'datetime2', 'datetime', 'smalldatetime'] as const),
  ...(['date', 'time', 'float', 'real', 'decimal', 'numeric', 'money', 'smallmoney'] as const),
  ...([
    'bigint',
    'int',
    'smallint',
    'tinyint',
    'bit',
    'ntext',
    'text',
    'image',
    'timestamp',
  ] as const),
  ...(['uniqueidentifier', 'nvarchar', 'nchar', 'varchar', 'char', 'varbinary', 'binary'] as const),
];

/** Returns the common type of several values: of CASE, COALESCE, UNION, a comparison. */
export function commonType(values: readonly Pick<Typed, 'type' | 'isNull'>[]): SqlType {
  const [first, ...others] = values.filter(({ isNull }) => !isNull).map(({ type }) => type);
  return first ? others.reduce(higherType, first) : { name: 'int' };
}

function higherType(left: SqlType, right: SqlType): SqlType {
  const isLeft = PRECEDENCE.indexOf(left.name) <= PRECEDENCE.indexOf(right.name);
  const [high, low] = isLeft ? [left, right] : [right, left];
  if (familyOf(high) !== familyOf(low)) return high;
  if (high.length !== undefined && low.length !== undefined) {
    const isMax = high.length < 0 || low.length < 0;
    return { ...high, length: isMax ? -1 : Math.max(high.length, low.length) };
  }
  if (high.scale === undefined || low.scale === undefined) return high;
  return { ...high, precision: 38, scale: Math.max(high.scale, low.scale) };
}

/** Converts a value to the representation of another type. */
export function castTo({ type, value, ...rest }: Typed, to: SqlType): Typed {
  const isHeldAlike =
    familyOf(type) === familyOf(to) && (familyOf(to) !== 'time' || type.name === to.name);
  if (isHeldAlike || rest.isNull || familyOf(to) === 'variant') return { ...rest, type: to, value };
  return { type: to, value: (env) => convertValue(value(env), { from: type, to, style: 0 }) };
}

/** Folds text for a comparison: without case and without trailing blanks. */
export function fold(text: string): string {
  const lower = text.toLowerCase();
  return lower.endsWith(' ') ? lower.replace(/ +$/, '') : lower;
}

/** Returns a key that is equal for equal values of one family. */
export function keyOf(value: SqlValue): string | number | null {
  if (value === null) return null;
  if (typeof value === 'string') return fold(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  return Number(value);
}

type Compare = (left: NonNullable<SqlValue>, right: NonNullable<SqlValue>) => number;

const order = <T extends string | number | bigint>(left: T, right: T): number =>
  left < right ? -1 : left > right ? 1 : 0;
const byText: Compare = (left, right) => order(fold(String(left)), fold(String(right)));
const byNumber: Compare = (left, right) =>
  typeof left === 'bigint' && typeof right === 'bigint'
    ? order(left, right)
    : order(Number(left), Number(right));

const COMPARE: { readonly [F in TypeFamily]: Compare } = {
  text: byText,
  guid: byText,
  time: byText,
  number: byNumber,
  bytes: (left, right) => Buffer.compare(left as Uint8Array, right as Uint8Array),
  variant: (left, right) =>
    typeof left === 'number' && typeof right === 'number' ? left - right : byText(left, right),
};

/** Compares two expressions. Returns null if one of them is NULL. */
export function comparison(left: Typed, right: Typed): (env: Env) => number | null {
  const type = commonType([left, right]);
  const [a, b] = [castTo(left, type).value, castTo(right, type).value];
  const compare = COMPARE[familyOf(type)];
  return (env) => {
    const [x, y] = [a(env), b(env)];
    return x === null || y === null ? null : compare(x, y);
  };
}

/** Sorts by keys. NULL comes first. */
export function sortBy<T>(
  items: readonly T[],
  keys: readonly { readonly of: (item: T) => SqlValue; readonly isDescending: boolean }[],
): readonly T[] {
  if (keys.length === 0) return items;
  const keyed = items.map((item) => ({ item, key: keys.map(({ of }) => sortKey(of(item))) }));
  keyed.sort((a, b) => {
    for (let i = 0; i < keys.length; i++) {
      const [x = null, y = null] = [a.key[i], b.key[i]];
      if (x === y) continue;
      const isFirst = x === null || (y !== null && x < y);
      return isFirst === keys[i]?.isDescending ? 1 : -1;
    }
    return 0;
  });
  return keyed.map(({ item }) => item);
}

function sortKey(value: SqlValue): string | number | bigint | null {
  return typeof value === 'bigint' ? value : keyOf(value);
}

const isInteger = ({ name }: SqlType): boolean => /^(bit|tinyint|smallint|int|bigint)$/.test(name);

/** Compiles an arithmetic operator, or `+` on text or bytes. Throws 402 and 8134. */
export function arithmetic(operator: string, left: Typed, right: Typed): Typed {
  const type = commonType([left, right]);
  const family = familyOf(type);
  const [a, b] = [castTo(left, type).value, castTo(right, type).value];
  const strict = (
    result: SqlType,
    of: (x: NonNullable<SqlValue>, y: NonNullable<SqlValue>) => SqlValue,
  ): Typed => ({
    type: result,
    value: (env) => {
      const [x, y] = [a(env), b(env)];
      return x === null || y === null ? null : of(x, y);
    },
  });
  if (family === 'text' && operator === 'Plus') {
    return strict(joinedType(left.type, right.type, type), (x, y) => `${String(x)}${String(y)}`);
  }
  if (family === 'bytes' && operator === 'Plus') {
    return strict(type, (x, y) => Buffer.concat([x as Uint8Array, y as Uint8Array]));
  }
  if (family !== 'number') throw raise(402, [left.type.name, right.type.name, operator]);
  return strict(type, (x, y) => (isInteger(type) ? integer(operator, x, y) : real(operator, x, y)));
}

function joinedType(left: SqlType, right: SqlType, type: SqlType): SqlType {
  const [a = -1, b = -1] = [left.length, right.length];
  return { ...type, length: a < 0 || b < 0 ? -1 : Math.min(a + b, 4000) };
}

function integer(operator: string, left: SqlValue, right: SqlValue): SqlValue {
  const [x, y] = [BigInt(Math.trunc(Number(left))), BigInt(Math.trunc(Number(right)))];
  const [a, b] = [typeof left === 'bigint' ? left : x, typeof right === 'bigint' ? right : y];
  if (/Divide|Modulo/.test(operator) && b === 0n) throw raise(8134);
  const results: Readonly<Record<string, () => bigint>> = {
    Plus: () => a + b,
    Minus: () => a - b,
    Multiply: () => a * b,
    Divide: () => a / b,
    Modulo: () => a % b,
    BitwiseAnd: () => a & b,
    BitwiseOr: () => a | b,
  };
  const result = results[operator]?.();
  if (result === undefined) throw raise(102, [operator]);
  return Number.isSafeInteger(Number(result)) ? Number(result) : result;
}

function real(operator: string, left: SqlValue, right: SqlValue): SqlValue {
  const [a, b] = [Number(left), Number(right)];
  if (operator === 'Divide' && b === 0) throw raise(8134);
  return (
    { Plus: a + b, Minus: a - b, Multiply: a * b, Divide: a / b, Modulo: a % b }[operator] ?? null
  );
}
