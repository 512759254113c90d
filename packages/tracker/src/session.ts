import postgres, { type Options } from 'postgres';
import { postgresTls, type ResolvedServer } from '@cdc-migrations/config';
import { connectSocket, readCa } from './connect-socket.ts';
import { PINNED } from './plain-settings.ts';
import { TargetError, toTargetError } from './target-error.ts';

/** Where a target is. */
export interface TargetAddress {
  readonly server: ResolvedServer;
  readonly database: string;
}

/** Rows of one statement. */
export type Rows<Row> = readonly Row[];

/** One connection, which is made at the first query and never made again. */
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
   * Runs a text as it is, with the search path that the session has: text of users, and what PostgreSQL takes by itself
   * only, as ROLLBACK and CREATE DATABASE.
   *
   * @throws TargetError
   */
  execute(text: string): Promise<void>;
  /** True once the connection is gone, with all that it held. */
  readonly isLost: boolean;
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_S = 15;
const CLOSE_TIMEOUT_S = 5;

/** A host name, an address, or the folder of a socket: a URL or a list of hosts is none, and its text may hold a secret. */
const HOST = /^(?:[^\s,@/]+|\/[^,]*)$/u;

/**
 * A session with a target, named `application` there.
 *
 * @throws TargetError where the host is none; nothing is connected before the first query.
 */
export function openSession({ server, database }: TargetAddress, application: string): Session {
  if (!HOST.test(server.host))
    throw new TargetError('its host is neither a name nor an address', 'INVALID_HOST');
  const ssl = postgresTls(server, readCa(server));
  let isLost = false;
  const sql = postgres({
    host: server.host,
    port: server.port,
    user: server.user,
    password: server.password,
    database,
    ssl: ssl ?? false,
    socket: () =>
      connectSocket(server, { timeoutMs: CONNECT_TIMEOUT_S * 1000, encrypt: ssl !== undefined }),
    max: 1,
    prepare: false,
    fetch_types: false,
    idle_timeout: 0,
    max_lifetime: null,
    connect_timeout: CONNECT_TIMEOUT_S,
    connection: { application_name: application },
    onnotice: () => {},
    onclose: () => (isLost = true),
  } as Options<Record<string, never>>);
  // In front of each message, as a pooler may give every message another connection.
  const run = async (text: string, prefix = PINNED) => {
    if (isLost) throw new TargetError('the connection was lost', 'CONNECTION_CLOSED');
    try {
      return await sql.unsafe(prefix + text).simple();
    } catch (error) {
      throw toTargetError(error, prefix.length);
    }
  };
  return {
    query: async <Row>(text: string) => (await run(text)).at(-1) as unknown as Rows<Row>,
    queryEach: async <Row>(text: string) =>
      (await run(text)).slice(1) as unknown as readonly Rows<Row>[],
    execute: async (text) => void (await run(text, '')),
    get isLost() {
      return isLost;
    },
    close: () => sql.end({ timeout: CLOSE_TIMEOUT_S }),
  };
}
