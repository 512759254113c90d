import { randomUUID } from 'node:crypto';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { LoginAccount } from '../batch/session.ts';
import { addLsn, renderLsn } from '../cdc/log-sequence.ts';
import {
  openEngine,
  type Database,
  type MssqlCatalog,
  type RowEditor,
} from '../engine/open-engine.ts';
import { editTables, type TableEditor } from '../engine/tables.ts';
import { loadParser } from '../sql/syntax.ts';
import type { EncryptionMode } from '../tds/login.ts';
import { renderTime } from '../tds/sql-type.ts';
import { createCertificate } from './create-certificate.ts';
import { createFaultBox, type FaultRule } from './fault.ts';
import { serveConnection } from './serve-connection.ts';
import type { ServedRequest, ServerContext } from './server-context.ts';

/** Options of a server. */
export interface MssqlFixtureOptions {
  /** Databases with their catalogs. */
  readonly databases: Readonly<Record<string, MssqlCatalog>>;
  /** The default is `optional`: the client decides. */
  readonly encryption?: EncryptionMode;
  /** The default is `sa`, a sysadmin with a generated password. */
  readonly logins?: readonly LoginAccount[];
}

/** A database of a running server. Its tables and the rows of its views can be changed at any time. */
export interface MssqlDatabase extends RowEditor, TableEditor {
  /** Advances the log to a time, like a scan of the capture job. Returns the new LSN, `0x…`. */
  advanceLog(time: Date): string;
}

/** A running server. */
export interface MssqlFixture {
  readonly host: string;
  readonly port: number;
  /** The certificate as PEM, for use as a CA. Its names are `localhost` and 127.0.0.1. */
  readonly certificatePem: string;
  /** The first login. */
  readonly login: { readonly userName: string; readonly password: string };
  /** Opens a database to change its catalog while clients are connected. Throws for a database that does not exist. */
  database(name: string): MssqlDatabase;
  addDatabase(name: string, catalog: MssqlCatalog): MssqlDatabase;
  /** Lists all requests after logins, in order. */
  requests(): readonly ServedRequest[];
  /** Counts the requests without those that only set options. */
  roundTrips(): number;
  /** Counts the accepted connections. */
  connections(): number;
  clearRequests(): void;
  addFault(rule: FaultRule): void;
  clearFaults(): void;
  /** Lists internal errors of the fixture. A test can expect none. */
  internalErrors(): readonly unknown[];
  /** Closes all connections and the port. */
  close(): Promise<void>;
}

const LOOPBACK = '127.0.0.1';

/** Starts a server on a free port of the loopback interface. */
export async function startMssqlFixture({
  databases,
  encryption = 'optional',
  logins = [defaultLogin()],
}: MssqlFixtureOptions): Promise<MssqlFixture> {
  const [certificate] = await Promise.all([createCertificate(), loadParser()]);
  const engine = openEngine();
  for (const [name, catalog] of Object.entries(databases)) engine.addDatabase(name, catalog);
  const requests: ServedRequest[] = [];
  const internalErrors: unknown[] = [];
  const faults = createFaultBox();
  const listening = await listen({
    ...{ engine, logins, faults, encryption, tls: certificate.context },
    record: (request) => requests.push(request),
    onInternalError: (error) => internalErrors.push(error),
  });
  const [first] = logins;
  return {
    ...{ host: LOOPBACK, certificatePem: certificate.certificatePem, ...listening },
    login: { userName: first?.name ?? '', password: first?.password ?? '' },
    database: (name) => {
      const database = engine.database(name);
      if (!database) throw new Error(`the server has no database ${name}`);
      return openDatabase(database);
    },
    addDatabase: (name, catalog) => openDatabase(engine.addDatabase(name, catalog)),
    requests: () => [...requests],
    roundTrips: () => requests.filter((request) => !request.isSetup).length,
    clearRequests: () => void requests.splice(0),
    addFault: faults.add,
    clearFaults: faults.clear,
    internalErrors: () => [...internalErrors],
  };
}

function openDatabase(database: Database): MssqlDatabase {
  const { find, insert, update, remove } = database;
  return {
    ...{ find, insert, update, remove, ...editTables(database) },
    advanceLog: (time) => renderLsn(addLsn(database, renderTime(time))),
  };
}

async function listen(
  context: ServerContext,
): Promise<Pick<MssqlFixture, 'port' | 'connections' | 'close'>> {
  const sockets = new Set<Socket>();
  const served = new Set<Promise<void>>();
  let connections = 0;
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    const serving = serveConnection(socket, context, ++connections);
    served.add(serving);
    void serving.finally(() => served.delete(serving));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, LOOPBACK, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
      await Promise.all(served);
    },
  };
}

function defaultLogin(): LoginAccount {
  return { name: 'sa', password: randomUUID(), serverRoles: ['sysadmin'], databaseRoles: {} };
}
