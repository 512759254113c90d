import { NVARCHAR_MAX, type SqlType } from '../tds/sql-type.ts';
import type { Expression, Query } from './ast.ts';
import { parseCall, seesCall } from './parse-call.ts';
import { parsePredicate } from './parse-predicate.ts';
import { parseQuery } from './parse-query.ts';
import type { TokenCursor } from './token-cursor.ts';

type BinaryOperator = Extract<Expression, { kind: 'binary' }>['operator'];

/** From the loosest to the tightest; T-SQL gives `+ - & | ^` one precedence. */
const PRECEDENCE: readonly (readonly BinaryOperator[])[] = [
  ['+', '-', '&', '|', '^'],
  ['*', '/', '%'],
];

/** Reads an expression. Throws 102 or 156 with the token that does not fit. */
export function parseExpression(cursor: TokenCursor): Expression {
  return parseBinary(cursor, 0);
}

/** One or more expressions between commas. */
export function parseExpressions(cursor: TokenCursor): readonly Expression[] {
  const expressions = [parseExpression(cursor)];
  while (cursor.accept(',')) expressions.push(parseExpression(cursor));
  return expressions;
}

function parseBinary(cursor: TokenCursor, level: number): Expression {
  const operators = PRECEDENCE[level];
  if (!operators) return parseUnary(cursor);
  let left = parseBinary(cursor, level + 1);
  for (;;) {
    const operator = operators.find((candidate) => cursor.accept(candidate));
    if (!operator) return left;
    left = { kind: 'binary', operator, left, right: parseBinary(cursor, level + 1) };
  }
}

function parseUnary(cursor: TokenCursor): Expression {
  for (const operator of ['-', '+', '~'] as const) {
    if (cursor.accept(operator)) return { kind: 'unary', operator, operand: parseUnary(cursor) };
  }
  let operand = parsePrimary(cursor);
  while (cursor.accept('COLLATE')) {
    operand = { kind: 'collate', operand, collation: cursor.next().value };
  }
  return operand;
}

function parsePrimary(cursor: TokenCursor): Expression {
  const { kind, value, line } = cursor.peek();
  switch (kind) {
    case 'string':
      return literal(cursor, { name: 'varchar', length: Math.max(1, value.length) }, value);
    case 'unicode-string':
      return literal(cursor, { name: 'nvarchar', length: Math.max(1, value.length) }, value);
    case 'number':
      return parseNumber(cursor);
    case 'hex': {
      const bytes = Buffer.from(
        value.length % 2 === 0 ? value.slice(2) : `0${value.slice(2)}`,
        'hex',
      );
      return literal(cursor, { name: 'varbinary', length: Math.max(1, bytes.length) }, bytes);
    }
    case 'variable':
      cursor.next();
      return { kind: 'variable', name: value, line };
    case 'global':
      cursor.next();
      return { kind: 'global', name: value, line };
    default:
      return parseNamed(cursor);
  }
}

function literal(cursor: TokenCursor, type: SqlType, value: string | Uint8Array): Expression {
  cursor.next();
  return { kind: 'literal', value, type };
}

function parseNumber(cursor: TokenCursor): Expression {
  const { text } = cursor.next();
  if (/e/i.test(text)) return { kind: 'literal', value: Number(text), type: { name: 'float' } };
  const [whole = '', fraction] = text.split('.');
  if (fraction !== undefined) {
    const precision = Math.max(1, whole.length + fraction.length);
    const type: SqlType = { name: 'numeric', precision, scale: fraction.length };
    return { kind: 'literal', value: Number(text), type };
  }
  const isInt = Number(text) <= 2_147_483_647;
  return isInt
    ? { kind: 'literal', value: Number(text), type: { name: 'int' } }
    : { kind: 'literal', value: BigInt(text), type: { name: 'bigint' } };
}

function parseNamed(cursor: TokenCursor): Expression {
  if (cursor.accept('NULL')) return { kind: 'literal', value: null, type: { name: 'int' } };
  if (cursor.sees('(')) return parseParenthesized(cursor);
  if (cursor.accept('CASE')) return parseCase(cursor);
  if (seesCall(cursor)) return parseCall(cursor);
  const { line } = cursor.peek();
  return { kind: 'column', parts: parseNameParts(cursor), line };
}

function parseParenthesized(cursor: TokenCursor): Expression {
  if (cursor.sees('(', 'SELECT') || cursor.sees('(', 'WITH')) {
    cursor.expect('(');
    const query = parseQuery(cursor);
    cursor.expect(')');
    return parseXmlValue(cursor, query) ?? { kind: 'subquery', query };
  }
  cursor.expect('(');
  const inner = parseExpression(cursor);
  cursor.expect(')');
  return inner;
}

/** `(SELECT … FOR XML PATH(''), TYPE).value('.', 'nvarchar(max)')` is the text of the query. */
function parseXmlValue(cursor: TokenCursor, query: Query): Expression | undefined {
  if (!cursor.sees('.', 'value', '(')) return undefined;
  cursor.expect('.', 'value', '(');
  parseExpressions(cursor);
  cursor.expect(')');
  const operand: Expression = { kind: 'subquery', query };
  return { kind: 'cast', operand, type: NVARCHAR_MAX, style: undefined, isTry: false };
}

function parseCase(cursor: TokenCursor): Expression {
  const operand = cursor.sees('WHEN') ? undefined : parseExpression(cursor);
  const branches: Extract<Expression, { kind: 'case' }>['branches'][number][] = [];
  while (cursor.accept('WHEN')) {
    const when = operand
      ? {
          kind: 'compare' as const,
          operator: '=' as const,
          left: operand,
          right: parseExpression(cursor),
        }
      : parsePredicate(cursor);
    cursor.expect('THEN');
    branches.push({ when, then: parseExpression(cursor) });
  }
  if (branches.length === 0) throw cursor.syntaxError();
  const otherwise = cursor.accept('ELSE') ? parseExpression(cursor) : undefined;
  cursor.expect('END');
  return { kind: 'case', branches, otherwise };
}

/** Reads `a.b.c`; two dots in a row leave a part empty. */
export function parseNameParts(cursor: TokenCursor): readonly string[] {
  const parts = [cursor.identifier()];
  while (cursor.accept('.')) {
    if (cursor.sees('.')) parts.push('');
    else if (cursor.seesIdentifier() || cursor.peek().kind === 'word')
      parts.push(cursor.next().value);
    else throw cursor.syntaxError();
  }
  return parts;
}
