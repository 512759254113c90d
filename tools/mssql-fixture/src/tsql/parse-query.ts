import type { Cte, Expression, ForClause, Query, QueryBody, Select, SelectItem } from './ast.ts';
import { parseOrderItems } from './parse-call.ts';
import { parseExpression, parseExpressions, parseNameParts } from './parse-expression.ts';
import { parseFrom } from './parse-from.ts';
import { parsePredicate } from './parse-predicate.ts';
import type { TokenCursor } from './token-cursor.ts';

/** Reads a query: WITH, SELECT and set operators, ORDER BY, OFFSET, FOR and OPTION. */
export function parseQuery(cursor: TokenCursor): Query {
  const ctes = cursor.accept('WITH') ? parseCtes(cursor) : [];
  const body = parseUnion(cursor);
  const orderBy = cursor.accept('ORDER', 'BY') ? parseOrderItems(cursor) : [];
  const offset = cursor.accept('OFFSET') ? parseRowCount(cursor) : undefined;
  const isFetched = cursor.accept('FETCH', 'NEXT') || cursor.accept('FETCH', 'FIRST');
  const fetch = isFetched ? parseRowCount(cursor) : undefined;
  if (isFetched) cursor.expect('ONLY');
  const forClause = cursor.accept('FOR') ? parseFor(cursor) : undefined;
  if (cursor.accept('OPTION')) skipParentheses(cursor);
  return { kind: 'query', ctes, body, orderBy, offset, fetch, forClause };
}

function parseCtes(cursor: TokenCursor): readonly Cte[] {
  const ctes: Cte[] = [];
  do {
    const name = cursor.identifier();
    const columnNames = parseColumnNames(cursor);
    cursor.expect('AS', '(');
    ctes.push({ name, columnNames, query: parseQuery(cursor) });
    cursor.expect(')');
  } while (cursor.accept(','));
  return ctes;
}

/** `(a, b)` after an alias; empty when there is none. */
export function parseColumnNames(cursor: TokenCursor): readonly string[] {
  if (!cursor.accept('(')) return [];
  const names = [cursor.identifier()];
  while (cursor.accept(',')) names.push(cursor.identifier());
  cursor.expect(')');
  return names;
}

function parseUnion(cursor: TokenCursor): QueryBody {
  let left = parseIntersect(cursor);
  for (;;) {
    const operator = cursor.accept('UNION', 'ALL')
      ? 'union all'
      : cursor.accept('UNION')
        ? 'union'
        : cursor.accept('EXCEPT')
          ? 'except'
          : undefined;
    if (!operator) return left;
    left = { kind: 'set', operator, left, right: parseIntersect(cursor) };
  }
}

function parseIntersect(cursor: TokenCursor): QueryBody {
  let left = parseBody(cursor);
  while (cursor.accept('INTERSECT')) {
    left = { kind: 'set', operator: 'intersect', left, right: parseBody(cursor) };
  }
  return left;
}

function parseBody(cursor: TokenCursor): QueryBody {
  if (!cursor.accept('(')) return parseSelect(cursor);
  const query = parseQuery(cursor);
  cursor.expect(')');
  return { kind: 'nested', query };
}

function parseSelect(cursor: TokenCursor): Select {
  cursor.expect('SELECT');
  const isDistinct = cursor.accept('DISTINCT');
  if (!isDistinct) cursor.accept('ALL');
  const top = cursor.accept('TOP') ? parseTop(cursor) : undefined;
  const items = [parseItem(cursor)];
  while (cursor.accept(',')) items.push(parseItem(cursor));
  const into = cursor.accept('INTO') ? parseNameParts(cursor) : undefined;
  const from = cursor.accept('FROM') ? parseFrom(cursor) : [];
  const where = cursor.accept('WHERE') ? parsePredicate(cursor) : undefined;
  const groupBy = cursor.accept('GROUP', 'BY') ? parseExpressions(cursor) : [];
  const having = cursor.accept('HAVING') ? parsePredicate(cursor) : undefined;
  return { kind: 'select', isDistinct, top, items, into, from, where, groupBy, having };
}

