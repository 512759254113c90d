import type { SqlServerError } from '../engine/sql-server-error.ts';
import type { ServerMessage } from '../tds/tokens.ts';

/** Converts an error to the message for the client. */
export function errorMessage(error: SqlServerError): ServerMessage {
  const { number, severity, state, line, message: text } = error;
  return { number, severity, state, line, text, procedure: '' };
}
