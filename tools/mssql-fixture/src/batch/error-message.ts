import { SqlServerError } from '../engine/sql-server-error.ts';
import type { ServerMessage } from '../tds/tokens.ts';

/** An error as the client gets it. */
export function errorMessage(error: SqlServerError): ServerMessage {
  const { number, severity, state, procedure, line } = error;
  return { number, severity, state, procedure, line, text: error.message };
}

/** A message that is no error. */
export function infoMessage(text: string, procedure = ''): ServerMessage {
  return { number: 0, severity: 0, state: 1, text, procedure, line: 1 };
}

/**
 * An error of SQLite means T-SQL that is not translated right: it comes as 102, with what SQLite said. Anything else
 * is thrown on.
 */
export function asServerError(error: unknown): SqlServerError {
  if (error instanceof SqlServerError) return error;
  if (!(error instanceof Error) || error.name === 'AbortError') throw error;
  if (error instanceof TypeError || error instanceof RangeError) throw error;
  const text = `Incorrect syntax: the fixture cannot run this statement (${error.message}).`;
  return new SqlServerError(102, text, 15);
}
