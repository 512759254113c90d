import type { Row } from '../engine/relation.ts';
import { raise, type SqlServerError } from '../engine/sql-server-error.ts';
import { castTo, commonType, comparison, keyOf } from './compare.ts';
import { likeMatches } from './like-matches.ts';
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
  Nested: (inner, scope) => scope.compile.condition(inner, scope),
  BinaryOp: ({ left, op, right }, scope) => {
    if (op === 'And' || op === 'Or') {
      const [a, b] = [scope.compile.condition(left, scope), scope.compile.condition(right, scope)];
      const decisive = op === 'Or';
      return (env) => {
        const x = a(env);
        if (x === decisive) return decisive;
        const y = b(env);
        return y === decisive ? decisive : x === null || y === null ? null : !decisive;
      };
    }
    const holds = COMPARISONS[op];
    if (!holds) throw notBoolean(left);
    const compare = comparison(
      scope.compile.expression(left, scope),
      scope.compile.expression(right, scope),
    );
    return (env) => {
      const order = compare(env);
      return order === null ? null : holds(order);
    };
  },
  UnaryOp: ({ op, expr }, scope) => {
    if (op !== 'Not') throw notBoolean(expr);
    return negated(true, scope.compile.condition(expr, scope));
  },
  IsNull: (expr, scope) => isNull(expr, scope),
  IsNotNull: (expr, scope) => negated(true, isNull(expr, scope)),
  InList: ({ expr, list, negated: isNegated }, scope) => {
    const value = scope.compile.expression(expr, scope);
    const equals = list.map((item) => equality(value, scope.compile.expression(item, scope)));
    return negated(isNegated, (env) => anyOf(equals.map((isEqual) => isEqual(env))));
  },
  InSubquery: ({ expr, subquery: query, negated: isNegated }, scope) => {
    const value = scope.compile.expression(expr, scope);
    const { columns, keys } = subquery(query, scope);
    const [column] = columns;
    if (!column || columns.length > 1) throw raise(116);
    const operand = castTo(value, commonType([value, column]));
    return negated(isNegated, (env) => {
      const key = keyOf(operand.value(env));
      const found = keys(env);
      if (found.size === 0) return false;
      if (key === null) return null;
      return found.has(key) ? true : found.has(null) ? null : false;
    });
  },
  Like: ({ expr, pattern, escape_char, negated: isNegated }, scope) => {
    const [text, wanted] = [
      scope.compile.expression(expr, scope),
      scope.compile.expression(pattern, scope),
    ];
    const [escape = ''] = Object.values(escape_char?.value ?? {});
    return negated(isNegated, (env) => {
      const [a, b] = [text.value(env), wanted.value(env)];
      return a === null || b === null ? null : likeMatches(String(a), String(b), escape);
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
  if (!compile) throw notBoolean(expression);
  return compile(body, scope);
}

function notBoolean(expression: Expression): SqlServerError {
  const parts = JSON.stringify(expression).matchAll(/"value":"([^"]+)"/g);
  return raise(4145, [[...parts].at(-1)?.[1] ?? '']);
}

/** Compiles the equality of two expressions. */
export function equality(left: Typed, right: Typed): Condition {
  const compare = comparison(left, right);
  return (env) => {
    const order = compare(env);
    return order === null ? null : order === 0;
  };
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

function anyOf(results: readonly (boolean | null)[]): boolean | null {
  if (results.includes(true)) return true;
  return results.includes(null) ? null : false;
}

/** Compiles a query inside an expression. An uncorrelated query runs once. */
export function subquery(query: Query, scope: Scope) {
  const { columns, run, isCorrelated } = scope.compile.query(query, innerScope(scope, scope));
  let known: readonly Row[] | undefined;
  let keysOf: { readonly rows: readonly Row[]; readonly keys: ReadonlySet<unknown> } | undefined;
  const rows = (env: Env): readonly Row[] => (isCorrelated ? run(env) : (known ??= run(env)));
  return {
    columns,
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
