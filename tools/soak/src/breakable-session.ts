import type { Socket } from 'node:net';
import type { PostgresServer } from '@cdc-migrations/postgres-fixture';
import type { Sql } from 'postgres';
import { SINK, type SoakDatabase, whenConnected } from './soak-target.ts';

/** A session of the sink whose connection can break at any moment, even while connecting. */
export interface BreakableSession {
  /** Runs work in the session. It fails if the connection breaks, and the next work gets a new connection. */
  run<Result>(work: (sql: Sql) => Promise<Result>): Promise<Result>;
  /** Breaks the connection silently. The server notices it on its next message. */
  breakConnection(): void;
  end(): Promise<void>;
}

export class ConnectionBroken extends Error {
  readonly code = 'CONNECTION_CLOSED';
}

interface Connection {
  readonly sql: Sql;
  readonly broken: Promise<never>;
  readonly break: () => void;
}

export function openBreakableSession(
  server: PostgresServer,
  database: SoakDatabase,
): BreakableSession {
  let connection = openConnection(server, database);
  const breakConnection = () => {
    const { sql, break: breakIt } = connection;
    connection = openConnection(server, database);
    breakIt();
    void sql.end({ timeout: 0 });
  };
  return {
    async run(work) {
      const used = connection;
      try {
        return await Promise.race([work(used.sql), used.broken]);
      } catch (error) {
        if (used === connection) breakConnection(); // A client whose connection was refused accepts no more queries.
        throw error;
      }
    },
    breakConnection,
    end: () => connection.sql.end({ timeout: 0 }),
  };
}

function openConnection(server: PostgresServer, database: SoakDatabase): Connection {
  const sockets: Socket[] = [];
  let isBroken = false;
  const openSocket = () => {
    // The driver would reconnect for a query that it has not sent.
    if (isBroken) return Promise.reject(new ConnectionBroken('the connection broke'));
    const socket = database.openSocket();
    sockets.push(socket);
    return whenConnected(socket);
  };
  const sql = server.connect({
    ...{ user: SINK, database: database.name, max: 1, fetch_types: false, onnotice: () => {} },
    ...{
      connection: { application_name: 'merger' },
      backoff: () => 0,
      socket: openSocket,
      prepare: false,
    },
  });
  let reject: (error: Error) => void = () => {};
  const broken = new Promise<never>((_resolve, rejectBroken) => (reject = rejectBroken));
  broken.catch(() => {});
  return {
    sql,
    broken,
    break() {
      isBroken = true;
      for (const socket of sockets) socket.destroy();
      reject(new ConnectionBroken('the connection broke'));
    },
  };
}
