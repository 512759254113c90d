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
import type { SourceTarget } from '../source-target.ts';

type Build = (target: SourceTarget, error: SystemError, options: ErrorOptions) => SourceError;

const refused: Build = (target, { message }, options) =>
  /no encryption|SSL off/.test(message)
    ? new EncryptionError(target, 'required', options)
    : new LoginRefusedError(target, message, options);
const lost: Build = (target, _error, options) => new ConnectionLostError(target, options);
const unreachable =
  (reason: ServerUnreachableError['reason']): Build =>
  (target, _error, options) =>
    new ServerUnreachableError(target, reason, options);

/** By SQLSTATE, code of Node, or code of the driver. https://www.postgresql.org/docs/current/errcodes-appendix.html */
const BY_CODE: Readonly<Record<string, Build>> = {
  '28P01': refused,
  '28000': refused,
  '3D000': (target, _error, options) => new UnknownDatabaseError(target, options),
  '42501': (target, { message }, options) => new PermissionDeniedError(target, message, options),
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
  NO_TLS: (target, _error, options) => new EncryptionError(target, 'not offered', options),
  EPROTO: (target, _error, options) => new EncryptionError(target, 'failed', options),
};

/** What went wrong with a connection or a query, in our words. */
export function postgresError(target: SourceTarget, cause: unknown, timeoutMs: number): Error {
  if (cause instanceof SourceError) return cause;
  const options = { cause };
  const error = findSystemError(cause);
  if (!error) return cause instanceof Error ? cause : new Error(String(cause));
  if (isCertificateError(error.code)) {
    return new UntrustedCertificateError(target, error.message, options);
  }
  if (
    error.code === 'CONNECT_TIMEOUT' ||
    error.code === 'ABORT_ERR' ||
    error.code === 'ETIMEDOUT'
  ) {
    return new SourceTimeoutError(target, 'connect', timeoutMs, options);
  }
  if (error.code === QUERY_CANCELED) {
    return new SourceTimeoutError(target, 'query', timeoutMs, options);
  }
  const build = BY_CODE[error.code];
  return build
    ? build(target, error, options)
    : new SourceQueryError(target, error.code, error.message, options);
}

const QUERY_CANCELED = '57014';
