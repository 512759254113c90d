import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres, { type Options } from 'postgres';
import {
  CertificateFileError,
  connectPostgresSocket,
  networkError,
  postgresTls,
  readCa,
  type ResolvedServer,
} from '@cdc-migrations/session';
import { OWNERS_GUARD } from './foreign-objects.ts';
import { PINNED, PLAIN_SETTINGS } from './plain-settings.ts';
import { TargetError, toTargetError } from './target-error.ts';

/** Location of a target. */
export interface TargetAddress {
  readonly server: ResolvedServer;
  readonly database: string;
}

/** Rows of one statement. */
export type Rows<Row> = readonly Row[];

/**
 * One connection, which is opened at the first query and never again. A pooler in between may give each transaction
 * another connection to the target. So nothing may be left in a session: no setting, no lock, no prepared statement. A
 * message of several statements is one transaction.
 */
export interface Session {
  /**
   * Runs a text of one or more statements in one message and returns the rows of the last one that has some. Names and
   * operators are those of PostgreSQL, whatever other roles have created. Queries without await in between share a
   * round trip.
   *
   * @throws TargetError
   */
  query<Row>(text: string): Promise<Rows<Row>>;
  /** Runs like `query` and returns the rows of every statement that has some. */
  queryEach<Row>(text: string): Promise<readonly Rows<Row>[]>;
  /**
   * Runs like `query`, in a read-only transaction with a short lock timeout. Fails if an untrusted role owns objects of
   * `cdc_management`, which is checked at least every ten seconds.
   */
  read<Row>(text: string): Promise<Rows<Row>>;
  /** Runs like `queryEach`, in such a transaction. */
  readEach<Row>(text: string): Promise<readonly Rows<Row>[]>;
  /** Runs like `query`, in its own transaction. The default isolation is READ COMMITTED. */
  write<Row>(text: string, isolation?: Isolation): Promise<Rows<Row>>;
  /**
   * Runs a text unchanged, with the search path of the session. It is for text of users, and for statements that
   * PostgreSQL accepts only alone, such as ROLLBACK and CREATE DATABASE.
   *
   * @throws TargetError
   */
  execute(text: string): Promise<void>;
  /** True after the connection is lost, with all its locks. */
  readonly isLost: boolean;
  /** Closes the connection. Waits only briefly for open queries. */
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_S = 10;
const CLOSE_TIMEOUT_S = 1;
/** Seconds until a lost machine of the target is noticed, then 10 probes a second apart. */
const KEEP_ALIVE_S = 10;

/** Isolation level of a transaction. */
export type Isolation = 'READ COMMITTED' | 'REPEATABLE READ';

/** Begins a message that is a transaction, independent of the defaults of role and database. */
const transaction = (isolation: Isolation, access: 'READ WRITE' | 'READ ONLY') =>
  `SET TRANSACTION ISOLATION LEVEL ${isolation}, ${access};\n${PLAIN_SETTINGS}`;
/** Begins a read. PostgreSQL spells conditions of indexes under a lock of their table. */
const READ = `${transaction('READ COMMITTED', 'READ ONLY')}SET LOCAL lock_timeout = '10s';\n`;
/**
 * The read object may be a view, so nothing is read that an untrusted role could have put into our schema. The check
 * takes longer than most reads, so one check is valid for this time.
 */
const GUARDED_MS = 10_000;

/**
 * A host name, an address, or the folder of a socket. URLs and lists of hosts do not match, because their text may
 * contain a secret.
 */
const HOST = /^(?:[^\s,@/]+|\/[^,]*)$/u;

/**
 * Opens a session with a target under the application name `application`. Connects at the first query.
 *
 * @throws TargetError if the host is invalid
 */
export function openSession({ server, database }: TargetAddress, application: string): Session {
  if (!HOST.test(server.host))
    throw new TargetError('its host is neither a name nor an address', 'INVALID_HOST');
  const ssl = tlsOf(server);
  const closing = new AbortController();
  const waiting = new Set<(reason: Error) => void>();
  const open = new Set<Promise<unknown>>();
  let socket: Socket | undefined;
  let isLost = false;
  const lose = () => {
    isLost = true;
    // The driver's own reason comes first.
    setImmediate(() => waiting.forEach((reject) => reject(networkError('ECONNRESET'))));
  };
  const sql = postgres({
    host: server.host,
    port: server.port,
    user: server.user,
    password: server.password,
    database,
    ssl: ssl ?? false,
    socket: async () => {
      // The driver would open another connection for queries that the first one has not received.
      if (socket) throw networkError('ECONNRESET');
      const { signal } = closing;
      const timeoutMs = CONNECT_TIMEOUT_S * 1000;
      socket = await connectPostgresSocket(server, {
        timeoutMs,
        encrypt: ssl !== undefined,
        signal,
      });
      return socket;
    },
    max: 1,
    prepare: false,
    fetch_types: false,
    idle_timeout: 0,
    max_lifetime: null,
    connect_timeout: CONNECT_TIMEOUT_S,
    keep_alive: KEEP_ALIVE_S,
    // Poolers refuse most other settings here.
    connection: { application_name: application },
    onnotice: () => {},
    onclose: lose,
  } as Options<Record<string, never>>);
  const run = async (prefix: string, text: string) => {
    if (isLost) throw toTargetError(networkError('ECONNRESET'), 0);
    const answer = answerOf(sql.unsafe(prefix + text).simple(), waiting);
    open.add(answer);
    try {
      return await answer;
    } catch (error) {
      const reported = toTargetError(error, prefix.length);
      if (reported instanceof TargetError && reported.kind === 'connection') isLost = true;
      throw reported;
    } finally {
      open.delete(answer);
    }
  };
  // The statements of the prefix come first and have no rows.
  const lastRows = async <Row>(prefix: string, text: string) =>
    (await run(prefix, text)).at(-1) as unknown as Rows<Row>;
  const eachRows = async <Row>(prefix: string, text: string) =>
    (await run(prefix, text)).slice(1) as unknown as readonly Rows<Row>[];
  let guardedUntil = 0;
  const guarded = <Answer>(read: (prefix: string) => Promise<Answer>): Promise<Answer> => {
    const begun = performance.now();
    if (begun < guardedUntil) return read(READ);
    const answer = read(READ + OWNERS_GUARD);
    // The answer itself is returned, so that queries sent together fail in their order.
    answer.then(
      () => (guardedUntil = begun + GUARDED_MS),
      () => {},
    );
    return answer;
  };
  return {
    query: (text) => lastRows(PINNED, text),
    queryEach: (text) => eachRows(PINNED, text),
    read: (text) => guarded((prefix) => lastRows(prefix, text)),
    readEach: (text) => guarded((prefix) => eachRows(prefix, text)),
    write: (text, isolation = 'READ COMMITTED') =>
      lastRows(transaction(isolation, 'READ WRITE'), text),
    execute: async (text) => void (await run('', text)),
    get isLost() {
      return isLost;
    },
    // The driver waits forever for a busy connection, and writes queued queries after it has closed the socket.
    close: async () => {
      if (!isLost && open.size > 0) {
        const { signal } = closing;
        const wait = sleep(CLOSE_TIMEOUT_S * 1000, undefined, { signal }).catch(() => undefined);
        await Promise.race([Promise.allSettled(open), wait]);
      }
      await sql.end({ timeout: isLost ? 0 : CLOSE_TIMEOUT_S });
      closing.abort();
      socket?.destroy();
    },
  };
}

function tlsOf(server: ResolvedServer) {
  try {
    return postgresTls(server, readCa(server));
  } catch (error) {
    throw error instanceof CertificateFileError ? new TargetError(error.message, 'CA_FILE') : error;
  }
}

/**
 * Rejects a query on connection errors. The driver never answers a query that was sent between the error of a
 * connection and its end.
 */
function answerOf<Answer>(
  query: PromiseLike<Answer>,
  waiting: Set<(reason: Error) => void>,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    waiting.add(reject);
    const settle =
      <Value>(end: (value: Value) => void) =>
      (value: Value) => {
        waiting.delete(reject);
        end(value);
      };
    query.then(settle(resolve), settle(reject));
  });
}
