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

type ErrorFacts = Pick<TargetError, 'kind' | 'detail' | 'hint' | 'context' | 'offset'>;

/** Fields of a PostgresError of postgres.js. */
interface ServerError {
  readonly message: string;
  readonly code: string;
  readonly detail?: string;
  readonly hint?: string;
  readonly where?: string;
  readonly position?: string;
}

/** What the network or the driver calls what went wrong, and what it means. */
const NETWORK: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there',
  ENOTFOUND: 'its host is not known',
  EAI_AGAIN: 'its host cannot be looked up now',
  EHOSTUNREACH: 'there is no way to its host',
  ENETUNREACH: 'there is no way to its network',
  ETIMEDOUT: 'it does not answer',
  CONNECT_TIMEOUT: 'it does not answer',
  ECONNRESET: 'the connection was lost',
  EPIPE: 'the connection was lost',
  CONNECTION_CLOSED: 'the connection was lost',
  CONNECTION_ENDED: 'the connection was lost',
  CONNECTION_DESTROYED: 'the connection was lost',
};

/** SQLSTATE classes that end a connection or keep it from being made. */
const CONNECTION_CLASSES = /^(08|28|3D|53300|57P)/;

/** The driver's error as one of ours; errors of ours stay as they are, others were defects already. */
export function toTargetError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof TargetError) return error;
  if (error.name === 'PostgresError') return fromServer(error as unknown as ServerError);
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) return error;
  const meaning = NETWORK[code];
  return new TargetError(meaning ? `${meaning} (${code})` : `no connection (${code})`, code);
}

function fromServer({ message, code, detail, hint, where, position }: ServerError): TargetError {
  return new TargetError(message, code, {
    kind: CONNECTION_CLASSES.test(code) ? 'connection' : 'sql',
    detail,
    hint,
    context: where,
    offset: position === undefined ? undefined : Number(position) - 1,
  });
}
