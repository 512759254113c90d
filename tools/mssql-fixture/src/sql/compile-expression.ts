import { notRun, raise, SqlServerError } from '../engine/sql-server-error.ts';
import { INT, type SqlType, type SqlValue } from '../tds/sql-type.ts';
import { arithmetic, castTo, commonType } from './compare.ts';
import { equality, subquery } from './compile-condition.ts';
import { convertValue } from './convert-value.ts';
import { compileFunction } from './compile-function.ts';
import { NO_ROWS, constant, resolveColumn, type Env, type Scope, type Typed } from './scope.ts';
import { nodeOf, typeOf, type Expression, type Expressions } from './syntax.ts';

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
    if (/^(And|Or|Xor|Eq|NotEq|Lt|Gt|LtEq|GtEq)$/.test(op)) throw raise(102, [op]);
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
        : scope.compile.condition(condition, scope),
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

/** Compiles an expression with a value. Throws SQL Server's errors for invalid names and types. */
export function compileExpression(expression: Expression, scope: Scope): Typed {
  const [kind, body] = nodeOf(expression);
  const compile = VALUES[kind as keyof Expressions] as
    ((node: unknown, scope: Scope) => Typed) | undefined;
  if (!compile) throw raise(102, [kind]);
  return compile(body, scope);
}

function nullValue(): Typed {
  return { ...constant(null, INT), isNull: true };
}

function variable(name: string, { frame }: Scope): Typed {
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

/** Compiles CAST and CONVERT. TRY_CAST and TRY_CONVERT return NULL on failure. */
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
