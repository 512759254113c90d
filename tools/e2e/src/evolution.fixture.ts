import { renderInfrastructure, renderSchemas, renderTable } from '@cdc-migrations/ddl-render';
import { type PostgresServer, startPostgres } from '@cdc-migrations/postgres-fixture';
import { quoteIdentifier, quoteLiteral } from '@cdc-migrations/sql-text';
import { renderStaging } from '@cdc-migrations/staging-render';
import type { ColumnDefinition, MigrationSet, ReplicatedTable } from '@cdc-migrations/table-defs';
import { buildTable, type TableFacts } from '@cdc-migrations/table-fixture';
import { type ColumnConcern, compareRelations, readStructure } from '@cdc-migrations/tracker';
import type { Sql } from 'postgres';

export const SET: MigrationSet = {
  name: 'sink_test.target',
  folder: 'migrations',
  sourceGroup: 'test',
  pattern: 'db-per-tenant',
  services: ['test'],
  literalSchemas: [],
};

/** A database with the infrastructure and the schemas of some tenants. */
export interface EvolutionTarget {
  readonly server: PostgresServer;
  readonly sql: Sql;
  /** Runs statements in one transaction. */
  run(text: string): Promise<void>;
  stop(): Promise<void>;
}

export async function startEvolutionTarget(
  major: 15 | 18,
  schemas: readonly string[],
): Promise<EvolutionTarget> {
  const server = await startPostgres({ major });
  const database = await server.createDatabase();
  const sql = server.connect({ database, max: 1, fetch_types: false, onnotice: () => {} });
  const run = async (text: string) => {
    await sql.begin((transaction) => transaction.unsafe(text).simple());
  };
  await run(renderSchemas(SET, schemas, 'postgres').text);
  await run(renderInfrastructure(SET, 'postgres').text);
  return { server, sql, run, stop: () => server.stop() };
}

/** Builds the definition of a tenant's table `name` with these columns and the metadata columns. */
export function tableOf(
  name: string,
  columns: readonly ColumnDefinition[],
  facts: Pick<TableFacts, 'key' | 'deleteMode'> = {},
): ReplicatedTable {
  const source = { database: 'Test', schema: 'dbo', table: name };
  return buildTable({ set: SET.name, service: 'test', source, name, columns, ...facts });
}

/** Builds a source column, or a template column if it has a default. */
export function columnOf(
  name: string,
  type: string,
  {
    nullable = true,
    initial,
    backfill,
  }: { readonly nullable?: boolean; readonly initial?: string; readonly backfill?: string } = {},
): ColumnDefinition {
  const source = { source: { name, type }, exactness: 'exact' } as const;
  return initial === undefined
    ? { name, role: 'source', type, nullable, ...(backfill && { backfill }), ...source }
    : { name, role: 'template', type, nullable, default: initial };
}

/** Renders the table file of a definition for a schema. */
export function tableFile(schema: string, table: ReplicatedTable): string {
  return expand(schema, renderTable(table, `tables/${table.name}.sql`).text);
}

/** Renders the staging file of a definition for a schema. */
export function stagingFile(schema: string, table: ReplicatedTable): string {
  const path = `staging/${table.name}-staging.sql`;
  return expand(schema, renderStaging(table, { path, role: 'postgres' }).text);
}

function expand(schema: string, text: string): string {
  return text.replaceAll('{{SCHEMA}}', schema);
}

/** Renders an INSERT of an upsert with these values as text, at an offset of the table's only stream. */
export function stageSql(
  schema: string,
  table: ReplicatedTable,
  offset: number,
  values: Readonly<Record<string, string | null>>,
): string {
  const event = {
    ...values,
    __sync_timestamp: 'now',
    __source_db: 'Test',
    __source_table: table.name,
    __cdc_operation: 'u',
    __kafka_partition: '0',
    __kafka_offset: String(offset),
  };
  const columns = Object.keys(event).map(quoteIdentifier).join(', ');
  const literals = Object.values(event).map((value) =>
    value === null ? 'NULL' : quoteLiteral(value),
  );
  const staging = `${quoteIdentifier(schema)}.${quoteIdentifier(table.names.staging)}`;
  return `INSERT INTO ${staging} (${columns}) VALUES (${literals.join(', ')});\n`;
}

/** Renders the columns of a definition for `cdc_management.plan_table`. */
export function planColumns({ columns }: ReplicatedTable): string {
  return JSON.stringify(
    columns.map(({ name, type, nullable, default: initial = null, formerly = [], backfill }) => [
      name,
      type,
      !nullable,
      initial,
      formerly,
      ...(backfill === undefined ? [] : [backfill]),
    ]),
  );
}

/**
 * Compares tables that went through earlier definitions with tables created from the last one, as `check` does. Both
 * are on one server, so that defaults have the same spelling.
 */
export async function differencesFromCreated(
  sql: Sql,
  made: string,
  evolved: readonly string[],
): Promise<readonly string[]> {
  const groups = await readStructure(
    { read: (text) => sql.unsafe(text) },
    { schemas: [made, ...evolved], tables: [], role: 'postgres' },
  );
  const relations = groups.filter(({ schemas }) => schemas.includes(made));
  const others = groups.map((group) => ({
    ...group,
    schemas: group.schemas.filter((schema) => schema !== made),
  }));
  const notes = await sql<ColumnConcern[]>`
    SELECT schema_name AS schema, table_name AS table, column_name AS column, state FROM cdc_management.column_note`;
  const places = evolved.map((schema) => ({ schema, relations }));
  const defaults = others.flatMap(({ name, schemas, columns }) => {
    const wanted = relations.find((one) => one.name === name)?.columns ?? [];
    const initial = new Map(wanted.map((column) => [column.name, column.default]));
    return columns
      .filter((column) => (initial.get(column.name) ?? column.default) !== column.default)
      .map((column) => `${schemas.join(', ')} ${name} ${column.name}: DEFAULT ${column.default}`);
  });
  return [
    ...compareRelations(places, others, notes).map(
      ({ schema, name, kind, message }) => `${schema} ${name} ${kind}: ${message}`,
    ),
    ...defaults,
  ];
}
