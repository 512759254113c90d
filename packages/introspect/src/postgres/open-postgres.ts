import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { postgresTls, refuseTlsAnswer } from '@cdc-migrations/config';
import postgres, { type Sql, type TransactionSql } from 'postgres';
import { readCa } from '../read-ca.ts';
import { SourceTimeoutError } from '../source-error.ts';
import type { SourceDatabase } from '../source-database.ts';
import { postgresError } from './postgres-error.ts';

/** A connection to one database. */
export interface PostgresSession {
  readonly source: SourceDatabase;
  /** Runs queries that see one state of the database and change nothing. */
  read<T>(work: (sql: TransactionSql) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/**
 * Names are spelled with their schema only where the search path does not find them, and values and names in expressions
 * as every role would have them.
 */
const SETUP = `SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL quote_all_identifiers = off;
SET LOCAL standard_conforming_strings = on;
SET LOCAL datestyle = 'ISO, MDY';
SET LOCAL intervalstyle = postgres;
SET LOCAL timezone = 'UTC';
SET LOCAL bytea_output = hex;
SET LOCAL extra_float_digits = 1;
SET LOCAL jit = off;
SET LOCAL statement_timeout = `;

/** Opens a connection with the first query; what fails is a SourceError that says why. */
export function openPostgres(source: SourceDatabase, timeoutMs: number): PostgresSession {
  const { host, port, user, password } = source.server;
  const ssl = postgresTls(source.server, readCa(source));
  const sql = postgres({
    ...{ host, port, user, password, database: source.database },
    ...{ max: 1, prepare: false, fetch_types: false, idle_timeout: 0, onnotice: () => undefined },
    connect_timeout: timeoutMs / 1000,
    ssl: ssl ?? false,
    connection: { application_name: 'cdc manage-migrations' },
    socket: () => connectSocket(source, timeoutMs, ssl !== undefined),
  } as postgres.Options<Record<string, never>>);
  return {
    source,
    read: async (work) => {
      const options = 'ISOLATION LEVEL REPEATABLE READ READ ONLY';
      const run = sql.begin(options, async (transaction) => {
        await transaction.unsafe(`${SETUP}${timeoutMs}`).simple();
        return work(transaction);
      });
      try {
        return (await within(run, source, timeoutMs)) as Awaited<ReturnType<typeof work>>;
      } catch (error) {
        throw postgresError(source, error, timeoutMs);
      }
    },
    close: () => end(sql),
  };
}

/** The driver by itself tries again without end while the port hangs up, and speaks TLS to a server that declined it. */
async function connectSocket(
  { server: { host, port } }: SourceDatabase,
  timeoutMs: number,
  encrypt: boolean,
): Promise<Socket> {
  const socket = connect({ host, port, noDelay: true });
  await once(socket, 'connect', { signal: AbortSignal.timeout(timeoutMs) }).catch((error) => {
    socket.destroy();
    throw error;
  });
  if (encrypt) {
    socket.once('data', (answer) => {
      const code = refuseTlsAnswer(answer);
      if (code !== undefined) socket.destroy(Object.assign(new Error('no TLS'), { code }));
    });
  }
  socket.once('close', (hadError) => {
    if (!hadError) socket.emit('error', Object.assign(new Error('closed'), { code: 'ECONNRESET' }));
  });
  return socket;
}

/** The statement's time-out is the server's; a server that is silent altogether is left by this one. */
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

/** The server's own time-out is told first, as it says more. */
const SILENCE_MS = 500;

async function end(sql: Sql): Promise<void> {
  await sql.end({ timeout: 0 }).catch(() => undefined);
}
