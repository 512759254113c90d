import type { CallExpression, Expression, OrderItem, Window } from './ast.ts';
import { parseDataType } from './parse-data-type.ts';
import { parseExpression, parseExpressions } from './parse-expression.ts';
import { parsePredicate } from './parse-predicate.ts';
import type { TokenCursor } from './token-cursor.ts';

/** Reserved words that are functions, with parentheses or without. */
const RESERVED_FUNCTIONS = new Set([
  'LEFT',
  'RIGHT',
  'COALESCE',
  'NULLIF',
  'CONVERT',
  'TRY_CONVERT',
]);
const FUNCTIONS_WITHOUT_PARENTHESES = new Set([
  'CURRENT_TIMESTAMP',
  'CURRENT_USER',
  'SESSION_USER',
  'SYSTEM_USER',
  'USER',
]);

/** Arguments that are bare words, `DATEADD(minute, …)`. */
const FUNCTIONS_OF_A_DATE_PART = new Set([
  'DATEADD',
  'DATEDIFF',
  'DATEDIFF_BIG',
  'DATENAME',
  'DATEPART',
]);

/** Whether a function call comes next. */
export function seesCall(cursor: TokenCursor): boolean {
  const { kind, text } = cursor.peek();
  const upper = kind === 'word' ? text.toUpperCase() : '';
  if (FUNCTIONS_WITHOUT_PARENTHESES.has(upper)) return true;
  if (RESERVED_FUNCTIONS.has(upper)) return cursor.peek(1).text === '(';
  let ahead = 0;
  while (cursor.seesIdentifier(ahead) && cursor.peek(ahead + 1).text === '.') ahead += 2;
  return cursor.seesIdentifier(ahead) && cursor.peek(ahead + 1).text === '(';
}

/** Reads a call, with its DISTINCT, WITHIN GROUP and OVER; CAST, CONVERT and IIF become nodes of their own. */
export function parseCall(cursor: TokenCursor): Expression {
  const { line } = cursor.peek();
  const parts = [cursor.next().value];
  while (cursor.accept('.')) parts.push(cursor.next().value);
  const name = parts.at(-1)?.toUpperCase() ?? '';
  if (parts.length === 1 && FUNCTIONS_WITHOUT_PARENTHESES.has(name)) {
    return call(parts, [], line);
  }
  cursor.expect('(');
  if (parts.length === 1) {
    if (name === 'CAST' || name === 'TRY_CAST') return parseCast(cursor, name === 'TRY_CAST');
    if (name === 'CONVERT' || name === 'TRY_CONVERT')
      return parseConvert(cursor, name !== 'CONVERT');
    if (name === 'IIF') return parseIif(cursor);
    if (FUNCTIONS_OF_A_DATE_PART.has(name)) return parseDateCall(cursor, parts, line);
  }
  if (cursor.accept('*')) {
    cursor.expect(')');
    return { ...call(parts, [], line), isStar: true, over: parseOver(cursor) };
  }
  const isDistinct = cursor.accept('DISTINCT');
  const args = cursor.sees(')') ? [] : parseExpressions(cursor);
  cursor.expect(')');
  const withinGroup = parseWithinGroup(cursor);
  return { ...call(parts, args, line), isDistinct, withinGroup, over: parseOver(cursor) };
}

function call(parts: readonly string[], args: readonly Expression[], line: number): CallExpression {
  const plain = { isStar: false, isDistinct: false, over: undefined, withinGroup: [] };
  return { kind: 'call', parts, args, line, ...plain };
}

function parseCast(cursor: TokenCursor, isTry: boolean): Expression {
  const operand = parseExpression(cursor);
  cursor.expect('AS');
  const type = parseDataType(cursor, 'cast');
  cursor.expect(')');
  return { kind: 'cast', operand, type, style: undefined, isTry };
}

function parseConvert(cursor: TokenCursor, isTry: boolean): Expression {
  const type = parseDataType(cursor, 'cast');
  cursor.expect(',');
  const operand = parseExpression(cursor);
  const style = cursor.accept(',') ? parseExpression(cursor) : undefined;
  cursor.expect(')');
  return { kind: 'cast', operand, type, style, isTry };
}

function parseIif(cursor: TokenCursor): Expression {
  const when = parsePredicate(cursor);
  cursor.expect(',');
  const then = parseExpression(cursor);
  cursor.expect(',');
  const otherwise = parseExpression(cursor);
  cursor.expect(')');
  return { kind: 'case', branches: [{ when, then }], otherwise };
}

function parseDateCall(cursor: TokenCursor, parts: readonly string[], line: number): Expression {
  const part = cursor.next().value.toLowerCase();
  cursor.expect(',');
  const args = parseExpressions(cursor);
  cursor.expect(')');
  const unit: Expression = { kind: 'literal', value: part, type: { name: 'varchar', length: 20 } };
  return call(parts, [unit, ...args], line);
}

function parseWithinGroup(cursor: TokenCursor): readonly OrderItem[] {
  if (!cursor.accept('WITHIN')) return [];
  cursor.expect('GROUP', '(', 'ORDER', 'BY');
  const items = parseOrderItems(cursor);
  cursor.expect(')');
  return items;
}

function parseOver(cursor: TokenCursor): Window | undefined {
  if (!cursor.accept('OVER')) return undefined;
  cursor.expect('(');
  const partitionBy = cursor.accept('PARTITION', 'BY') ? parseExpressions(cursor) : [];
  const orderBy = cursor.accept('ORDER', 'BY') ? parseOrderItems(cursor) : [];
  cursor.expect(')');
  return { partitionBy, orderBy };
}

/** What follows ORDER BY. */
export function parseOrderItems(cursor: TokenCursor): readonly OrderItem[] {
  const items: OrderItem[] = [];
  do {
    const expression = parseExpression(cursor);
    const isDescending = cursor.accept('DESC');
    if (!isDescending) cursor.accept('ASC');
    items.push({ expression, isDescending });
  } while (cursor.accept(','));
  return items;
}
