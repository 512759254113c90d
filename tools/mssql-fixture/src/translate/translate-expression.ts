import { raise } from '../engine/sql-server-error.ts';
import { familyOf, nvarchar, type SqlType } from '../tds/sql-type.ts';
import type { Expression } from '../tsql/ast.ts';
import { resolveColumn } from './resolve-column.ts';
import { bind, type Scope, type Translation } from './translation.ts';
import { translateCall } from './translate-call.ts';
import { translatePredicate } from './translate-predicate.ts';
import { translateSubquery } from './translate-query.ts';
import { castSql, commonType, quoteText, type TypedSql } from './typed-sql.ts';

type Translate<K extends Expression['kind']> = (
  expression: Extract<Expression, { kind: K }>,
  scope: Scope,
  translation: Translation,
) => TypedSql;

const TRANSLATE: { readonly [K in Expression['kind']]: Translate<K> } = {
  literal: ({ value, type }) => translateLiteral(value, type),
  variable: ({ name, line }, _scope, translation) => {
    const variable = translation.environment.variable(name);
    if (!variable) throw raise(137, [`@${name}`], { line });
    const { type, value } = variable;
    const text = typeof value === 'string' ? { text: value } : {};
    return { sql: bind(translation, value), type, ...text };
  },
  global: ({ name, line }, _scope, translation) => {
    const value = translation.environment.global(name.toLowerCase());
    if (value === undefined) throw raise(137, [`@@${name}`], { line });
    const type: SqlType = typeof value === 'string' ? nvarchar(300) : { name: 'int' };
    return { sql: bind(translation, value), type };
  },
  column: ({ parts, line }, scope) => resolveColumn(scope, parts, line),
  unary: ({ operator, operand }, scope, translation) => {
    const value = translateExpression(operand, scope, translation);
    return { sql: `(${operator}${value.sql})`, type: value.type };
  },
  binary: (expression, scope, translation) => translateBinary(expression, scope, translation),
  collate: ({ operand, collation }, scope, translation) => {
    const isBinary = /_BIN2?$|_CS_/i.test(collation);
    const value = translateExpression(operand, scope, translation);
    return { ...value, collation: isBinary ? 'BINARY' : 'NOCASE' };
  },
  case: ({ branches, otherwise }, scope, translation) => {
    const whens = branches.map(({ when }) => translatePredicate(when, scope, translation));
    const thens = branches.map(({ then }) => translateExpression(then, scope, translation));
    const rest = otherwise && translateExpression(otherwise, scope, translation);
    const type = commonType(rest ? [...thens, rest] : thens);
    const text = whens.map((when, i) => `WHEN ${when} THEN ${asType(thens[i], type)}`).join(' ');
    return { sql: `CASE ${text} ELSE ${rest ? asType(rest, type) : 'NULL'} END`, type };
  },
  cast: ({ operand, type, style, isTry }, scope, translation) => {
    const value = translateExpression(operand, scope, translation);
    const styleSql = style && translateExpression(style, scope, translation).sql;
    return { sql: castSql(value, type, styleSql ?? '0', isTry), type };
  },
  call: (expression, scope, translation) => translateCall(expression, scope, translation),
  subquery: ({ query }, scope, translation) => translateSubquery(query, scope, translation),
};

/** An expression as SQLite runs it, with the type that SQL Server gives it. */
export function translateExpression(
  expression: Expression,
  scope: Scope,
  translation: Translation,
): TypedSql {
  // An expression that is grouped by may be used as it is, whatever columns it has.
  if (scope.groups && expression.kind !== 'column') {
    const ungrouped = { ...scope, groups: undefined };
    const before = translation.parameters.length;
    const whole = dispatch(expression, ungrouped, translation);
    if (scope.groups.has(whole.sql)) return whole;
    translation.parameters.length = before;
  }
  return dispatch(expression, scope, translation);
}

function dispatch(expression: Expression, scope: Scope, translation: Translation): TypedSql {
  const translate = TRANSLATE[expression.kind] as Translate<Expression['kind']>;
  return translate(expression, scope, translation);
}

function asType(value: TypedSql | undefined, type: SqlType): string {
  if (!value) return 'NULL';
  return familyOf(value.type) === familyOf(type) ? value.sql : castSql(value, type);
}

function translateLiteral(
  value: Extract<Expression, { kind: 'literal' }>['value'],
  type: SqlType,
): TypedSql {
  if (value === null) return { sql: 'NULL', type, isNull: true };
  if (typeof value === 'string') return { sql: quoteText(value), type, text: value };
  if (value instanceof Uint8Array) {
    return { sql: `x'${Buffer.from(value).toString('hex')}'`, type };
  }
  return { sql: String(value), type };
}

function translateBinary(
  { operator, left, right }: Extract<Expression, { kind: 'binary' }>,
  scope: Scope,
  translation: Translation,
): TypedSql {
  const a = translateExpression(left, scope, translation);
  const b = translateExpression(right, scope, translation);
  if (operator === '+' && isText(a, b)) return concatenated(a, b);
  const type = commonType([a, b]);
  if (operator === '+' && familyOf(type) === 'bytes') {
    return { sql: `ts_concat_bytes(${a.sql}, ${b.sql})`, type: { name: 'varbinary', length: -1 } };
  }
  if (familyOf(type) === 'time' && (operator === '+' || operator === '-')) {
    return { sql: `ts_dateadd('day', ${operator}(${b.sql}), ${a.sql})`, type };
  }
  const [x, y] = [numberSql(a, type), numberSql(b, type)];
  if (operator === '^') return { sql: `((${x} | ${y}) - (${x} & ${y}))`, type };
  if (operator === '/' || operator === '%') {
    const isExact = type.name === 'decimal' || type.name === 'numeric';
    const exact: SqlType = isExact ? { ...type, precision: 38, scale: 6 } : type;
    const dividend = isExact ? `CAST(${x} AS REAL)` : x;
    return { sql: `(${dividend} ${operator} ts_divisor(${y}))`, type: exact };
  }
  return { sql: `(${x} ${operator} ${y})`, type: widened(type) };
}

/** Whether `+` joins texts: no number is among its sides. */
function isText(a: TypedSql, b: TypedSql): boolean {
  const families = [a, b].filter((side) => !side.isNull).map((side) => familyOf(side.type));
  return families.length > 0 && families.every((family) => family === 'text' || family === 'guid');
}

function concatenated(a: TypedSql, b: TypedSql): TypedSql {
  const type = commonType([a, b]);
  const lengths = [a.type.length ?? 0, b.type.length ?? 0];
  const isMax = lengths.some((length) => length < 0);
  const room = type.name.startsWith('n') ? 4000 : 8000;
  const length = isMax ? -1 : Math.min(room, (lengths[0] ?? 0) + (lengths[1] ?? 0));
  const name = type.name.startsWith('n') ? 'nvarchar' : 'varchar';
  return { sql: `(${a.sql} || ${b.sql})`, type: { name, length } };
}

function numberSql(side: TypedSql, type: SqlType): string {
  return familyOf(side.type) === 'text' && familyOf(type) === 'number'
    ? castSql(side, type)
    : side.sql;
}

/** A bit in arithmetic is an int. */
function widened(type: SqlType): SqlType {
  if (type.name === 'bit') return { name: 'int' };
  return type.scale === undefined ? type : { ...type, precision: 38 };
}
