import { sqlTokens } from '@cdc-migrations/sql-text';

/** A statement of an SQL text, without the semicolon. */
export interface Statement {
  /** Start of the statement in the text. */
  readonly offset: number;
  readonly text: string;
}

/**
 * Splits an SQL text into statements at the same places as psql. Used to count the statements that ran, to find the one
 * that failed, and to refuse several where only one is allowed.
 */
export function splitStatements(sql: string): readonly Statement[] {
  const statements: Statement[] = [];
  let start: number | undefined;
  let end = 0;
  let parentheses = 0;
  let blocks = 0;
  let before = '';
  for (const { text: token, offset } of sqlTokens(sql)) {
    const isQuoted = token.startsWith('$') && token.length > 1;
    if (token === ';' && parentheses === 0 && blocks === 0) {
      if (start !== undefined) statements.push({ offset: start, text: sql.slice(start, end) });
      start = undefined;
      before = '';
      continue;
    }
    start ??= offset;
    const word = isQuoted ? '' : token.toUpperCase();
    if (token === '(') parentheses++;
    else if (token === ')') parentheses--;
    else blocks += depthChange(word, before, blocks);
    before = word;
    end = offset + token.length;
  }
  if (start !== undefined) statements.push({ offset: start, text: sql.slice(start, end) });
  return statements;
}

/** Returns the change of nesting depth. A function body `BEGIN ATOMIC … END` contains semicolons and CASE … END. */
function depthChange(word: string, before: string, blocks: number): number {
  if (word === 'ATOMIC' && before === 'BEGIN') return 1;
  if (blocks === 0) return 0;
  return word === 'CASE' ? 1 : word === 'END' ? -1 : 0;
}
