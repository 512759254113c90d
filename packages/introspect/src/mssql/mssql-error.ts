import {
  errorsIn,
  findConnectionFailure,
  findSystemError,
  type ConnectionFailure,
} from '@cdc-migrations/session';
import {
  connectionError,
  ConnectionLostError,
  EncryptionError,
  LoginRefusedError,
  PermissionDeniedError,
  SourceError,
  SourceQueryError,
  SourceTimeoutError,
  UnknownDatabaseError,
} from '../source-error.ts';
import type { SourceDatabase } from '../source-database.ts';

/** An error message of the server. https://learn.microsoft.com/sql/relational-databases/errors-events/database-engine-events-and-errors */
export interface ServerMessage {
  readonly number: number;
  readonly message: string;
}

/** Error numbers by meaning. 4060 comes together with 18456. */
const CANNOT_OPEN_DATABASE = [4060, 911, 916, 942, 945, 40532];
const LOGIN_FAILED = [
  18401, 18450, 18451, 18452, 18456, 18458, 18461, 18470, 18486, 18487, 18488, 40615,
];
const NO_PERMISSION = [229, 230, 262, 297, 300, 15247, 21089, 22902, 22904];

/** Converts an error of connecting to a SourceError. */
export function mssqlConnectError(
  source: SourceDatabase,
  cause: unknown,
  messages: readonly ServerMessage[],
  timeoutMs: number,
): SourceError {
  const options = { cause };
  const system = findSystemError(cause);
  const failure = system && findConnectionFailure(system.code);
  if (errorsIn(cause).some(({ name }) => name === 'PlainServerError'))
    return new EncryptionError(source, 'not offered', options);
  const message = system?.message ?? '';
  const toError = (why: ConnectionFailure) =>
    connectionError(source, { failure: why, message, timeoutMs }, options);
  if (failure === 'untrusted certificate') return toError(failure);
  const said = messages.find(({ number }) => CANNOT_OPEN_DATABASE.includes(number));
  if (said) return new UnknownDatabaseError(source, options);
  const refused = messages.find(({ number }) => LOGIN_FAILED.includes(number));
  if (refused) return new LoginRefusedError(source, refused.message.replace(/\.$/, ''), options);
  const [first] = messages;
  if (first) return new SourceQueryError(source, String(first.number), first.message, options);
  return failure ? toError(failure) : new ConnectionLostError(source, options);
}

/** Converts an error of a query to a SourceError. */
export function mssqlQueryError(
  source: SourceDatabase,
  cause: unknown,
  timeoutMs: number,
): SourceError {
  if (cause instanceof SourceError) return cause;
  const options = { cause };
  const [first] = serverErrors(cause);
  if (!first) {
    return findSystemError(cause)?.code === 'ETIMEOUT'
      ? new SourceTimeoutError(source, 'query', timeoutMs, options)
      : new ConnectionLostError(source, options);
  }
  if (CANNOT_OPEN_DATABASE.includes(first.number)) return new UnknownDatabaseError(source, options);
  return NO_PERMISSION.includes(first.number)
    ? new PermissionDeniedError(source, first.message.replace(/\.$/, ''), options)
    : new SourceQueryError(source, String(first.number), first.message, options);
}

/** Lists the server's errors within a driver's error, in the order of the server. */
function serverErrors(error: unknown): readonly ServerMessage[] {
  return errorsIn(error).flatMap(({ number, message }) =>
    typeof number === 'number' ? [{ number, message }] : [],
  );
}
