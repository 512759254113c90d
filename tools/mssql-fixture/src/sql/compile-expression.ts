import type { Row } from '../engine/relation.ts';
import { notRun, raise, SqlServerError } from '../engine/sql-server-error.ts';
import { INT, type SqlType, type SqlValue } from '../tds/sql-type.ts';
import { globalVariable } from './server-functions.ts';
import { arithmetic, castTo, commonType, comparison, keyOf } from './compare.ts';
import { convertValue } from './convert-value.ts';
import { compileFunction } from './compile-function.ts';
import { likeMatches } from './like-matches.ts';
import {
  NO_ROWS,
  constant,
  innerScope,
  resolveColumn,
  type Condition,
  type Env,
  type Scope,
  type Typed,
} from './scope.ts';
import { nodeOf, typeOf, type Expression, type Expressions, type Query } from './syntax.ts';

const VALUES: {
  readonly [K in keyof Expressions]?: (node: Expressions[K], scope: Scope) => Typed;
} = {
  Identifier: ({ value, quote_style }, scope) =>
    quote_style === undefined && value.startsWith('@')
      ? variable(value, scope)
      : resolveColumn(scope, [value]),
  CompoundIdentifier: (parts, scope) =>
    resolveColumn(
      scope,
      parts.map(({ value }) => value),
    ),
  Value: ({ value }) => literal(value),
  Nested: (inner, scope) => compileExpression(inner, scope),
  Collate: ({ expr, collation }, scope) => {
    const name = collation.at(-1)?.Identifier.value ?? '';
    if (!/_CI_/.test(name)) throw notRun(`COLLATE ${name}`);
    return compileExpression(expr, scope);
  },
  UnaryOp: ({ op, expr }, scope) => {
    const operand = compileExpression(expr, scope);
    if (op === 'Plus') return operand;
    if (op !== 'Minus') throw raise(102, [op]);
    const negated = arithmetic('Minus', constant(0, operand.type), operand);
    return operand.constant === undefined
      ? negated
      : constant(negated.value(NO_ROWS), operand.type);
  },
  BinaryOp: ({ left, op, right }, scope) => {
    if (op in COMPARISONS || op === 'And' || op === 'Or')
      throw raise(102, [COMPARISONS[op]?.sql ?? op]);
    return arithmetic(op, compileExpression(left, scope), compileExpression(right, scope));
  },
  Subquery: (query, scope) => {
    const { columns, first } = subquery(query, scope);
    const [column] = columns;
    if (!column || columns.length > 1) throw raise(116);
    return { type: column.type, value: (env) => first(env)?.[0] ?? null };
  },
  Case: ({ operand, conditions, else_result }, scope) => {
    const branches = conditions.map(({ condition, result }) => ({
      isTrue: operand
        ? equality(compileExpression(operand, scope), compileExpression(condition, scope))
        : compileCondition(condition, scope),
      result: compileExpression(result, scope),
    }));
    const otherwise = else_result ? compileExpression(else_result, scope) : nullValue();
    const type = commonType([...branches.map(({ result }) => result), otherwise]);
    const results = branches.map(({ isTrue, result }) => ({ isTrue, ...castTo(result, type) }));
    const last = castTo(otherwise, type);
    return {
      type,
      value: (env) => (results.find(({ isTrue }) => isTrue(env) === true) ?? last).value(env),
    };
  },
  Cast: ({ kind, expr, data_type }, scope) =>
    converted(compileExpression(expr, scope), typeOf(data_type, true), {
      isTry: kind === 'TryCast',
    }),
  Convert: ({ is_try, expr, data_type, styles: [style] }, scope) =>
    converted(compileExpression(expr, scope), typeOf(data_type, true), {
      isTry: is_try,
      style: style && Number(compileExpression(style, scope).constant),
    }),
  Substring: ({ expr, substring_from, substring_for }, scope) => {
    const [text, from, count] = [expr, substring_from, substring_for].map((part) =>
      compileExpression(part, scope),
    );
    if (!text || !from || !count) throw raise(174, ['substring', 3]);
    return {
      type: text.type,
      value: (env) => {
        const [value, start, length] = [text.value(env), from.value(env), count.value(env)];
        if (value === null || start === null || length === null) return null;
        const [at, end] = [Number(start) - 1, Number(start) - 1 + Number(length)];
        return (value instanceof Uint8Array ? value : String(value)).slice(
          Math.max(0, at),
          Math.max(0, end),
        );
      },
    };
  },
  Function: (node, scope) => compileFunction(node, scope),
};

/** An expression that has a value. Throws what SQL Server says of names and types that do not fit. */
export function compileExpression(expression: Expression, scope: Scope): Typed {
  const [kind, body] = nodeOf(expression);
  const compile = VALUES[kind as keyof Expressions] as
    ((node: unknown, scope: Scope) => Typed) | undefined;
  if (!compile) throw raise(102, [kind in CONDITIONS ? conditionWord(kind) : kind]);
  return compile(body, scope);
}

const COMPARISONS: Readonly<
  Record<string, { readonly sql: string; readonly holds: (order: number) => boolean }>
