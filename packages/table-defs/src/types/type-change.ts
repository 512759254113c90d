import { parsePgType, type PgType } from './canonical-type.ts';

/**
 * Effect of `ALTER COLUMN TYPE` on the values and the table. `same`: none. `free`: only the catalog changes. `rewrite`:
 * nothing is lost, and the table is rewritten under a lock. `unsafe`: values can be lost or the change can fail.
 */
export type TypeChange = 'same' | 'free' | 'rewrite' | 'unsafe';

/**
 * Condition on the numbers of both types: as a test, and as SQL with `a1, a2` for the old type and `b1, b2` for the new
 * one.
 */
export interface TypeCondition {
  readonly test: (before: TypeNumbers, after: TypeNumbers) => boolean;
  readonly sql: string;
}

/** Numbers of a type. `numeric(12,2)` has 12 and 2. The second one defaults to 0. */
export interface TypeNumbers {
  readonly first: number | undefined;
  readonly second: number;
}

/**
 * A lossless change from one type to another. The first matching rule applies. A change without a matching rule is
 * unsafe.
 */
export interface TypeRule {
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly when?: TypeCondition;
  readonly change: 'free' | 'rewrite';
}

const NOT_SHORTER: TypeCondition = {
  test: (a, b) => b.first === undefined || (a.first !== undefined && a.first <= b.first),
  sql: '(b1 IS NULL OR a1 <= b1)',
};
const NO_LIMIT: TypeCondition = { test: (_a, b) => b.first === undefined, sql: 'b1 IS NULL' };
const NO_FEWER_DIGITS: TypeCondition = {
  test: (a, b) =>
    a.first !== undefined &&
    b.first !== undefined &&
    b.second >= a.second &&
    b.first - b.second >= a.first - a.second,
  sql: 'b2 >= a2 AND b1 - b2 >= a1 - a2',
};
const SAME_SCALE: TypeCondition = {
  test: (a, b) => NO_FEWER_DIGITS.test(a, b) && a.second === b.second,
  sql: `a2 = b2 AND ${NO_FEWER_DIGITS.sql}`,
};
/** Compares fractional digits of seconds. Without a number a type has all digits. */
const NO_FEWER_SECONDS: TypeCondition = {
  test: (a, b) => (a.first ?? 6) <= (b.first ?? 6),
  sql: 'coalesce(a1, 6) <= coalesce(b1, 6)',
};
const holdsDigits = (digits: number): TypeCondition => ({
  test: (_a, { first, second }) => first === undefined || (second >= 0 && first - second >= digits),
  sql: `(b1 IS NULL OR b2 >= 0 AND b1 - b2 >= ${digits})`,
});

const TIMES = [
  ...['time without time zone', 'time with time zone', 'timestamp without time zone'],
  ...['timestamp with time zone', 'interval'],
];

/**
 * Rules for all lossless changes, by types without their numbers. `cdc_management.type_change` is rendered from these
 * rules.
 */
export const TYPE_RULES: readonly TypeRule[] = [
  rule('free', ['character varying', 'text'], ['character varying', 'text'], NOT_SHORTER),
  // Values are padded with blanks, which bpchar (the type without a length) keeps.
  rule('free', ['character'], ['bpchar']),
  rule('rewrite', ['character', 'bpchar'], ['character', 'character varying', 'text'], NOT_SHORTER),
  rule('free', ['numeric'], ['numeric'], NO_LIMIT),
  rule('free', ['numeric'], ['numeric'], SAME_SCALE),
  rule('rewrite', ['numeric'], ['numeric'], NO_FEWER_DIGITS),
  ...TIMES.map((type) => rule('free', [type], [type], NO_FEWER_SECONDS)),
  rule('rewrite', ['smallint'], ['integer', 'bigint']),
  rule('rewrite', ['integer'], ['bigint']),
  rule('rewrite', ['smallint'], ['numeric'], holdsDigits(5)),
  rule('rewrite', ['integer'], ['numeric'], holdsDigits(10)),
  rule('rewrite', ['bigint'], ['numeric'], holdsDigits(19)),
  rule('rewrite', ['real'], ['double precision']),
  rule('rewrite', ['date'], ['timestamp without time zone']),
];

function rule(
  change: TypeRule['change'],
  from: readonly string[],
  to: readonly string[],
  when?: TypeCondition,
): TypeRule {
  return { from, to, change, ...(when && { when }) };
}

/** Classifies the change of a column's type. Both types are spelled as `format_type` prints them. */
export function classifyTypeChange(from: string, to: string): TypeChange {
  if (from === to) return 'same';
  const before = parsePgType(from);
  const after = parsePgType(to);
  if (!before || !after || before.array || after.array) return 'unsafe';
  const [a, b] = [numbersOf(before), numbersOf(after)];
  const found = TYPE_RULES.find(
    (one) =>
      one.from.includes(before.base) &&
      one.to.includes(after.base) &&
      (one.when?.test(a, b) ?? true),
  );
  return found?.change ?? 'unsafe';
}

function numbersOf({ facets: [first, second = 0] }: PgType): TypeNumbers {
  return { first, second };
}
