import { raise } from '../engine/sql-server-error.ts';
import type { Expression, FromItem, JoinKind, JsonColumn } from './ast.ts';
import { parseDataType } from './parse-data-type.ts';
import { parseExpressions, parseNameParts } from './parse-expression.ts';
import { parsePredicate } from './parse-predicate.ts';
import { parseColumnNames, parseQuery, skipParentheses } from './parse-query.ts';
import type { TokenCursor } from './token-cursor.ts';

const JOINS: readonly (readonly [words: readonly string[], join: JoinKind])[] = [
  [['JOIN'], 'inner'],
  [['INNER', 'JOIN'], 'inner'],
  [['LEFT', 'JOIN'], 'left'],
  [['LEFT', 'OUTER', 'JOIN'], 'left'],
  [['RIGHT', 'JOIN'], 'right'],
  [['RIGHT', 'OUTER', 'JOIN'], 'right'],
  [['FULL', 'JOIN'], 'full'],
  [['FULL', 'OUTER', 'JOIN'], 'full'],
  [['CROSS', 'JOIN'], 'cross'],
  [['CROSS', 'APPLY'], 'cross apply'],
  [['OUTER', 'APPLY'], 'outer apply'],
];

/** Reads what follows FROM: relations and joins, in one or several items between commas. */
export function parseFrom(cursor: TokenCursor): readonly FromItem[] {
  const items = [parseJoins(cursor)];
  while (cursor.accept(',')) items.push(parseJoins(cursor));
  return items;
}

function parseJoins(cursor: TokenCursor): FromItem {
  let left = parseSource(cursor);
  for (;;) {
    const join = JOINS.find(([words]) => cursor.accept(...words))?.[1];
    if (!join) return left;
    const hasCondition = !join.startsWith('cross') && !join.endsWith('apply');
    // A join without its ON yet holds the next one: a JOIN b JOIN c ON … ON …
    const right = hasCondition ? parseRightSide(cursor) : parseSource(cursor);
    if (hasCondition) cursor.expect('ON');
    const on = hasCondition ? parsePredicate(cursor) : undefined;
    left = { kind: 'join', join, left, right, on };
  }
}

function parseRightSide(cursor: TokenCursor): FromItem {
  const source = parseSource(cursor);
  if (cursor.sees('ON')) return source;
  const join = JOINS.find(([words]) => cursor.accept(...words))?.[1];
  if (!join) throw cursor.syntaxError();
  const right = parseRightSide(cursor);
  cursor.expect('ON');
  return { kind: 'join', join, left: source, right, on: parsePredicate(cursor) };
}

function parseSource(cursor: TokenCursor): FromItem {
  if (cursor.sees('(')) return parseDerived(cursor);
  const { line, kind } = cursor.peek();
  const parts = kind === 'variable' ? [cursor.next().text] : parseNameParts(cursor);
  if (cursor.sees('(')) return parseFunction(cursor, parts, line);
  const early = parseHints(cursor);
  const alias = parseAlias(cursor);
  if (!early) parseHints(cursor);
  return { kind: 'relation', parts, alias, line };
}

/** `( SELECT … ) a`, `( VALUES … ) a (b, c)`, or a join in parentheses. */
function parseDerived(cursor: TokenCursor): FromItem {
  cursor.expect('(');
  const isValues = cursor.sees('VALUES');
  if (!isValues && !cursor.sees('SELECT') && !cursor.sees('WITH') && !cursor.sees('(')) {
    const inner = parseJoins(cursor);
    cursor.expect(')');
    return inner;
  }
  const source = isValues ? parseValues(cursor) : parseQuery(cursor);
  cursor.expect(')');
  const { line } = cursor.peek();
  const alias = parseAlias(cursor);
  if (alias === undefined) throw cursor.syntaxError();
  const columnNames = parseColumnNames(cursor);
  if (isValues && columnNames.length === 0) throw raise(8155, [1, alias], { line });
  return { kind: 'derived', source, alias, columnNames };
}

/** Reads `VALUES (…), (…)`. */
export function parseValues(cursor: TokenCursor): readonly (readonly Expression[])[] {
  cursor.expect('VALUES');
  const rows: (readonly Expression[])[] = [];
  do {
    cursor.expect('(');
    rows.push(parseExpressions(cursor));
    cursor.expect(')');
  } while (cursor.accept(','));
  return rows;
}

function parseFunction(cursor: TokenCursor, parts: readonly string[], line: number): FromItem {
  cursor.expect('(');
  const args = cursor.sees(')') ? [] : parseExpressions(cursor);
  cursor.expect(')');
  const isOpenJson = parts.length === 1 && parts[0]?.toUpperCase() === 'OPENJSON';
  const schema = isOpenJson && cursor.accept('WITH') ? parseJsonColumns(cursor) : [];
  const alias = parseAlias(cursor);
  const columnNames = alias === undefined ? [] : parseColumnNames(cursor);
  return { kind: 'function', parts, args, alias, columnNames, schema, line };
}

function parseJsonColumns(cursor: TokenCursor): readonly JsonColumn[] {
  const columns: JsonColumn[] = [];
  cursor.expect('(');
  do {
    const name = cursor.identifier();
    const type = parseDataType(cursor, 'declaration');
    const isPath = cursor.peek().kind === 'string' || cursor.peek().kind === 'unicode-string';
    const path = isPath ? cursor.next().value : undefined;
    cursor.accept('AS', 'JSON');
    columns.push({ name, type, path });
  } while (cursor.accept(','));
  cursor.expect(')');
  return columns;
}

function parseAlias(cursor: TokenCursor): string | undefined {
  if (cursor.accept('AS')) return cursor.identifier();
  return cursor.seesIdentifier() ? cursor.identifier() : undefined;
}

/** `WITH (NOLOCK)` and `(NOLOCK)`. */
function parseHints(cursor: TokenCursor): boolean {
  const isThere = cursor.sees('WITH', '(');
  if (isThere) {
    cursor.next();
    skipParentheses(cursor);
  }
  return isThere;
}
