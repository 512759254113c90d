import { applyFiles, renderMigrations, renderPartitioned } from '@cdc-migrations/e2e';
import {
  type PostgresServer,
  startDebianPostgres,
  startPostgres,
} from '@cdc-migrations/postgres-fixture';
import type { MigrationSet, ReplicatedTable } from '@cdc-migrations/table-defs';
import type { Sql } from 'postgres';
import type { RoundPlan } from './round-plan.ts';

const OWNER = 'migrator';
/** The role of writers and mergers: it has the generated grants and no more. */
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

/** A major version of the server that tests use, or Debian's PostgreSQL with the settings that it ships. */
export type ServerKind = 15 | 18 | 'debian';

/** A server whose databases have the bookkeeping and one tenant. */
export interface SoakTarget {
  readonly server: PostgresServer;
  /** A new database with the tables of a round; those in partitions are there before their files. */
  openDatabase(plan: Pick<RoundPlan, 'tables' | 'partitionings'>): Promise<SoakDatabase>;
  dropDatabase(database: SoakDatabase): Promise<void>;
  stop(): Promise<void>;
}

export interface SoakDatabase {
  readonly name: string;
  /** One session each. */
  readonly owner: Sql;
  readonly superuser: Sql;
  connectSink(applicationName: string): Sql;
  /** Ends its sessions. */
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
  return {
    server,
    async openDatabase({ tables, partitionings }) {
      const name = await server.createDatabase({ owner: OWNER, template });
      const database = openDatabase(server, name);
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
    stop: () => server.stop(),
  };
}

/** A database with its sessions, after a start of its server too. */
export function openDatabase(server: PostgresServer, name: string): SoakDatabase {
  const sessions: Sql[] = [];
  const connect = (user: string | undefined, applicationName: string) => {
    const sql = server.connect({
      ...(user !== undefined && { user }),
      ...{ database: name, max: 1, fetch_types: false, onnotice: () => {} },
      connection: { application_name: applicationName },
    });
    sessions.push(sql);
    return sql;
  };
  return {
    name,
    owner: connect(OWNER, 'owner'),
    superuser: connect(undefined, 'superuser'),
    connectSink: (applicationName) => connect(SINK, applicationName),
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
