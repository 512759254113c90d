import {
  ConnectionLostError,
  EncryptionError,
  LoginRefusedError,
  PermissionDeniedError,
  ServerUnreachableError,
  SourceError,
  SourceQueryError,
  SourceTimeoutError,
  UnknownDatabaseError,
  UntrustedCertificateError,
} from '../source-error.ts';
import { isCertificateError } from '@cdc-migrations/config';
import { errorsIn, findSystemError } from '../system-error.ts';
import type { SourceDatabase } from '../source-database.ts';

/** An error message of the server. https://learn.microsoft.com/sql/relational-databases/errors-events/database-engine-events-and-errors */
export interface ServerMessage {
  readonly number: number;
  readonly message: string;
}

/** Numbers of errors by what they mean; 4060 comes together with 18456. */
const CANNOT_OPEN_DATABASE = [4060, 911, 916, 942, 945, 40532];
const LOGIN_FAILED = [
  18401, 18450, 18451, 18452, 18456, 18458, 18461, 18470, 18486, 18487, 18488, 40615,
];
const NO_PERMISSION = [229, 230, 262, 297, 300, 15247, 21089, 22902, 22904];

/** What went wrong while a connection was made, in our words. */
export function mssqlConnectError(
  source: SourceDatabase,
  cause: unknown,
  messages: readonly ServerMessage[],
  timeoutMs: number,
): SourceError {
  const options = { cause };
  const system = findSystemError(cause);
  if (errorsIn(cause).some(({ name }) => name === 'PlainServerError'))
    return new EncryptionError(source, 'not offered', options);
  if (system && isCertificateError(system.code)) {
    return new UntrustedCertificateError(source, system.message, options);
  }
  const said = messages.find(({ number }) => CANNOT_OPEN_DATABASE.includes(number));
  if (said) return new UnknownDatabaseError(source, options);
  const refused = messages.find(({ number }) => LOGIN_FAILED.includes(number));
  if (refused) return new LoginRefusedError(source, refused.message.replace(/\.$/, ''), options);
  const [first] = messages;
  if (first) return new SourceQueryError(source, String(first.number), first.message, options);
  return systemConnectError(source, system, timeoutMs, options);
}

function systemConnectError(
  source: SourceDatabase,
  system: { readonly code: string } | undefined,
  timeoutMs: number,
  options: ErrorOptions,
): SourceError {
  switch (system?.code) {
    case 'ECONNREFUSED':
      return new ServerUnreachableError(source, 'refused', options);
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new ServerUnreachableError(source, 'unknown host', options);
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return new ServerUnreachableError(source, 'no route', options);
    case 'ABORT_ERR':
    case 'ETIMEOUT':
    case 'ETIMEDOUT':
      return new SourceTimeoutError(source, 'connect', timeoutMs, options);
    case 'EENCRYPT':
      return new EncryptionError(source, 'required', options);
    case 'ECONNRESET':
    case 'EPIPE':
      return new ServerUnreachableError(source, 'no database server', options);
    default:
      return system?.code.startsWith('ERR_SSL') || system?.code === 'EPROTO'
        ? new EncryptionError(source, 'failed', options)
        : new ConnectionLostError(source, options);
  }
}

/** What went wrong with a query, in our words. */
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

/** The errors of the server in an error of the driver, in the server's order. */
function serverErrors(error: unknown): readonly ServerMessage[] {
  return errorsIn(error).flatMap(({ number, message }) =>
    typeof number === 'number' ? [{ number, message }] : [],
  );
}
