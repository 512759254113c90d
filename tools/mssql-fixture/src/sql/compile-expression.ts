import { notRun, raise } from '../engine/sql-server-error.ts';
import { BIGINT, INT, type SqlValue } from '../tds/sql-type.ts';
import { compileAggregate } from './aggregate.ts';
import { arithmetic, castTo, commonType, comparison } from './compare.ts';
import { compileCondition, subquery } from './compile-condition.ts';
import { convertValue } from './convert-value.ts';
import { FUNCTIONS } from './functions.ts';
import { constant, resolveColumn, type Env, type Scope, type Typed } from './scope.ts';
import {
  argumentsOf,
  checkRead,
  nodeOf,
  partsOf,
  typeOf,
  type Expression,
  type Expressions,
  type FunctionNode,
} from './syntax.ts';

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
  Nested: compileExpression,
  Collate: ({ expr, collation }, scope) => {
    const name = partsOf(collation).at(-1) ?? '';
    if (!/_CI_/.test(name)) throw notRun(`COLLATE ${name}`);
    return compileExpression(expr, scope);
  },
  UnaryOp: ({ op, expr }, scope) => {
    if (op !== 'Minus') throw raise(102, [op]);
    const operand = compileExpression(expr, scope);
    return arithmetic('Minus', constant(0, operand.type), operand);
  },
  BinaryOp: ({ left, op, right }, scope) =>
    arithmetic(op, compileExpression(left, scope), compileExpression(right, scope)),
  Subquery: (query, scope) => {
    const { column, first } = subquery(query, scope);
    return { type: column.type, value: (env) => first(env)?.[0] ?? null };
  },
  Case: ({ operand, conditions, else_result }, scope) => {
    const subject = operand && compileExpression(operand, scope);
    const branches = conditions.map(({ condition, result }) => ({
      isTrue: subject
        ? isEqual(subject, compileExpression(condition, scope))
        : compileCondition(condition, scope),
      result: compileExpression(result, scope),
    }));
    const otherwise = else_result ? compileExpression(else_result, scope) : NULL;
    const type = commonType([...branches.map(({ result }) => result), otherwise]);
    const results = branches.map(({ isTrue, result }) => ({ isTrue, ...castTo(result, type) }));
    const last = castTo(otherwise, type);
    return {
      type,
      value: (env) => (results.find(({ isTrue }) => isTrue(env) === true) ?? last).value(env),
    };
  },
  Cast: ({ expr, data_type }, scope) => compileConversion(expr, scope, { data_type }),
  Convert: ({ expr, data_type, styles: [style] }, scope) =>
    compileConversion(expr, scope, {
      data_type,
      style: style && Number(compileExpression(style, scope).constant),
    }),
  Substring: ({ expr, substring_from, substring_for }, scope) => {
    const text = compileExpression(expr, scope);
    const [from, count] = [substring_from, substring_for].map((part) =>
      Number(compileExpression(part, scope).constant),
    );
    if (!from || !count) throw notRun('SUBSTRING without constants');
    const slice = (value: SqlValue): SqlValue =>
      value === null
        ? null
        : (value instanceof Uint8Array ? value : String(value)).slice(from - 1, from - 1 + count);
    return { type: text.type, value: (env) => slice(text.value(env)) };
  },
  Function: compileFunction,
};

/** Compiles an expression with a value. Throws SQL Server's errors for invalid names and types. */
export function compileExpression(expression: Expression, scope: Scope): Typed {
  const [kind, body] = nodeOf(expression);
  const compile = VALUES[kind as keyof Expressions] as
    ((node: unknown, scope: Scope) => Typed) | undefined;
  if (!compile) throw raise(102, [kind]);
  return compile(body, scope);
}

/** The word NULL. */
const NULL: Typed = { ...constant(null, INT), isNull: true };

function isEqual(left: Typed, right: Typed): (env: Env) => boolean {
  const compare = comparison(left, right);
  return (env) => compare(env) === 0;
}

function variable(name: string, { frame }: Scope): Typed {
  const found = frame.variables.get(name.slice(1).toLowerCase());
  if (!found) throw raise(137, [name]);
  return constant(found.value, found.type);
}

function literal(value: Expressions['Value']['value']): Typed {
  if (value === 'Null') return NULL;
  const [kind, body] = nodeOf(value as object);
  const text = String(kind === 'Number' ? (body as readonly unknown[])[0] : body);
  if (kind === 'Number') {
    if (!/^\d+$/.test(text)) throw notRun(`the number ${text}`);
    return constant(Number(text), Number(text) < 2 ** 31 ? INT : BIGINT);
  }
  if (kind === 'HexStringLiteral') {
    const bytes = Buffer.from(text, 'hex');
    return constant(bytes, { name: 'varbinary', length: bytes.length });
  }
  const name = kind === 'NationalStringLiteral' ? 'nvarchar' : 'varchar';
  return constant(text, { name, length: text.length > 8000 ? -1 : Math.max(1, text.length) });
}

function compileConversion(
  expression: Expression,
  scope: Scope,
  {
    data_type,
    style,
  }: Pick<Expressions['Cast'], 'data_type'> & { readonly style?: number | undefined },
): Typed {
  const { type: from, value } = compileExpression(expression, scope);
  const to = typeOf(data_type, 'cast');
  return { type: to, value: (env) => convertValue(value(env), { from, to, style }) };
}

/** Compiles a function call. Throws 195 and 4121 for an unknown function. */
function compileFunction(node: FunctionNode, scope: Scope): Typed {
  checkRead(node, ['name', 'args', 'over']);
  const aggregate = compileAggregate(node, scope);
  if (aggregate) return aggregate;
  const parts = partsOf(node.name);
  const name = parts.join('.').toUpperCase();
  const rule = FUNCTIONS[name];
  if (!rule)
    throw parts.length > 1 ? raise(4121, [parts[0] ?? '', parts.join('.')]) : raise(195, [name]);
  const args = argumentsOf(node).map((argument, i) => {
    if (argument === 'Wildcard') throw raise(102, ['*']);
    // The first argument of date functions is a word.
    const isDatePart = i === 0 && /^DATE(ADD|DIFF_BIG|PART)$/.test(name);
    return isDatePart && 'Identifier' in argument
      ? constant(argument.Identifier.value, INT)
      : compileExpression(argument, scope);
  });
  return rule(args, scope.frame);
}
