/** Reason for a failed connection, the same for every driver and database. */
export type ConnectionFailure =
  | 'refused'
  | 'unknown host'
  | 'lookup failed'
  | 'no route to host'
  | 'no route to network'
  | 'timeout'
  | 'lost'
  | 'no encryption offered'
  | 'encryption demanded'
  | 'encryption failed'
  | 'untrusted certificate';

/** Reasons by error code of Node or a driver. `NO_TLS` is our own code. */
const FAILURES: ReadonlyMap<string, ConnectionFailure> = new Map([
  ['ECONNREFUSED', 'refused'],
  ['ENOTFOUND', 'unknown host'],
  ['EAI_AGAIN', 'lookup failed'],
  ['EHOSTUNREACH', 'no route to host'],
  ['ENETUNREACH', 'no route to network'],
  ['ABORT_ERR', 'timeout'],
  ['ETIMEDOUT', 'timeout'],
  ['ETIMEOUT', 'timeout'],
  ['CONNECT_TIMEOUT', 'timeout'],
  ['ECONNRESET', 'lost'],
  ['EPIPE', 'lost'],
  ['CONNECTION_CLOSED', 'lost'],
  ['CONNECTION_ENDED', 'lost'],
  ['CONNECTION_DESTROYED', 'lost'],
  ['NO_TLS', 'no encryption offered'],
  ['EENCRYPT', 'encryption demanded'],
  ['EPROTO', 'encryption failed'],
]);

/** Codes of Node for a refused certificate. https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const CERTIFICATE_CODE =
  /^(CERT_|CRL_|UNABLE_TO_|SELF_SIGNED_CERT|DEPTH_ZERO_|ERR_TLS_CERT_|INVALID_CA|PATH_LENGTH_|INVALID_PURPOSE|HOSTNAME_MISMATCH)/;

/** Returns the reason for a code of Node or a driver, or undefined for any other code, such as a SQLSTATE. */
export function findConnectionFailure(code: string): ConnectionFailure | undefined {
  if (CERTIFICATE_CODE.test(code)) return 'untrusted certificate';
  return code.startsWith('ERR_SSL') ? 'encryption failed' : FAILURES.get(code);
}

/** Returns true if the message of a PostgreSQL server says that it accepts only TLS connections. */
export function demandsEncryption(message: string): boolean {
  return /no encryption|SSL off/.test(message);
}

/** An error with a code of Node or of a driver: `ECONNREFUSED`, `28P01`. */
export interface SystemError {
  readonly code: string;
  readonly message: string;
}

/** Finds the innermost error with a code, because drivers wrap system errors. Returns undefined if there is none. */
export function findSystemError(error: unknown): SystemError | undefined {
  let found: SystemError | undefined;
  for (const at of errorsIn(error)) {
    if (at.name === 'AbortError' || at.name === 'TimeoutError') {
      found = { code: 'ABORT_ERR', message: at.message };
    } else if (typeof at.code === 'string') found = { code: at.code, message: at.message };
  }
  return found;
}

/** Properties that are read from an error. */
export interface ErrorLike {
  readonly name: string;
  readonly message: string;
  readonly code?: unknown;
  readonly number?: unknown;
  readonly cause?: unknown;
  readonly errors?: readonly unknown[];
}

const MAX_DEPTH = 8;

/** Lists an error, its aggregated errors and its causes, from the outermost to the innermost. */
export function errorsIn(error: unknown, depth = 0): readonly ErrorLike[] {
  if (!isErrorLike(error) || depth > MAX_DEPTH) return [];
  const gathered = (error.errors ?? []).flatMap((one) => errorsIn(one, depth + 1));
  return [error, ...gathered, ...errorsIn(error.cause, depth + 1)];
}

/** Returns true for an error. Errors of Node are not always instances of this realm's Error. */
export function isErrorLike(value: unknown): value is ErrorLike {
  return typeof value === 'object' && value !== null && 'message' in value && 'name' in value;
}
