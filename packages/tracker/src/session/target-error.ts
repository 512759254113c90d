import {
  demandsEncryption,
  findConnectionFailure,
  isErrorLike,
  type ConnectionFailure,
} from '@cdc-migrations/session';

/**
 * A target that cannot be reached, or SQL that failed there. It is made from the fields of the driver's error that can
 * hold no secret, and does not keep that error: the driver puts addresses, and what was sent, into it.
 */
export class TargetError extends Error {
  override readonly name = 'TargetError';
  /** SQLSTATE, or the code of the network. */
  readonly code: string;
  readonly kind: 'connection' | 'sql';
  readonly detail: string | undefined;
  readonly hint: string | undefined;
  /** Where in the target's functions it happened, innermost first. */
  readonly context: string | undefined;
  /** Place in the text that was sent, counted from 0. */
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

/** What a TargetError says besides its message. */
export type ErrorFacts = Pick<TargetError, 'kind' | 'detail' | 'hint' | 'context' | 'offset'>;

/** Fields of a PostgresError of postgres.js. */
interface ServerError {
  readonly message: string;
  readonly code: string;
  readonly severity?: string;
  /** The only one that PgBouncer sends. */
  readonly severity_local?: string;
  readonly detail?: string;
  readonly hint?: string;
  readonly where?: string;
  readonly position?: string;
}

/** What each failure means for somebody who set up the target. */
const MEANINGS: {
  readonly [
    F in Exclude<ConnectionFailure, 'untrusted certificate' | 'encryption demanded'>
  ]: string;
} = {
  refused:
    'connection refused; check that it runs, and host and port of its server in sink-groups.yaml',
  'unknown host': 'unknown host; check host of its server in sink-groups.yaml',
  'lookup failed': 'its host cannot be looked up now',
  'no route to host': 'no route to host',
  'no route to network': 'no route to its network',
  timeout: 'it does not answer',
  lost: 'the connection was lost',
  'no encryption offered':
    'it offers no encryption, and nothing was sent; set it up there, or set sslmode: disable for its server in sink-groups.yaml',
  'encryption failed':
    'it did not agree on encryption; it needs TLS 1.2 with a certificate of today',
};

const UNTRUSTED =
  'name its authority with ca_file, or set sslmode: require for its server in sink-groups.yaml';
/** The message names the hosts, which is not to be told. */
const OTHER_HOST = 'ERR_TLS_CERT_ALTNAME_INVALID';

/** SQLSTATE of a database that the server does not have. */
const UNKNOWN_DATABASE = '3D000';

/** Severities of errors that end a connection or keep it from being made, whatever their SQLSTATE. */
const ENDS_CONNECTION: ReadonlySet<string | undefined> = new Set(['FATAL', 'PANIC']);

/**
 * The driver's error as one of ours; errors of ours stay as they are, others were defects already.
 *
 * @param prefixLength letters that were sent in front of the text.
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

/** The way out of what the server says of a connection. */
function hintOf(message: string, code: string): string | undefined {
  if (code === UNKNOWN_DATABASE) {
    return 'create it, or set another under sources of its group in sink-groups.yaml';
  }
  return demandsEncryption(message)
    ? 'it demands encryption: remove sslmode: disable from its server in sink-groups.yaml'
    : undefined;
}
