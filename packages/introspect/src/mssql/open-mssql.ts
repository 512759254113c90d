import type { Socket } from 'node:net';
import { Connection, Request, TYPES, type ConnectionConfiguration } from 'tedious';
import { readSourceCa } from '../read-source-ca.ts';
import type { SourceDatabase } from '../source-database.ts';
import { connectSocket } from './connect-socket.ts';
import { mssqlConnectError, mssqlQueryError, type ServerMessage } from './mssql-error.ts';

/** A row with its values by column name. */
export type Row = Readonly<Record<string, unknown>>;

/** Rows of one result of a batch. */
export type ResultSet = readonly Row[];

export type ParameterValue = string | number | boolean | Buffer | null;

/** Arguments of a procedure by name, without `@`. */
export type Parameters = Readonly<Record<string, ParameterValue>>;

/** A connection to one database. Requests run one after the other. */
export interface MssqlSession {
  readonly source: SourceDatabase;
  /** Runs a text without parameters in one round trip. */
  batch(text: string): Promise<readonly ResultSet[]>;
  /** Runs a text with parameters in one round trip. */
  query(text: string, parameters: Parameters): Promise<readonly ResultSet[]>;
  /** Runs a text and passes on the values of each row as it arrives, so that a result can have any size. */
  each(text: string, onRow: (values: readonly unknown[]) => void): Promise<void>;
  /** Calls a procedure in one round trip. */
  call(procedure: string, parameters: Parameters): Promise<readonly ResultSet[]>;
  close(): void;
}

/** Opens a connection. Throws a SourceError with the reason if it fails. */
export async function openMssql(source: SourceDatabase, timeoutMs: number): Promise<MssqlSession> {
  const messages: ServerMessage[] = [];
  let socket: Socket | undefined;
  const connection = new Connection(
    buildConfiguration(
      source,
      timeoutMs,
      async (options) => (socket = await connectSocket(options)),
    ),
  );
  const close = () => {
    connection.close();
    socket?.destroy();
  };
  connection.on('errorMessage', ({ number, message }) => messages.push({ number, message }));
  // A waiting request gets the error of a lost connection. Without a request there is nobody to report it to.
  connection.on('error', () => undefined);
  try {
    await connected(connection, timeoutMs);
  } catch (error) {
    close();
    throw mssqlConnectError(source, error, messages, timeoutMs);
  }
  const run = (start: (request: Request) => void, text: string, parameters: Parameters) =>
    within(timeoutMs, close, runRequest(start, text, parameters)).catch((error: unknown) => {
      throw mssqlQueryError(source, error, timeoutMs);
    });
  return {
    source,
    batch: (text) => run((request) => connection.execSqlBatch(request), text, {}),
    query: (text, parameters) => run((request) => connection.execSql(request), text, parameters),
    each: async (text, onRow) => {
      const request = (done: (error?: Error | null) => void) =>
        new Request(text, done).on('row', (cells: readonly { readonly value: unknown }[]) =>
          onRow(cells.map(({ value }) => value)),
        );
      const answer = new Promise<void>((resolve, reject) =>
        connection.execSqlBatch(request((error) => (error ? reject(error) : resolve()))),
      );
      await within(timeoutMs, close, answer).catch((error: unknown) => {
        throw mssqlQueryError(source, error, timeoutMs);
      });
    },
    call: (procedure, parameters) =>
      run((request) => connection.callProcedure(request), procedure, parameters),
    close,
  };
}

function buildConfiguration(
  source: SourceDatabase,
  timeoutMs: number,
  openSocket: typeof connectSocket,
): ConnectionConfiguration {
  const { host, port, user, password } = source.server;
  const ca = readSourceCa(source);
  const encrypt = source.server.encrypt ?? true;
  return {
    server: host,
    authentication: { type: 'default', options: { userName: user, password } },
    options: {
      port,
      database: source.database,
      appName: 'cdc manage-migrations',
      encrypt,
      trustServerCertificate: source.server.trustServerCertificate ?? false,
      ...(ca !== undefined && { cryptoCredentialsDetails: { ca } }),
      connectTimeout: timeoutMs,
      requestTimeout: 0,
      maxRetriesOnTransientErrors: 0,
      connector: () => openSocket({ host, port, timeoutMs, encrypt }),
    },
  };
}

/** Waits for the login. The driver waits forever for an answer that breaks off, so the timeout is checked here. */
function connected(connection: Connection, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      const error = Object.assign(new Error('no answer to the login'), { code: 'ETIMEOUT' });
      reject(error);
    }, timeoutMs + CONNECT_GRACE_MS);
    connection.connect((error) => {
      clearTimeout(timer);
      if (error) reject(error);
      else resolve();
    });
  });
}

/** Gives the driver's own timeout the chance to come first. */
const CONNECT_GRACE_MS = 200;

/** Limits the time of a whole answer. The driver's timeout ends with the first byte of an answer. */
async function within<T>(timeoutMs: number, close: () => void, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(Object.assign(new Error('no complete answer'), { code: 'ETIMEOUT' }));
      close();
    }, timeoutMs);
  });
  answer.catch(() => undefined);
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

function runRequest(
  start: (request: Request) => void,
  text: string,
  parameters: Parameters,
): Promise<readonly ResultSet[]> {
  return new Promise((resolve, reject) => {
    const results: Row[][] = [];
    let columns: readonly string[] = [];
    const request = new Request(text, (error) => {
      if (error) reject(error);
      else resolve(results);
    });
    request.on('columnMetadata', (metadata) => {
      columns = Object.values(metadata).map(({ colName }) => colName);
      results.push([]);
    });
    request.on('row', (cells: readonly { readonly value: unknown }[]) => {
      const row: Record<string, unknown> = {};
      for (let i = 0; i < columns.length; i++) row[columns[i]!] = cells[i]?.value;
      results.at(-1)?.push(row);
    });
    for (const [name, value] of Object.entries(parameters)) addParameter(request, name, value);
    start(request);
  });
}

function addParameter(request: Request, name: string, value: ParameterValue): void {
  if (Buffer.isBuffer(value))
    request.addParameter(name, TYPES.Binary, value, { length: value.length });
  else if (typeof value === 'boolean') request.addParameter(name, TYPES.Bit, value);
  else if (typeof value === 'number') request.addParameter(name, TYPES.Int, value);
  else request.addParameter(name, TYPES.NVarChar, value);
}
