import type { Socket } from 'node:net';
import type { PostgresServer } from '@cdc-migrations/postgres-fixture';
import type { Sql } from 'postgres';
import { SINK, type SoakDatabase, whenConnected } from './soak-target.ts';

/** A session of the sink whose connection can break at any moment, also while it is made. */
export interface BreakableSession {
  /** Work with the session; it fails when the connection breaks, and the next work has a new one. */
  run<Result>(work: (sql: Sql) => Promise<Result>): Promise<Result>;
  /** The client is gone without a word; the server finds out when it has something to say. */
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
        if (used === connection) breakConnection(); // A client whose connection was refused takes no more queries.
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
    // The driver would connect again for a query that it has not sent.
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
