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

/** Where a target is. */
export interface TargetAddress {
  readonly server: ResolvedServer;
  readonly database: string;
}

/** Rows of one statement. */
export type Rows<Row> = readonly Row[];

/**
 * One connection, which is made at the first query and never made again. A pooler may stand in between that gives each
 * transaction another connection of its own to the target, so nothing may be left in a session: no setting, no lock, no
 * prepared statement. A message of several statements is one transaction, and ends with it.
 */
export interface Session {
  /**
   * Runs a text of one or more statements in one message, and gives the rows of the last one that has some. Its names
   * and operators are those of PostgreSQL, whatever others have created. Queries that are not waited for follow each
   * other without a round trip between them.
   *
   * @throws TargetError
   */
  query<Row>(text: string): Promise<Rows<Row>>;
  /** As `query`, with the rows of every statement that gives some. */
  queryEach<Row>(text: string): Promise<readonly Rows<Row>[]>;
  /**
   * As `query`, in a transaction that changes nothing and waits for no lock for long. It fails where what is in
   * `cdc_management` is not of a role that is trusted.
   */
  read<Row>(text: string): Promise<Rows<Row>>;
  /** As `queryEach`, in such a transaction. */
  readEach<Row>(text: string): Promise<readonly Rows<Row>[]>;
  /** As `query`, in a transaction of its own; READ COMMITTED unless said. */
  write<Row>(text: string, isolation?: Isolation): Promise<Rows<Row>>;
  /**
   * Runs a text as it is, with the search path that the session has: text of users, and what PostgreSQL takes by itself
   * only, as ROLLBACK and CREATE DATABASE.
   *
   * @throws TargetError
   */
  execute(text: string): Promise<void>;
  /** True once the connection is gone, with all that it held. */
  readonly isLost: boolean;
  /** Ends the connection; queries that have no answer yet are not waited for for long. */
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_S = 10;
const CLOSE_TIMEOUT_S = 1;
/** A target whose machine is gone is noticed 10 s after that, by 10 probes a second apart. */
const KEEP_ALIVE_S = 10;

/** The isolation level of a transaction. */
export type Isolation = 'READ COMMITTED' | 'REPEATABLE READ';

/** How a message begins that is a transaction, whatever the defaults of the role and the database are. */
const transaction = (isolation: Isolation, access: 'READ WRITE' | 'READ ONLY') =>
  `SET TRANSACTION ISOLATION LEVEL ${isolation}, ${access};\n${PLAIN_SETTINGS}`;
/**
 * PostgreSQL spells conditions of indexes under a lock of their table. What is read may be a view, so nothing is read that
 * somebody else could have put into our schema.
 */
const READ = `${transaction('READ COMMITTED', 'READ ONLY')}SET LOCAL lock_timeout = '10s';\n${OWNERS_GUARD}`;

/** A host name, an address, or the folder of a socket: a URL or a list of hosts is none, and its text may hold a secret. */
const HOST = /^(?:[^\s,@/]+|\/[^,]*)$/u;

/**
 * Opens a session with a target, named `application` there.
 *
 * @throws TargetError where the host is none; nothing is connected before the first query.
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
    // What the driver knows of the reason comes first.
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
      // The driver would make another connection for queries that the first one has not got yet.
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
      const told = toTargetError(error, prefix.length);
      if (told instanceof TargetError && told.kind === 'connection') isLost = true;
      throw told;
    } finally {
      open.delete(answer);
    }
  };
  // Before each list of rows comes what the prefix gives, which is none.
  const lastRows = async <Row>(prefix: string, text: string) =>
    (await run(prefix, text)).at(-1) as unknown as Rows<Row>;
  const eachRows = async <Row>(prefix: string, text: string) =>
    (await run(prefix, text)).slice(1) as unknown as readonly Rows<Row>[];
  return {
    query: (text) => lastRows(PINNED, text),
    queryEach: (text) => eachRows(PINNED, text),
    read: (text) => lastRows(READ, text),
    readEach: (text) => eachRows(READ, text),
    write: (text, isolation = 'READ COMMITTED') =>
      lastRows(transaction(isolation, 'READ WRITE'), text),
    execute: async (text) => void (await run('', text)),
    get isLost() {
      return isLost;
    },
    // The driver waits forever for a connection that is busy, and writes queued queries after it has closed the socket.
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

/** The driver never answers a query that was sent between the error of a connection and its end. */
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
