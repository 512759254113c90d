import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { applyFiles, renderMigrations, renderPartitioned } from '@cdc-migrations/e2e';
import {
  type Pgbouncer,
  type PostgresServer,
  startDebianPostgres,
  startPgbouncer,
  startPostgres,
} from '@cdc-migrations/postgres-fixture';
import type { MigrationSet, ReplicatedTable } from '@cdc-migrations/table-defs';
import type { Sql } from 'postgres';
import type { RoundPlan } from './round-plan.ts';

export const OWNER = 'migrator';
/** Role of writers and mergers. It has only the generated grants. */
export const SINK = 'cdc_writer';
export const TENANT = 'kunde-å';

const SET: MigrationSet = {
  name: 'sink_soak.target',
  folder: 'migrations',
  sourceGroup: 'soak',
  pattern: 'db-per-tenant',
  services: ['soak'],
  literalSchemas: [],
};

/** A major version of the test server, or Debian's PostgreSQL with stock settings. */
export type ServerKind = 15 | 18 | 'debian';

/** A server for databases with the infrastructure and one tenant. */
export interface SoakTarget {
  readonly server: PostgresServer;
  /** Creates a database with the tables of a round. Partitioned tables are created before their files are applied. */
  openDatabase(
    plan: Pick<RoundPlan, 'tables' | 'partitionings' | 'isPooled'>,
  ): Promise<SoakDatabase>;
  dropDatabase(database: SoakDatabase): Promise<void>;
  stop(): Promise<void>;
}

export interface SoakDatabase {
  readonly name: string;
  /** One session each. */
  readonly owner: Sql;
  readonly superuser: Sql;
  /** True if sinks connect through a transaction pool. */
  readonly isPooled: boolean;
  connectSink(applicationName: string): Sql;
  connectSuperuser(applicationName: string): Sql;
  /** Opens a socket for a session of the sink. It is still connecting. */
  openSocket(): Socket;
  /** Closes its sessions. */
  close(): Promise<void>;
}

export async function startSoakTarget(
  kind: ServerKind = 15,
  settings: Readonly<Record<string, string>> = {},
): Promise<SoakTarget> {
  const server =
    kind === 'debian'
      ? await startDebianPostgres({ settings })
      : await startPostgres({ major: kind, settings });
  await server.createRole(OWNER);
  await server.createRole(SINK);
  const template = await server.createDatabase({ owner: OWNER });
  await applyTables(server, template, []);
  const admin = server.connect({ max: 1, onnotice: () => {} });
  const pool =
    kind === 'debian' ? await startPgbouncer(server, { users: { [SINK]: SINK } }) : undefined;
  return {
    server,
    async openDatabase({ tables, partitionings, isPooled }) {
      const name = await server.createDatabase({ owner: OWNER, template });
      const database = openDatabase(server, name, isPooled ? pool : undefined);
      for (const [n, table] of tables.entries()) {
        const partitioning = partitionings[n];
        if (!partitioning) continue;
        await database.owner.unsafe(renderPartitioned(TENANT, table, partitioning)).simple();
      }
      await applyTables(server, name, tables);
      return database;
    },
    async dropDatabase(database) {
      await database.close();
      await admin.unsafe(`DROP DATABASE "${database.name}" WITH (FORCE)`);
    },
    async stop() {
      await pool?.stop();
      await server.stop();
    },
  };
}

export async function whenConnected(socket: Socket): Promise<Socket> {
  await once(socket, 'connect');
  return socket;
}

/** Opens a database with its sessions, also after a restart of its server. */
export function openDatabase(server: PostgresServer, name: string, pool?: Pgbouncer): SoakDatabase {
  const sessions: Sql[] = [];
  const openSocket = () => connect((pool ?? server).port, (pool ?? server).host);
  const open = (user: string | undefined, applicationName: string) => {
    const sql = server.connect({
      ...(user !== undefined && { user }),
      ...(user === SINK && { socket: () => whenConnected(openSocket()), prepare: false }),
      ...{ database: name, max: 1, fetch_types: false, onnotice: () => {} },
      connection: { application_name: applicationName },
    });
    sessions.push(sql);
    return sql;
  };
  return {
    name,
    isPooled: pool !== undefined,
    owner: open(OWNER, 'owner'),
    superuser: open(undefined, 'superuser'),
    connectSink: (applicationName) => open(SINK, applicationName),
    connectSuperuser: (applicationName) => open(undefined, applicationName),
    openSocket,
    async close() {
      await Promise.all(sessions.map((sql) => sql.end({ timeout: 0 })));
    },
  };
}

async function applyTables(
  server: PostgresServer,
  database: string,
  tables: readonly ReplicatedTable[],
): Promise<void> {
  const files = renderMigrations({ set: SET, tables, tenants: [TENANT], role: SINK });
  await applyFiles(server, { database, user: OWNER, tenants: [TENANT] }, files);
}