function parseTop(cursor: TokenCursor): Expression {
  if (!cursor.sees('(')) {
    if (cursor.peek().kind !== 'number') throw cursor.syntaxError();
    return { kind: 'literal', value: Number(cursor.next().text), type: { name: 'bigint' } };
  }
  cursor.expect('(');
  const top = parseExpression(cursor);
  cursor.expect(')');
  return top;
}

function parseItem(cursor: TokenCursor): SelectItem {
  const { line } = cursor.peek();
  if (cursor.accept('*')) return { kind: 'star', qualifier: [], line };
  const star = cursor.attempt(() => parseQualifiedStar(cursor));
  if (star) return { kind: 'star', qualifier: star, line };
  if (cursor.peek().kind === 'variable' && cursor.peek(1).text === '=') {
    const variable = cursor.next().value;
    cursor.next();
    return { kind: 'assign', variable, expression: parseExpression(cursor) };
  }
  if (cursor.seesIdentifier() && cursor.peek(1).text === '=') {
    const alias = cursor.identifier();
    cursor.next();
    return { kind: 'value', expression: parseExpression(cursor), alias };
  }
  const expression = parseExpression(cursor);
  return { kind: 'value', expression, alias: parseAlias(cursor) };
}

function parseQualifiedStar(cursor: TokenCursor): readonly string[] | undefined {
  const parts: string[] = [];
  while (cursor.seesIdentifier() && cursor.peek(1).text === '.') {
    parts.push(cursor.identifier());
    cursor.next();
  }
  return parts.length > 0 && cursor.accept('*') ? parts : undefined;
}

/** An alias, with AS or without, as an identifier or a string. */
function parseAlias(cursor: TokenCursor): string | undefined {
  const isSaid = cursor.accept('AS');
  const isText = cursor.peek().kind === 'string' || cursor.peek().kind === 'unicode-string';
  if (isText) return cursor.next().value;
  if (isSaid || cursor.seesIdentifier()) return cursor.identifier();
  return undefined;
}

function parseRowCount(cursor: TokenCursor): Expression {
  const count = parseExpression(cursor);
  if (!cursor.accept('ROWS')) cursor.expect('ROW');
  return count;
}

function parseFor(cursor: TokenCursor): ForClause {
  if (cursor.accept('XML', 'PATH')) {
    const element = parseTextArgument(cursor) ?? 'row';
    cursor.accept(',', 'TYPE');
    return { kind: 'xml', element };
  }
  cursor.expect('JSON');
  if (!cursor.accept('PATH')) cursor.expect('AUTO');
  let root: string | undefined;
  let includesNulls = false;
  let hasArray = true;
  while (cursor.accept(',')) {
    if (cursor.accept('INCLUDE_NULL_VALUES')) includesNulls = true;
    else if (cursor.accept('WITHOUT_ARRAY_WRAPPER')) hasArray = false;
    else {
      cursor.expect('ROOT');
      root = parseTextArgument(cursor) ?? 'root';
    }
  }
  return { kind: 'json', root, includesNulls, hasArray };
}

function parseTextArgument(cursor: TokenCursor): string | undefined {
  if (!cursor.accept('(')) return undefined;
  const text = cursor.next().value;
  cursor.expect(')');
  return text;
}

/** Skips `( … )` with whatever is inside: hints do nothing here. */
export function skipParentheses(cursor: TokenCursor): void {
  cursor.expect('(');
  for (let depth = 1; depth > 0;) {
    const { kind, text } = cursor.next();
    if (kind === 'end') throw cursor.syntaxError();
    if (kind === 'operator' && text === '(') depth++;
    if (kind === 'operator' && text === ')') depth--;
  }
}
