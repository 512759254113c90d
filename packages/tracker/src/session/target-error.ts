import {
  demandsEncryption,
  findConnectionFailure,
  isErrorLike,
  type ConnectionFailure,
} from '@cdc-migrations/session';

/**
 * Error of an unreachable target, or of failed SQL. It has only the fields of the driver's error that contain no
 * secret, and no reference to that error: the driver puts addresses and sent texts into it.
 */
export class TargetError extends Error {
  override readonly name = 'TargetError';
  /** SQLSTATE, or error code of the network. */
  readonly code: string;
  readonly kind: 'connection' | 'sql';
  readonly detail: string | undefined;
  readonly hint: string | undefined;
  /** Location in the target's functions, innermost first. */
  readonly context: string | undefined;
  /** Offset in the sent text, counted from 0. */
  readonly offset: number | undefined;

  constructor(message: string, code: string, facts: Partial<ErrorFacts> = {}) {
    super(message);
    this.code = code;
    this.kind = facts.kind ?? 'connection';
    this.detail = facts.detail;
    this.hint = facts.hint;
    this.context = facts.context;
    this.offset = facts.offset;
  }
}

/** Facts of a TargetError in addition to its message. */
export type ErrorFacts = Pick<TargetError, 'kind' | 'detail' | 'hint' | 'context' | 'offset'>;

/** Fields of a PostgresError of postgres.js. */
interface ServerError {
  readonly message: string;
  readonly code: string;
  readonly severity?: string;
  /** The only severity that PgBouncer sends. */
  readonly severity_local?: string;
  readonly detail?: string;
  readonly hint?: string;
  readonly where?: string;
  readonly position?: string;
}

/** Meaning of each failure for somebody who configured the target. */
const MEANINGS: {
  readonly [
    F in Exclude<ConnectionFailure, 'untrusted certificate' | 'encryption demanded'>
  ]: string;
} = {
  refused:
    'connection refused; check that it runs, and host and port of its server in sink-groups.yaml',
  'unknown host': 'unknown host; check host of its server in sink-groups.yaml',
  'lookup failed': 'name lookup failed',
  'no route to host': 'no route to host',
  'no route to network': 'no route to its network',
  timeout: 'timeout, no response',
  lost: 'the connection was lost',
  'no encryption offered':
    'it does not support TLS, and nothing was sent; enable it on the server, or set sslmode: disable for its server in sink-groups.yaml',
  'encryption failed': 'TLS negotiation failed; the server needs TLS 1.2 and a valid certificate',
};

const UNTRUSTED =
  'name its authority with ca_file, or set sslmode: require for its server in sink-groups.yaml';
/** Code of an error whose message names the hosts, which must not be printed. */
const OTHER_HOST = 'ERR_TLS_CERT_ALTNAME_INVALID';

/** SQLSTATE of an unknown database. */
const UNKNOWN_DATABASE = '3D000';

/** Severities of errors that end or prevent a connection, with any SQLSTATE. */
const ENDS_CONNECTION: ReadonlySet<string | undefined> = new Set(['FATAL', 'PANIC']);

/**
 * Converts the driver's error to a TargetError. Returns our own errors and defects unchanged.
 *
 * @param prefixLength number of characters sent before the text
 */
export function toTargetError(error: unknown, prefixLength: number): unknown {
  if (error instanceof TargetError || !isErrorLike(error)) return error;
  if (error.name === 'PostgresError') {
    return fromServer(error as unknown as ServerError, prefixLength);
  }
  const { code } = error;
  if (typeof code !== 'string') return error;
  const failure = findConnectionFailure(code);
  if (failure === 'untrusted certificate') {
    const why = code === OTHER_HOST ? 'it is for another host' : error.message;
    return new TargetError(`its certificate is not trusted (${why}); ${UNTRUSTED}`, code);
  }
  const meaning =
    failure === undefined || failure === 'encryption demanded' ? undefined : MEANINGS[failure];
  return new TargetError(meaning ? `${meaning} (${code})` : `no connection (${code})`, code);
}

function fromServer(error: ServerError, prefixLength: number): TargetError {
  const { message, code, detail, hint, where, position } = error;
  return new TargetError(message, code, {
    kind: ENDS_CONNECTION.has(error.severity ?? error.severity_local) ? 'connection' : 'sql',
    detail,
    hint: hintOf(message, code) ?? hint,
    context: where,
    offset: position === undefined ? undefined : Number(position) - 1 - prefixLength,
  });
}

/** Returns the solution for a connection error of the server. */
function hintOf(message: string, code: string): string | undefined {
  if (code === UNKNOWN_DATABASE) {
    return 'create it, or set another under sources of its group in sink-groups.yaml';
  }
  return demandsEncryption(message)
    ? 'the server requires encryption: remove sslmode: disable from its server in sink-groups.yaml'
    : undefined;
}
