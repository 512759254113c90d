import { randomUUID } from 'node:crypto';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { Host } from '../batch/host.ts';
import type { MssqlCatalog } from '../engine/views.ts';
import { editRows } from '../engine/edit-rows.ts';
import { openEngine } from '../engine/open-engine.ts';
import { loadParser } from '../sql/syntax.ts';
import type { SqlValue } from '../tds/sql-type.ts';
import type { EncryptionMode } from '../tds/prelogin.ts';
import { createCertificate, secureContexts } from './create-certificate.ts';
import { createFaultBox, type FaultRule } from './fault.ts';
import type { LoginAccount } from './login-reply.ts';
import { openDatabase, type MssqlDatabase } from './mssql-database.ts';
import type { ServedRequest } from './served-request.ts';
import { serveConnection } from './serve-connection.ts';
import type { ServerContext } from './server-context.ts';

/** Options of a server. */
export interface MssqlFixtureOptions {
  /** Databases with their catalogs. */
  readonly databases: Readonly<Record<string, MssqlCatalog>>;
  /** The default is `optional`: the client decides. */
  readonly encryption?: EncryptionMode;
  /** The default is `sa`, a sysadmin with a generated password. */
  readonly logins?: readonly LoginAccount[];
  /** The default is `15.0.4382.1` (SQL Server 2019). */
  readonly productVersion?: string;
  /** The default is a free port. The host is 127.0.0.1. */
  readonly port?: number;
  /** The server's time. The default is the machine's. */
  readonly clock?: () => Date;
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
  forgetRequests(): void;
  /** Adds a fault by a rule. The returned function removes it. */
  addFault(rule: FaultRule): () => void;
  clearFaults(): void;
  /** Lists internal errors of the fixture. A test can expect none. */
  internalErrors(): readonly unknown[];
  /** Closes all connections and the port. */
  close(): Promise<void>;
}

const LOOPBACK = '127.0.0.1';
const DEFAULT_VERSION = '15.0.4382.1';
const SERVER_NAME = 'MSSQLFIXTURE';
const FIRST_PRINCIPAL_ID = 259;

/** Starts a server on the loopback interface. */
export async function startMssqlFixture(options: MssqlFixtureOptions): Promise<MssqlFixture> {
  const [certificate] = await Promise.all([createCertificate(), loadParser()]);
  const engine = openEngine();
  for (const [name, catalog] of Object.entries(options.databases))
    engine.addDatabase(name, catalog);
  const productVersion = options.productVersion ?? DEFAULT_VERSION;
  const host: Host = {
    engine,
    serverName: SERVER_NAME,
    productVersion,
    properties: serverProperties(productVersion),
    clock: options.clock ?? (() => new Date()),
  };
  const logins = options.logins ?? [defaultLogin()];
  const principals = editRows(engine, 'master');
  logins.forEach(({ name }, i) =>
    principals.insert('sys.server_principals', { name, principal_id: FIRST_PRINCIPAL_ID + i }),
  );
  const requests: ServedRequest[] = [];
  const internalErrors: unknown[] = [];
  const faults = createFaultBox();
  const context: ServerContext = {
    ...{ host, logins, faults, encryption: options.encryption ?? 'optional' },
    tls: secureContexts(certificate),
    record: (request) => requests.push(request),
    onInternalError: (error) => internalErrors.push(error),
  };
  const listening = await listen(context, options.port ?? 0);
  const database = (name: string): MssqlDatabase => openDatabase(host, name);
  const [first] = logins;
  return {
    host: LOOPBACK,
    port: listening.port,
    certificatePem: certificate.certificatePem,
    login: { userName: first?.name ?? '', password: first?.password ?? '' },
    database,
    addDatabase: (name, catalog) => database(engine.addDatabase(name, catalog).name),
    requests: () => [...requests],
    roundTrips: () => requests.filter((request) => !request.isSetup).length,
    connections: listening.connections,
    forgetRequests: () => void requests.splice(0),
    addFault: faults.add,
    clearFaults: faults.clear,
    internalErrors: () => [...internalErrors],
    close: listening.close,
  };
}

interface Listening {
  readonly port: number;
  readonly connections: () => number;
  readonly close: () => Promise<void>;
}

async function listen(context: ServerContext, port: number): Promise<Listening> {
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
    server.listen(port, LOOPBACK, resolve);
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

function serverProperties(version: string): Readonly<Record<string, SqlValue>> {
  return {
    productversion: version,
    productmajorversion: version.split('.')[0] ?? null,
    productlevel: 'RTM',
    edition: 'Developer Edition (64-bit)',
    engineedition: 3,
    collation: 'Danish_Norwegian_CI_AS',
    servername: SERVER_NAME,
    machinename: SERVER_NAME,
    instancename: null,
    isclustered: 0,
    ishadrenabled: 0,
    isintegratedsecurityonly: 0,
    issingleuser: 0,
  };
}
