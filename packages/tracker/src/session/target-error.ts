import { isCertificateError } from '@cdc-migrations/config';

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

/** What the network or the driver calls what went wrong, and what it means. */
const NETWORK: Readonly<Record<string, string>> = {
  ECONNREFUSED:
    'connection refused; check that it runs, and host and port of its server in sink-groups.yaml',
  ENOTFOUND: 'unknown host; check host of its server in sink-groups.yaml',
  EAI_AGAIN: 'its host cannot be looked up now',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'no route to its network',
  ETIMEDOUT: 'it does not answer',
  CONNECT_TIMEOUT: 'it does not answer',
  ECONNRESET: 'the connection was lost',
  EPIPE: 'the connection was lost',
  CONNECTION_CLOSED: 'the connection was lost',
  CONNECTION_ENDED: 'the connection was lost',
  CONNECTION_DESTROYED: 'the connection was lost',
  NO_TLS:
    'it offers no encryption, and nothing was sent; set it up there, or set sslmode: disable for its server in sink-groups.yaml',
  EPROTO: 'it did not agree on encryption; it needs TLS 1.2 with a certificate of today',
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
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) return error;
  if (isCertificateError(code)) {
    const why = code === OTHER_HOST ? 'it is for another host' : error.message;
    return new TargetError(`its certificate is not trusted (${why}); ${UNTRUSTED}`, code);
  }
  const meaning = NETWORK[code.startsWith('ERR_SSL') ? 'EPROTO' : code];
  return new TargetError(meaning ? `${meaning} (${code})` : `no connection (${code})`, code);
}

/** Errors of Node are not always instances of this realm's Error. */
function isErrorLike(error: unknown): error is Error {
  return typeof error === 'object' && error !== null && 'message' in error && 'name' in error;
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
  return /no encryption|SSL off/.test(message)
    ? 'it demands encryption: remove sslmode: disable from its server in sink-groups.yaml'
    : undefined;
}
