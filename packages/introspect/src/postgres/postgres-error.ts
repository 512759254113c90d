import {
  demandsEncryption,
  findConnectionFailure,
  findSystemError,
  type SystemError,
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

type Build = (source: SourceDatabase, error: SystemError, options: ErrorOptions) => SourceError;

const refused: Build = (source, { message }, options) =>
  demandsEncryption(message)
    ? new EncryptionError(source, 'required', options)
    : new LoginRefusedError(source, message, options);

/** Errors by SQLSTATE. https://www.postgresql.org/docs/current/errcodes-appendix.html */
const BY_SQLSTATE: Readonly<Record<string, Build>> = {
  '28P01': refused,
  '28000': refused,
  '3D000': (source, _error, options) => new UnknownDatabaseError(source, options),
  '42501': (source, { message }, options) => new PermissionDeniedError(source, message, options),
};

/** Converts an error of a connection or a query to a SourceError. */
export function postgresError(source: SourceDatabase, cause: unknown, timeoutMs: number): Error {
  if (cause instanceof SourceError) return cause;
  const options = { cause };
  const error = findSystemError(cause);
  if (!error) return cause instanceof Error ? cause : new Error(String(cause));
  const { code, message } = error;
  const failure = findConnectionFailure(code);
  if (failure === 'lost') return new ConnectionLostError(source, options);
  if (failure) return connectionError(source, { failure, message, timeoutMs }, options);
  if (code === QUERY_CANCELED) return new SourceTimeoutError(source, 'query', timeoutMs, options);
  return (
    BY_SQLSTATE[code]?.(source, error, options) ??
    new SourceQueryError(source, code, message, options)
  );
}

const QUERY_CANCELED = '57014';
