import postgres, { type Options } from 'postgres';
import { postgresTls, type ResolvedServer } from '@cdc-migrations/config';
import { connectSocket, readCa } from './connect-socket.ts';
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
   * Runs a text of one or more statements as it is, in one message, and gives the rows of the last one that has some.
   * Queries that are not waited for follow each other without a round trip between them.
   *
   * @throws TargetError
   */
  query<Row>(text: string): Promise<Rows<Row>>;
  /** As `query`, with the rows of every statement that gives some. */
  queryEach<Row>(text: string): Promise<readonly Rows<Row>[]>;
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
  const run = async (text: string) => {
    if (isLost) throw new TargetError('the connection was lost', 'CONNECTION_CLOSED');
    try {
      return await sql.unsafe(text).simple();
    } catch (error) {
      throw toTargetError(error);
    }
  };
  return {
    query: async <Row>(text: string) => {
      const result = await run(text);
      return lastOf(result) as unknown as Rows<Row>;
    },
    queryEach: async <Row>(text: string) => {
      const result = await run(text);
      return (isSeveral(result) ? result : [result]) as unknown as readonly Rows<Row>[];
    },
    get isLost() {
      return isLost;
    },
    close: () => sql.end({ timeout: CLOSE_TIMEOUT_S }),
  };
}

/** Several statements that give rows come as a list of lists. */
function isSeveral(result: readonly unknown[]): boolean {
  return Array.isArray(result[0]) && !('command' in result);
}

function lastOf(result: readonly unknown[]): readonly unknown[] {
  return isSeveral(result) ? (result.at(-1) as readonly unknown[]) : result;
}
