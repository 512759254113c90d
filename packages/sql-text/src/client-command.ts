import { sqlTokens } from './sql-tokens.ts';

/** A psql command, which a PostgreSQL server does not support. */
export interface ClientCommand {
  /** Counted from 1. */
  readonly line: number;
  /** Message with what was expected and what was found. */
  readonly message: string;
}

/** Finds the first psql command of an SQL text: `\copy` and other backslash commands, or COPY from or to the client. */
export function findClientCommand(sql: string): ClientCommand | undefined {
  let [first, before] = ['', ''];
  for (const { text, offset } of sqlTokens(sql)) {
    const word = text.toUpperCase();
    if (first === '') first = word;
    const isCopy =
      first === 'COPY' && ['FROM', 'TO'].includes(before) && ['STDIN', 'STDOUT'].includes(word);
    if (isCopy || word === '\\') {
      const found = isCopy ? `COPY ${before} ${word}` : 'a command of psql, which begins with \\';
      const message = `expected SQL that PostgreSQL runs by itself, found ${found}; write INSERT, or run it with psql by hand`;
      return { line: sql.slice(0, offset).split('\n').length, message };
    }
    before = word;
    if (word === ';') first = '';
  }
  return undefined;
}
