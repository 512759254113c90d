import { raise } from '../engine/sql-server-error.ts';
import type { Expression, Predicate, Query } from './ast.ts';
import { parseExpression, parseExpressions } from './parse-expression.ts';
import { parseQuery } from './parse-query.ts';
import type { TokenCursor } from './token-cursor.ts';

type CompareOperator = Extract<Predicate, { kind: 'compare' }>['operator'];

const COMPARE: Readonly<Record<string, CompareOperator>> = {
  '=': '=',
  '<>': '<>',
  '!=': '<>',
  '<': '<',
  '>': '>',
  '<=': '<=',
  '>=': '>=',
  '!<': '>=',
  '!>': '<=',
};

/** Reads a condition. Throws 102, 156, and 4145 where a value stands in place of a condition. */
export function parsePredicate(cursor: TokenCursor): Predicate {
  let left = parseAnd(cursor);
  while (cursor.accept('OR')) left = { kind: 'or', left, right: parseAnd(cursor) };
  return left;
}

function parseAnd(cursor: TokenCursor): Predicate {
  let left = parseNot(cursor);
  while (cursor.accept('AND')) left = { kind: 'and', left, right: parseNot(cursor) };
  return left;
}

function parseNot(cursor: TokenCursor): Predicate {
  if (cursor.accept('NOT')) return { kind: 'not', operand: parseNot(cursor) };
  if (cursor.accept('EXISTS')) return { kind: 'exists', query: parseSubquery(cursor) };
  return parseGroup(cursor) ?? parseComparison(cursor);
}

function parseSubquery(cursor: TokenCursor): Query {
  cursor.expect('(');
  const query = parseQuery(cursor);
  cursor.expect(')');
  return query;
}

/** `( condition )`; undefined where the parenthesis opens a value, as in `(a + 1) > b`. */
function parseGroup(cursor: TokenCursor): Predicate | undefined {
  if (!cursor.sees('(')) return undefined;
  return cursor.attempt(() => {
    cursor.expect('(');
    const inner = parsePredicate(cursor);
    cursor.expect(')');
    const { kind, text } = cursor.peek();
    const goesOn = kind === 'operator' && !/^[(),;]$/.test(text);
    return goesOn ? undefined : inner;
  });
}

function parseComparison(cursor: TokenCursor): Predicate {
  const left = parseExpression(cursor);
  const { kind, text } = cursor.peek();
  const operator = kind === 'operator' ? COMPARE[text] : undefined;
  if (operator) {
    cursor.next();
    return { kind: 'compare', operator, left, right: parseExpression(cursor) };
  }
  if (cursor.accept('IS')) {
    const isNegated = cursor.accept('NOT');
    cursor.expect('NULL');
    return { kind: 'is-null', operand: left, isNegated };
  }
  return parseMembership(cursor, left);
}

function parseMembership(cursor: TokenCursor, operand: Expression): Predicate {
  const isNegated = cursor.accept('NOT');
  if (cursor.accept('IN')) {
    cursor.expect('(');
    const isQuery = cursor.sees('SELECT') || cursor.sees('WITH');
    const choices = isQuery ? parseQuery(cursor) : parseExpressions(cursor);
    cursor.expect(')');
    return { kind: 'in', operand, choices, isNegated };
  }
  if (cursor.accept('BETWEEN')) {
    const low = parseExpression(cursor);
    cursor.expect('AND');
    return { kind: 'between', operand, low, high: parseExpression(cursor), isNegated };
  }
  if (cursor.accept('LIKE')) {
    const pattern = parseExpression(cursor);
    const escape = cursor.accept('ESCAPE') ? parseExpression(cursor) : undefined;
    return { kind: 'like', operand, pattern, escape, isNegated };
  }
  if (isNegated) throw cursor.syntaxError();
  const next = cursor.peek();
  const { value, line } = next.kind === 'end' ? cursor.peek(-1) : next;
  throw raise(4145, [value], { line });
}
