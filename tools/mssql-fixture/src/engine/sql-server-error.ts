import { readFileSync } from 'node:fs';
import type { ServerMessage } from '../tds/tokens.ts';

/** A message of sys.messages. `%s` is the placeholder for each value. */
interface MessageText {
  readonly number: number;
  readonly severity: number;
  readonly state: number;
  readonly text: string;
}

/**
 * Messages of SQL Server 2019 as listed in
 * https://learn.microsoft.com/sql/relational-databases/errors-events/database-engine-events-and-errors
 */
const MESSAGES: ReadonlyMap<number, MessageText> = new Map(
  (
    JSON.parse(
      readFileSync(new URL('../../data/messages.json', import.meta.url), 'utf8'),
    ) as readonly MessageText[]
  ).map((message) => [message.number, message]),
);

/** An error of SQL Server for the client. */
export class SqlServerError extends Error {
  override readonly name = 'SqlServerError';

  constructor(
    readonly number: number,
    message: string,
    readonly severity: number,
    readonly state = 1,
  ) {
    super(message);
  }
}

/**
 * Builds the error of a number with SQL Server's text and severity. Each `%s` is replaced by the next of `values`.
 * `raise(208, ['dbo.Nothing'])` gives "Invalid object name 'dbo.Nothing'." A number without a text here is its own
 * text.
 */
export function raise(number: number, values: readonly string[] = []): SqlServerError {
  const { severity = 16, state = 1, text = `Error ${number}.` } = MESSAGES.get(number) ?? {};
  let next = 0;
  const message = text.replace(/%s/g, () => values[next++] ?? '');
  return new SqlServerError(number, message, severity, state);
}

/** Builds an error for T-SQL that SQL Server supports and the fixture does not. */
export function notRun(what: string): SqlServerError {
  return new SqlServerError(102, `The fixture does not run ${what}.`, 15);
}

/** Converts an error to the message for the client. */
export function messageOf(error: SqlServerError, procedure = ''): ServerMessage {
  const { number, severity, state, message: text } = error;
  return { number, severity, state, text, procedure, line: 1 };
}
