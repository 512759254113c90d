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
import { findSystemError, type SystemError } from '../system-error.ts';
import type { SourceDatabase } from '../source-database.ts';

type Build = (source: SourceDatabase, error: SystemError, options: ErrorOptions) => SourceError;

const refused: Build = (source, { message }, options) =>
  /no encryption|SSL off/.test(message)
    ? new EncryptionError(source, 'required', options)
    : new LoginRefusedError(source, message, options);
const lost: Build = (source, _error, options) => new ConnectionLostError(source, options);
const unreachable =
  (reason: ServerUnreachableError['reason']): Build =>
  (source, _error, options) =>
    new ServerUnreachableError(source, reason, options);

/** By SQLSTATE, code of Node, or code of the driver. https://www.postgresql.org/docs/current/errcodes-appendix.html */
const BY_CODE: Readonly<Record<string, Build>> = {
  '28P01': refused,
  '28000': refused,
  '3D000': (source, _error, options) => new UnknownDatabaseError(source, options),
  '42501': (source, { message }, options) => new PermissionDeniedError(source, message, options),
  ECONNREFUSED: unreachable('refused'),
  ENOTFOUND: unreachable('unknown host'),
  EAI_AGAIN: unreachable('unknown host'),
  EHOSTUNREACH: unreachable('no route'),
  ENETUNREACH: unreachable('no route'),
  ECONNRESET: lost,
  EPIPE: lost,
  CONNECTION_CLOSED: lost,
  CONNECTION_DESTROYED: lost,
  CONNECTION_ENDED: lost,
  NO_TLS: (source, _error, options) => new EncryptionError(source, 'not offered', options),
  EPROTO: (source, _error, options) => new EncryptionError(source, 'failed', options),
};

/** What went wrong with a connection or a query, in our words. */
export function postgresError(source: SourceDatabase, cause: unknown, timeoutMs: number): Error {
  if (cause instanceof SourceError) return cause;
  const options = { cause };
  const error = findSystemError(cause);
  if (!error) return cause instanceof Error ? cause : new Error(String(cause));
  if (isCertificateError(error.code)) {
    return new UntrustedCertificateError(source, error.message, options);
  }
  if (
    error.code === 'CONNECT_TIMEOUT' ||
    error.code === 'ABORT_ERR' ||
    error.code === 'ETIMEDOUT'
  ) {
    return new SourceTimeoutError(source, 'connect', timeoutMs, options);
  }
  if (error.code === QUERY_CANCELED) {
    return new SourceTimeoutError(source, 'query', timeoutMs, options);
  }
  const build = BY_CODE[error.code.startsWith('ERR_SSL') ? 'EPROTO' : error.code];
  return build
    ? build(source, error, options)
    : new SourceQueryError(source, error.code, error.message, options);
}

const QUERY_CANCELED = '57014';
