import { notRun, raise } from '../engine/sql-server-error.ts';
import {
  familyOf,
  hasPrecedence,
  type SqlType,
  type SqlValue,
  type TypeFamily,
} from '../tds/sql-type.ts';
import { convertValue, safe } from './convert-value.ts';
import type { Env, Typed } from './scope.ts';

/** Returns the common type of several values: of CASE, COALESCE, UNION, a comparison. */
export function commonType(values: readonly Pick<Typed, 'type' | 'isNull'>[]): SqlType {
  const [first, ...others] = values.filter(({ isNull }) => !isNull).map(({ type }) => type);
  return first ? others.reduce(higherType, first) : { name: 'int' };
}

function higherType(left: SqlType, right: SqlType): SqlType {
  const [high, low] = hasPrecedence(left, right) ? [left, right] : [right, left];
  if (familyOf(high) !== familyOf(low) || !high.length || !low.length) return high;
  return {
    ...high,
    length: high.length < 0 || low.length < 0 ? -1 : Math.max(high.length, low.length),
  };
}

/** Converts a value to the representation of another type. */
export function castTo({ type, value, ...rest }: Typed, to: SqlType): Typed {
  const isHeldAlike = familyOf(type) === familyOf(to) || familyOf(to) === 'variant';
  if (isHeldAlike || rest.isNull) return { ...rest, type: to, value };
  return { type: to, value: (env) => convertValue(value(env), { from: type, to }) };
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

const COMPARE: { readonly [F in TypeFamily]: Compare } = {
  text: byText,
  guid: byText,
  time: byText,
  variant: byText,
  number: (left, right) => order(Number(left), Number(right)),
  bytes: (left, right) => Buffer.compare(left as Uint8Array, right as Uint8Array),
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
  const keyed = items.map((item) => ({ item, key: keys.map(({ of }) => keyOf(of(item))) }));
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

/** Compiles an arithmetic operator on whole numbers, or `+` on text. Throws 8134. */
export function arithmetic(operator: string, left: Typed, right: Typed): Typed {
  const type = commonType([left, right]);
  const [a, b] = [castTo(left, type).value, castTo(right, type).value];
  const strict =
    (of: (x: NonNullable<SqlValue>, y: NonNullable<SqlValue>) => SqlValue) =>
    (env: Env): SqlValue => {
      const [x, y] = [a(env), b(env)];
      return x === null || y === null ? null : of(x, y);
    };
  if (familyOf(type) === 'text' && operator === 'Plus') {
    const [m = -1, n = -1] = [left.type.length, right.type.length];
    const length = m < 0 || n < 0 ? -1 : Math.min(m + n, 4000);
    return { type: { ...type, length }, value: strict((x, y) => `${String(x)}${String(y)}`) };
  }
  if (!/^(bit|\w*int)$/.test(type.name)) throw notRun(`${operator} on ${type.name}`);
  const value = strict((x, y) => integer(operator, wholeOf(x), wholeOf(y)));
  return { type, value };
}

function integer(operator: string, a: bigint, b: bigint): SqlValue {
  if (/Divide|Modulo/.test(operator) && b === 0n) throw raise(8134);
  const results: Readonly<Record<string, () => bigint>> = {
    Plus: () => a + b,
    Minus: () => a - b,
    Multiply: () => a * b,
    Divide: () => a / b,
    Modulo: () => a % b,
  };
  const result = results[operator]?.();
  if (result === undefined) throw raise(102, [operator]);
  return safe(result);
}

function wholeOf(value: NonNullable<SqlValue>): bigint {
  return typeof value === 'bigint' ? value : BigInt(Number(value));
}
