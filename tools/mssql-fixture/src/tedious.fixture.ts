import { Connection, Request, TYPES, type ConnectionConfiguration } from 'tedious';
import type { MssqlFixture } from './server/start-mssql-fixture.ts';

/** A column and its value as received by a client. */
interface ClientColumn {
  readonly name: string;
  readonly type: string;
  readonly length: number | undefined;
}

/** Result of a request as received by a client. */
export interface ClientResult {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  readonly columns: readonly ClientColumn[];
  readonly resultSets: number;
  readonly status: number | undefined;
}

/** An error of the server as tedious throws it. */
export interface ClientError extends Error {
  readonly number?: number;
  readonly code?: string;
}

export type ClientOptions = NonNullable<ConnectionConfiguration['options']>;

/** A parameter with the name of its type in {@link TYPES}. */
export interface ClientParameter {
  readonly name: string;
  readonly type: keyof typeof TYPES;
  readonly value: unknown;
}

/** Opens a tedious connection and logs in. The caller closes it. */
export async function connect(
  server: MssqlFixture,
  options: ClientOptions = {},
  login: { readonly userName: string; readonly password: string } = server.login,
): Promise<Connection> {
  const connection = new Connection({
    server: server.host,
    authentication: { type: 'default', options: login },
    options: {
      port: server.port,
      database: 'AdOpusTest',
      encrypt: false,
      rowCollectionOnRequestCompletion: false,
      connectTimeout: 5000,
      maxRetriesOnTransientErrors: 0,
      ...options,
    },
  });
  connection.on('error', () => undefined);
  endings.set(connection, new Promise((resolve) => connection.once('end', () => resolve())));
  await new Promise<void>((resolve, reject) => {
    connection.connect((error) => (error ? reject(error) : resolve()));
  });
  return connection;
}

/** Promises for the end of each connection. */
const endings = new WeakMap<Connection, Promise<void>>();

/** Closes a connection and waits for its end. */
export async function close(connection: Connection): Promise<void> {
  connection.close();
  await endings.get(connection);
}

/** Options for sending a request. */
export interface RunOptions {
  readonly parameters?: readonly ClientParameter[];
  readonly how?: 'execSql' | 'execSqlBatch' | 'callProcedure';
  readonly onRow?: (request: Request) => void;
}

/** Runs SQL or a procedure, and collects all results. */
export async function run(
  connection: Connection,
  sql: string,
  { parameters = [], how = 'execSql', onRow }: RunOptions = {},
): Promise<ClientResult> {
  const rows: Record<string, unknown>[] = [];
  let columns: readonly ClientColumn[] = [];
  let resultSets = 0;
  let status: number | undefined;
  await new Promise<void>((resolve, reject) => {
    const request = new Request(sql, (error) => (error ? reject(error) : resolve()));
    for (const { name, type, value } of parameters) request.addParameter(name, TYPES[type], value);
    request.on('columnMetadata', (metadata) => {
      resultSets++;
      if (Array.isArray(metadata)) {
        columns = metadata.map(({ colName, type, dataLength }) => ({
          name: colName,
          type: type.name,
          length: dataLength,
        }));
      }
    });
    request.on('row', (row: readonly { readonly value: unknown }[]) => {
      rows.push(Object.fromEntries(row.map(({ value }, i) => [columns[i]?.name ?? '', value])));
      onRow?.(request);
    });
    request.on('doneProc', (_count, _more, returnStatus) => {
      status = returnStatus;
    });
    connection[how](request);
  });
  return { rows, columns, resultSets, status };
}

/** Returns the error that a promise is rejected with. */
export async function errorOf(promise: Promise<unknown>): Promise<ClientError> {
  return promise.then(
    () => {
      throw new Error('no error came');
    },
    (error: ClientError) => error,
  );
}
