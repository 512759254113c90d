import { sqlTokens, type SqlToken } from '@cdc-migrations/sql-text';
import type { Insert, Written } from './insert.ts';

/**
 * Parses the INSERT statements of an SQL text, with the values of the first row. Skips everything else.
 *
 * @param lineAt returns the line in the file for an offset in the text
 */
export function parseSqlInserts(
  sql: string,
  lineAt: (offset: number) => number,
): readonly Insert[] {
  const tokens = [...sqlTokens(sql)];
  const inserts: Insert[] = [];
  for (let at = 0; at < tokens.length - 1; at++) {
    if (!isWord(tokens[at], 'INSERT') || !isWord(tokens[at + 1], 'INTO')) continue;
    const insert = parseInsert(tokens, at + 2, lineAt);
    if (!insert) continue;
    const conflict = findConflict(tokens, at + 2, lineAt);
    inserts.push({ ...insert, ...(conflict && { conflict }), line: lineAt(tokens[at]!.offset) });
  }
  return inserts;
}

function parseInsert(
  tokens: readonly SqlToken[],
  start: number,
  lineAt: (offset: number) => number,
): Omit<Insert, 'line'> | undefined {
  let at = start;
  let table = '';
  while (tokens[at] && !'(;'.includes(tokens[at]!.text) && !isClause(tokens[at]!)) {
    table += tokens[at++]!.text;
  }
  if (table === '') return undefined;
  while (tokens[at] && !'(;'.includes(tokens[at]!.text) && !isWord(tokens[at], 'VALUES')) at++;
  if (tokens[at]?.text !== '(') return { table };
  const written = (item: readonly SqlToken[]): Written => ({
    text: item.map(({ text }) => text).join(''),
    line: lineAt(item[0]?.offset ?? tokens[at]!.offset),
  });
  const names = readList(tokens, at);
  const columns = names.items.map(written);
  const open = names.end + 1;
  if (!isWord(tokens[names.end], 'VALUES') || tokens[open]?.text !== '(') return { table, columns };
  return { table, columns, values: readList(tokens, open).items.map(written), language: 'sql' };
}

/** Finds the `ON CONFLICT` clause of the statement that continues at `start`. */
function findConflict(
  tokens: readonly SqlToken[],
  start: number,
  lineAt: (offset: number) => number,
): Written | undefined {
  for (let at = start; at < tokens.length; at++) {
    const [token, next] = [tokens[at]!, tokens[at + 1]];
    if (token.text === ';' || (isWord(token, 'INSERT') && isWord(next, 'INTO'))) return undefined;
    if (isWord(token, 'ON') && isWord(next, 'CONFLICT')) {
      return { text: 'ON CONFLICT', line: lineAt(token.offset) };
    }
  }
  return undefined;
}

function isWord(token: SqlToken | undefined, word: string): boolean {
  return token?.text.toUpperCase() === word;
}

/** Returns true for a keyword that may follow the name of a table. */
function isClause(token: SqlToken): boolean {
  return ['AS', 'VALUES', 'SELECT', 'DEFAULT', 'OVERRIDING'].some((word) => isWord(token, word));
}

/** Reads the items of a list in parentheses that opens at `open`, and the position after it. */
function readList(
  tokens: readonly SqlToken[],
  open: number,
): { readonly items: readonly (readonly SqlToken[])[]; readonly end: number } {
  const items: SqlToken[][] = [[]];
  let depth = 0;
  for (let at = open; at < tokens.length; at++) {
    const token = tokens[at]!;
    if ('([{'.includes(token.text)) depth++;
    if (')]}'.includes(token.text)) depth--;
    if (depth === 0) return { items, end: at + 1 };
    if (token.text === ',' && depth === 1) items.push([]);
    else if (at > open) items.at(-1)!.push(token);
  }
  return { items, end: tokens.length };
}
