import type { Row } from '../engine/views.ts';
import { notRun, raise } from '../engine/sql-server-error.ts';
import { castTo, commonType, comparison, keyOf } from './compare.ts';
import { innerScope, type Condition, type Env, type Scope, type Typed } from './scope.ts';
import { nodeOf, type Expression, type Expressions, type Query } from './syntax.ts';

const COMPARISONS: Readonly<Record<string, (order: number) => boolean>> = {
  Eq: (order) => order === 0,
  NotEq: (order) => order !== 0,
  Lt: (order) => order < 0,
  Gt: (order) => order > 0,
  LtEq: (order) => order <= 0,
  GtEq: (order) => order >= 0,
};

const CONDITIONS: {
  readonly [K in keyof Expressions]?: (node: Expressions[K], scope: Scope) => Condition;
} = {
  Nested: compileCondition,
  BinaryOp: ({ left, op, right }, scope) => {
    if (op === 'And' || op === 'Or') {
      const [a, b] = [compileCondition(left, scope), compileCondition(right, scope)];
      const decisive = op === 'Or';
      return (env) => {
        const x = a(env);
        if (x === decisive) return decisive;
        const y = b(env);
        return y === decisive ? decisive : x === null || y === null ? null : !decisive;
      };
    }
    const holds = COMPARISONS[op];
    if (!holds) throw raise(4145, [op]);
    const { expression } = scope.compile;
    const compare = comparison(expression(left, scope), expression(right, scope));
    return (env) => {
      const order = compare(env);
      return order === null ? null : holds(order);
    };
  },
  IsNull: (expr, scope) => isNull(expr, scope),
  IsNotNull: (expr, scope) => negated(true, isNull(expr, scope)),
  InSubquery: ({ expr, subquery: query, negated: isNegated }, scope) => {
    const value = scope.compile.expression(expr, scope);
    const { column, keys } = subquery(query, scope);
    const operand = castTo(value, commonType([value, column]));
    return negated(isNegated, (env) => {
      const key = keyOf(operand.value(env));
      const found = keys(env);
      if (found.size === 0) return false;
      if (key === null) return null;
      return found.has(key) ? true : found.has(null) ? null : false;
    });
  },
  Like: ({ expr, pattern, negated: isNegated }, scope) => {
    const text = scope.compile.expression(expr, scope);
    const { constant } = scope.compile.expression(pattern, scope);
    const matches = likePattern(String(constant ?? ''));
    return negated(isNegated, (env) => {
      const value = text.value(env);
      return value === null ? null : matches.test(String(value));
    });
  },
  Exists: ({ subquery: query, negated: isNegated }, scope) => {
    const { first } = subquery(query, scope);
    return negated(isNegated, (env) => first(env) !== undefined);
  },
};

/** Compiles a condition. Throws 4145 for a value in place of a condition. */
export function compileCondition(expression: Expression, scope: Scope): Condition {
  const [kind, body] = nodeOf(expression);
  const compile = CONDITIONS[kind as keyof Expressions] as
    ((node: unknown, scope: Scope) => Condition) | undefined;
  if (!compile) throw raise(4145, [kind]);
  return compile(body, scope);
}

function isNull(expression: Expression, scope: Scope): Condition {
  const { value } = scope.compile.expression(expression, scope);
  return (env) => value(env) === null;
}

function negated(isNegated: boolean, condition: Condition): Condition {
  if (!isNegated) return condition;
  return (env) => {
    const result = condition(env);
    return result === null ? null : !result;
  };
}

/** Converts a pattern of LIKE with `%` and `_`, which ignores case. */
function likePattern(pattern: string): RegExp {
  if (pattern.includes('[')) throw notRun('LIKE with [ ]');
  const source = pattern
    .replace(/[.*+?^${}()|\]\\/]/g, '\\$&')
    .replaceAll('%', '.*')
    .replaceAll('_', '.');
  return new RegExp(`^${source} *$`, 'is');
}

/** Compiles a query inside an expression, which has one column. An uncorrelated query runs once. */
export function subquery(query: Query, scope: Scope) {
  const { columns, run, isCorrelated } = scope.compile.query(query, innerScope(scope, scope));
  let known: readonly Row[] | undefined;
  let keysOf: { readonly rows: readonly Row[]; readonly keys: ReadonlySet<unknown> } | undefined;
  const rows = (env: Env): readonly Row[] => (isCorrelated ? run(env) : (known ??= run(env)));
  return {
    get column(): Pick<Typed, 'type'> {
      const [column, ...more] = columns;
      if (!column || more.length > 0) throw raise(116);
      return column;
    },
    first: (env: Env) => rows(env)[0],
    keys: (env: Env) => {
      const found = rows(env);
      if (keysOf?.rows !== found) {
        keysOf = { rows: found, keys: new Set(found.map(([value = null]) => keyOf(value))) };
      }
      return keysOf.keys;
    },
  };
}
