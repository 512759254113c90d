import { type PostgresServer, startPostgres } from '@cdc-migrations/postgres-fixture';
import type { MigrationSet } from '@cdc-migrations/table-defs';
import { renderInfrastructure } from './render-infrastructure.ts';
import { renderSchemas } from './render-schemas.ts';

/** A database session. */
type Sql = ReturnType<PostgresServer['connect']>;

export const SET: MigrationSet = {
  name: 'sink_asma.directory',
  folder: 'migrations',
  sourceGroup: 'adopus',
  pattern: 'db-per-tenant',
  services: ['adopus'],
  literalSchemas: ['shared'],
};

export interface ManagedDatabase {
  readonly server: PostgresServer;
  /** A session of the superuser. */
  readonly sql: Sql;
}

/** Starts a server with a database that has the infrastructure and the schemas `avansas` and `shared`. */
export async function startManagedDatabase(): Promise<ManagedDatabase> {
  const server = await startPostgres({ major: 15 });
  const database = await server.createDatabase();
  const sql = server.connect({ database, max: 1, fetch_types: false, onnotice: () => {} });
  const files = [
    renderSchemas(SET, ['avansas'], 'postgres'),
    renderInfrastructure(SET, 'postgres'),
  ];
  for (const { text } of files) await applyText(sql, text);
  return { server, sql };
}

/** Runs the text of a file without our tool: replaces the placeholder and runs one transaction. */
export async function applyText(sql: Sql, text: string): Promise<void> {
  const statements = text.replaceAll('{{SCHEMA}}', 'avansas');
  await sql.begin((transaction) => transaction.unsafe(statements).simple());
}