> = {
  Eq: { sql: '=', holds: (order) => order === 0 },
  NotEq: { sql: '<>', holds: (order) => order !== 0 },
  Lt: { sql: '<', holds: (order) => order < 0 },
  Gt: { sql: '>', holds: (order) => order > 0 },
  LtEq: { sql: '<=', holds: (order) => order <= 0 },
  GtEq: { sql: '>=', holds: (order) => order >= 0 },
};

const CONDITIONS: {
  readonly [K in keyof Expressions]?: (node: Expressions[K], scope: Scope) => Condition;
} = {
  Nested: (inner, scope) => compileCondition(inner, scope),
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
    const compared = COMPARISONS[op];
    if (!compared) throw notBoolean(left);
    const compare = comparison(compileExpression(left, scope), compileExpression(right, scope));
    return (env) => {
      const order = compare(env);
      return order === null ? null : compared.holds(order);
    };
  },
  UnaryOp: ({ op, expr }, scope) => {
    if (op !== 'Not') throw notBoolean(expr);
    return negated(true, compileCondition(expr, scope));
  },
  IsNull: (expr, scope) => isNull(expr, scope),
  IsNotNull: (expr, scope) => negated(true, isNull(expr, scope)),
  InList: ({ expr, list, negated: isNegated }, scope) => {
    const value = compileExpression(expr, scope);
    const equals = list.map((item) => equality(value, compileExpression(item, scope)));
    return negated(isNegated, (env) => anyOf(equals.map((isEqual) => isEqual(env))));
  },
  InSubquery: ({ expr, subquery: query, negated: isNegated }, scope) => {
    const value = compileExpression(expr, scope);
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
  Between: ({ expr, low, high, negated: isNegated }, scope) => {
    const [value, a, b] = [expr, low, high].map((part) => compileExpression(part, scope)) as [
      Typed,
      Typed,
      Typed,
    ];
    const [from, to] = [comparison(value, a), comparison(value, b)];
    return negated(isNegated, (env) => {
      const [x, y] = [from(env), to(env)];
      return x === null || y === null ? null : x >= 0 && y <= 0;
    });
  },
  Like: ({ expr, pattern, escape_char, negated: isNegated }, scope) => {
    const [text, wanted] = [compileExpression(expr, scope), compileExpression(pattern, scope)];
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

/** A condition. Throws 4145 for a value where a condition should be. */
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

function conditionWord(kind: string): string {
  return (
    { IsNull: 'is', IsNotNull: 'is', InList: 'in', InSubquery: 'in' }[kind] ?? kind.toLowerCase()
  );
}

function equality(left: Typed, right: Typed): Condition {
  const compare = comparison(left, right);
  return (env) => {
    const order = compare(env);
    return order === null ? null : order === 0;
  };
}

function isNull(expression: Expression, scope: Scope): Condition {
  const { value } = compileExpression(expression, scope);
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

function nullValue(): Typed {
  return { ...constant(null, INT), isNull: true };
}

/** The rows of a query inside an expression; one that uses no name around it runs once. */
function subquery(query: Query, scope: Scope) {
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

function variable(name: string, { frame }: Scope): Typed {
  if (name.startsWith('@@')) return globalVariable(frame, name.slice(2));
  const found = frame.variables.get(name.slice(1).toLowerCase());
  if (!found) throw raise(137, [name]);
  return constant(found.value, found.type);
}

function literal(value: Expressions['Value']['value']): Typed {
  if (value === 'Null') return nullValue();
  const [kind, body] = nodeOf(value as object);
  if (kind === 'Number') return number(String((body as readonly unknown[])[0]));
  const text = String(body);
  if (kind === 'HexStringLiteral') {
    const bytes = Buffer.from(text.length % 2 === 0 ? text : `0${text}`, 'hex');
    return constant(bytes, { name: 'varbinary', length: Math.max(1, bytes.length) });
  }
  const name = kind === 'NationalStringLiteral' ? 'nvarchar' : 'varchar';
  return constant(text, { name, length: text.length > 8000 ? -1 : Math.max(1, text.length) });
}

function number(text: string): Typed {
  if (/e/i.test(text)) return constant(Number(text), { name: 'float' });
  const [, whole = '', fraction] = /^(\d*)(?:\.(\d*))?$/.exec(text) ?? [];
  const value = Number(text);
  if (fraction === undefined && value < 2 ** 31) return constant(value, INT);
  const scale = fraction?.length ?? 0;
  const type: SqlType = { name: 'decimal', precision: Math.max(1, whole.length + scale), scale };
  if (fraction !== undefined) return constant(value, type);
  return constant(Number.isSafeInteger(value) ? value : BigInt(text), { name: 'bigint' });
}

/** CAST and CONVERT; a conversion that is only tried gives NULL where it fails. */
function converted(
  { type: from, value, isNull: isNullWord }: Typed,
  to: SqlType,
  { isTry, style = 0 }: { readonly isTry: boolean; readonly style?: number | undefined },
): Typed {
  if (isNullWord) return { type: to, value: () => null };
  const convert = (env: Env): SqlValue => {
    try {
      return convertValue(value(env), { from, to, style });
    } catch (error) {
      if (isTry && error instanceof SqlServerError) return null;
      throw error;
    }
  };
  return { type: to, value: convert };
}
