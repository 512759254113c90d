import type { Socket } from 'node:net';
import { connectPostgresSocket, networkError, postgresTls } from '@cdc-migrations/session';
import postgres, { type Sql } from 'postgres';
import { readSourceCa } from '../read-source-ca.ts';
import { SourceTimeoutError } from '../source-error.ts';
import type { SourceDatabase } from '../source-database.ts';
import { postgresError } from './postgres-error.ts';

/** A connection to one database. */
export interface PostgresSession {
  readonly source: SourceDatabase;
  /** Runs read-only queries in one snapshot of the database. */
  read<T>(work: (query: Query) => Promise<T>): Promise<T>;
  /**
   * Runs statements in their own transaction. It waits only a few seconds for a lock, because other sessions queue up
   * behind it. A failure is rolled back, and the connection can be used again.
   */
  write(statements: string): Promise<void>;
  close(): Promise<void>;
}

/** Returns the rows of a query. Queries that are not awaited are pipelined without extra round trips. */
export type Query = <Row extends object>(
  text: string,
  parameters?: readonly string[],
) => Promise<readonly Row[]>;

/**
 * Fixes the spelling of names, values and expressions: names have a schema only if the search path does not find them,
 * and no setting of a role changes values.
 */
const SETTINGS = `SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL quote_all_identifiers = off;
SET LOCAL standard_conforming_strings = on;
SET LOCAL datestyle = 'ISO, MDY';
SET LOCAL intervalstyle = postgres;
SET LOCAL timezone = 'UTC';
SET LOCAL bytea_output = hex;
SET LOCAL extra_float_digits = 1;
SET LOCAL jit = off;
SET LOCAL statement_timeout = `;

/** Opens a connection on the first query. Errors are SourceErrors with the reason. */
export function openPostgres(source: SourceDatabase, timeoutMs: number): PostgresSession {
  const { host, port, user, password } = source.server;
  const ssl = postgresTls(source.server, readSourceCa(source));
  let socket: Socket | undefined;
  let lose: (reason: Error) => void = () => undefined;
  const lost = new Promise<never>((_resolve, reject) => (lose = reject));
  lost.catch(() => undefined);
  const sql = postgres({
    ...{ host, port, user, password, database: source.database },
    ...{ max: 1, prepare: false, fetch_types: false, idle_timeout: 0, onnotice: () => undefined },
    connect_timeout: timeoutMs / 1000,
    ssl: ssl ?? false,
    connection: { application_name: 'cdc manage-migrations' },
    socket: async () => {
      // The driver would open another connection for the rest of a transaction.
      if (socket) throw networkError('ECONNRESET');
      socket = await connectPostgresSocket(source.server, {
        timeoutMs,
        encrypt: ssl !== undefined,
      });
      return socket;
    },
    onclose: () => lose(networkError('ECONNRESET')),
  } as postgres.Options<Record<string, never>>);
  const query: Query = <Row extends object>(text: string, parameters?: readonly string[]) =>
    sql.unsafe<Row[]>(text, parameters ? [...parameters] : undefined) as Promise<readonly Row[]>;
  return {
    source,
    read: async (work) => {
      const run = inTransaction(sql, timeoutMs, () => work(query));
      try {
        // The driver never answers a query if its connection is lost at the wrong moment.
        return await within(Promise.race([run, lost]), source, timeoutMs);
      } catch (error) {
        throw postgresError(source, error, timeoutMs);
      }
    },
    write: async (statements) => {
      const text = `${begin('READ COMMITTED, READ WRITE', timeoutMs)};
SET LOCAL lock_timeout = ${Math.min(MAX_LOCK_WAIT_MS, timeoutMs / 2)};\n${statements};\nCOMMIT`;
      const done = sql.unsafe(text).simple();
      try {
        await within(Promise.race([done, lost]), source, timeoutMs);
      } catch (error) {
        await Promise.race([sql.unsafe('ROLLBACK').simple(), lost]).catch(() => undefined);
        throw postgresError(source, error, timeoutMs);
      }
    },
    // The driver waits forever for a busy connection.
    close: async () => {
      await sql.end({ timeout: CLOSE_TIMEOUT_S });
      socket?.destroy();
    },
  };
}

function begin(mode: string, timeoutMs: number): string {
  return `BEGIN ISOLATION LEVEL ${mode};\n${SETTINGS}${timeoutMs}`;
}

/** Maximum wait for a lock, while readers and writers of the table queue up behind it. */
const MAX_LOCK_WAIT_MS = 5000;

/** Runs work in a transaction. After a failure, the transaction ends with the connection. */
async function inTransaction<T>(sql: Sql, timeoutMs: number, work: () => Promise<T>): Promise<T> {
  await sql.unsafe(begin('REPEATABLE READ, READ ONLY', timeoutMs)).simple();
  const result = await work();
  await sql.unsafe('COMMIT').simple();
  return result;
}

/**
 * Limits the time of a query. The server enforces the statement's timeout, this one is for a server that does not
 * answer.
 */
async function within<T>(run: Promise<T>, source: SourceDatabase, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new SourceTimeoutError(source, 'query', timeoutMs)),
      timeoutMs + SILENCE_MS,
    );
  });
  run.catch(() => undefined);
  try {
    return await Promise.race([run, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Lets the server's own timeout be reported first, because its message says more. */
const SILENCE_MS = 500;

const CLOSE_TIMEOUT_S = 1;
