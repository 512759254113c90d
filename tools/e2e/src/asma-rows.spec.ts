import { randomUUID } from 'node:crypto';
import type { CatalogTable } from '@cdc-migrations/catalog';
import { type ChangeEvent, deliverEvents, chooseSeed } from '@cdc-migrations/event-model';
import { type PostgresServer, startPostgres } from '@cdc-migrations/postgres-fixture';
import { quoteIdentifier, quoteQualified } from '@cdc-migrations/sql-text';
import type { ReplicatedTable } from '@cdc-migrations/table-defs';
import type { Sql } from 'postgres';
import { catalogs, createSink, createSources, SERVICES, SINKS, tablesOf } from './asma.fixture.ts';
import { buildSourceEvents } from './build-source-events.ts';
import { captureChanges } from './capture-changes.ts';
import { renderChanges } from './change-source.fixture.ts';
import { mergeTable } from './merge-table.ts';
import type { SourceChange } from './parse-pgoutput.ts';
import { stageEvents } from './stage-events.ts';

const OWNER = 'migrator';
const BATCHES = 3;
const seed = chooseSeed();

let source: PostgresServer;
let target: PostgresServer;
const changes = new Map<string, readonly SourceChange[]>();
const sources = new Map<string, Sql>();

beforeAll(async () => {
  [source, target] = await Promise.all([
    startPostgres({ major: 15, settings: { wal_level: 'logical' } }),
    startPostgres({ major: 18 }),
  ]);
  await target.createRole(OWNER);
  await createSources(source);
  for (const service of SERVICES) {
    const database = `${service}_dev`;
    const sql = source.connect({ database, max: 1, fetch_types: false, onnotice: () => {} });
    sources.set(database, sql);
    changes.set(database, await changeRows(sql, database));
  }
});
afterAll(() => Promise.all([source?.stop(), target?.stop()]));

/** Changes all tables of a source and returns the changes in its log. */
async function changeRows(sql: Sql, database: string): Promise<readonly SourceChange[]> {
  const enums = await sql<{ name: string; labels: string[] }[]>`
    SELECT enumtypid::regtype::text AS name, json_agg(enumlabel) AS labels FROM pg_enum GROUP BY 1`;
  const labels = new Map(enums.map(({ name, labels: all }) => [`public.${name}`, all]));
  const capture = await captureChanges(sql);
  await sql`SET session_replication_role = replica`; // disables foreign keys
  for (const catalog of catalogs.filter((found) => found.database === database)) {
    for (const [index, table] of catalog.tables.entries()) {
      const name = quoteQualified(catalog.schema, table.name);
      await sql.unsafe(renderChanges({ name, table, labels }, seed + index)).simple();
    }
  }
  return capture.read();
}

function tableOf({ source: { database, schema, table } }: ReplicatedTable): CatalogTable {
  const catalog = catalogs.find((found) => found.database === database && found.schema === schema);
  return catalog!.tables.find(({ name }) => name === table)!;
}

/**
 * Splits events into batches as in a topic, each in random order with duplicates, followed by the first batch again.
 */
function deliver(events: readonly ChangeEvent[]): readonly (readonly ChangeEvent[])[] {
  const size = Math.ceil(events.length / BATCHES);
  const batches = Array.from({ length: BATCHES }, (_, index) =>
    deliverEvents(events.slice(index * size, (index + 1) * size), { seed }).flat(),
  );
  return [...batches, ...batches.slice(0, 1)];
}

/** Reads all rows as text, with the columns that come from the source. */
async function readRows(
  sql: Sql,
  table: string,
  expressions: readonly string[],
): Promise<readonly string[]> {
  const rows = await sql.unsafe<{ row: string }[]>(
    `SELECT jsonb_build_array(${expressions.join(', ')})::text AS row FROM ${table}`,
  );
  return rows.map(({ row }) => row).sort();
}

describe.each(SINKS)(`the sink %s, seed ${seed}`, (sink) => {
  let sql: Sql;
  beforeAll(async () => {
    const database = await createSink(target, sink, OWNER);
    sql = target.connect({ database, max: 1, fetch_types: false, onnotice: () => {} });
  });

  it.each(tablesOf(sink).map((table) => [`${table.service}.${table.name}`, table] as const))(
    'receives the rows of %s',
    async (_, definition) => {
      const { database, schema, table: name } = definition.source;
      const ofTable = changes.get(database)!.filter(({ table }) => table === `${schema}.${name}`);
      const templates = Object.fromEntries(
        definition.columns
          .filter(({ role }) => role === 'template')
          .map((column) => [column.name, randomUUID()]),
      );
      const table = tableOf(definition);
      const events = buildSourceEvents({ database, table }, definition, ofTable, templates);
      for (const batch of deliver(events)) {
        await stageEvents(sql, definition.service, definition, batch);
        await mergeTable(sql, definition.service, definition);
      }
      const columns = definition.columns.filter(({ role }) => role === 'source');
      const expected = await readRows(
        sources.get(database)!,
        quoteQualified(schema, name),
        columns.map(({ source: column, type }) => sourceText(column!.name, type, column!.type)),
      );
      const found = await readRows(
        sql,
        quoteQualified(definition.service, definition.name),
        columns.map((column) => `${quoteIdentifier(column.name)}::text`),
      );
      const deadLetters = await sql`
        SELECT reason FROM cdc_management.dead_letter
        WHERE schema_name = ${definition.service} AND table_name = ${definition.name}`;
      expect(deadLetters).toEqual([]);
      expect(found).toEqual(expected);
      expect(found.length).toBeGreaterThan(10);
    },
  );
});

function sourceText(name: string, type: string, sourceType: string): string {
  const column = quoteIdentifier(name);
  return sourceType === 'money' ? `${column}::${type}::text` : `${column}::text`;
}

it('the logs leave out unchanged large values of every type', () => {
  const kept = [...changes].flatMap(([database, all]) =>
    all.flatMap(({ table, after = {} }) =>
      Object.entries(after).flatMap(([column, value]) =>
        value === 'unchanged' ? [typeOf(database, table, column)] : [],
      ),
    ),
  );
  const types = ['bytea', 'jsonb', 'jsonb[]', 'text', 'text[]', 'xml'];
  expect([...new Set(kept)].sort()).toEqual(types);
});

function typeOf(database: string, name: string, column: string): string {
  const ofDatabase = catalogs.filter((catalog) => catalog.database === database);
  const found = ofDatabase
    .flatMap(({ schema, tables }) =>
      tables.map((table) => ({ name: `${schema}.${table.name}`, table })),
    )
    .find((table) => table.name === name)!
    .table.columns.find((candidate) => candidate.name === column)!;
  return found.type + (found.array ? '[]' : '');
}
