import { parseSnapshot } from '@cdc-migrations/catalog';
import { parseServiceConfig } from '@cdc-migrations/config';
import type { ChangeEvent } from '@cdc-migrations/event-model';
import { type PostgresServer, startPostgres } from '@cdc-migrations/postgres-fixture';
import { buildDefinitions, type ReplicatedTable } from '@cdc-migrations/table-defs';
import type { Sql } from 'postgres';
import { applyFiles } from './apply-files.ts';
import { createSink, tablesOf } from './asma.fixture.ts';
import { mergeTable } from './merge-table.ts';
import { renderMigrations } from './render-migrations.ts';
import { stageEvents } from './stage-events.ts';

const OWNER = 'migrator';
const CUSTOMERS = Array.from({ length: 26 }, (_, index) => index);
const KEYS = [1, 2, 3, 4];

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres({ major: 15 });
  await server.createRole(OWNER);
});
afterAll(() => server?.stop());

const uuid = (number: number) => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;

/** Builds an event of a table in the stream of a source. */
function eventOf(
  source: string,
  offset: number,
  operation: 'c' | 'u' | 'd',
  values: Readonly<Record<string, string | null>>,
): ChangeEvent {
  const metadata = {
    __source_db: source,
    __source_table: 't',
    __cdc_operation: operation,
    __kafka_partition: '0',
    __kafka_offset: String(offset),
  };
  const kind = operation === 'd' ? 'delete' : 'upsert';
  return { kind, partition: 0, offset, values: { ...values, ...metadata } };
}

async function merge(
  sql: Sql,
  schema: string,
  table: ReplicatedTable,
  events: readonly ChangeEvent[],
): Promise<void> {
  await stageEvents(sql, schema, table, events);
  await mergeTable(sql, schema, table);
}

describe('a table that db-per-tenant customers with equal keys share', () => {
  const { sets, tables } = buildDefinitions(
    parseServiceConfig(
      new Map([
        [
          'sink-groups.yaml',
          `sink: { source_group: g, pattern: db-shared, type: postgres,
  servers: { s: { host: h, port: 1, user: u, password: p } },
  sources: { one: { schemas: [public], prod: { server: s, database: d } } } }`,
        ],
        [
          'services/_schemas/column-templates.yaml',
          'templates: { customer_id: { name: _customer_id, type: uuid, not_null: true } }',
        ],
        [
          'services/adopus.yaml',
          `adopus:
  source: { validation_database: D, validation_env: prod, tables: { dbo.Actor: {} } }
  sinks: { sink.one: { tables: { shared.Actor: { from: dbo.Actor, column_templates: [customer_id] } } } }`,
        ],
      ]),
    ),
    [
      parseSnapshot(
        `database: D
schema: dbo
type: mssql
pattern: db-per-tenant
tables:
  Actor:
    columns:
      - { name: actno, type: int, nullable: false }
      - { name: navn, type: ntext, nullable: true }
    primary_key: { name: PK, columns: [actno] }`,
        'generated/schemas/D.dbo.yaml',
      ),
    ],
  );
  const table = tables[0] as ReplicatedTable;
  const nameOf = (customer: number, key: number) => `${key} of ${customer}`;
  let sql: Sql;

  const eventsOf = (customer: number): readonly ChangeEvent[] => {
    const row = (key: number, navn: string | null) => ({
      actno: String(key),
      navn,
      _customer_id: uuid(customer),
    });
    const source = `Customer${customer}`;
    const kept = (key: number) => (customer % 2 === 0 ? key !== 1 : true);
    return [
      ...KEYS.map((key) => eventOf(source, key, 'c', row(key, 'old'))),
      ...KEYS.map((key) => eventOf(source, 10 + key, 'u', row(key, nameOf(customer, key)))),
      ...KEYS.filter((key) => !kept(key)).map((key) =>
        eventOf(source, 20 + key, 'd', row(key, null)),
      ),
    ];
  };

  beforeAll(async () => {
    const database = await server.createDatabase({ owner: OWNER });
    const files = renderMigrations({ set: sets[0]!, tables: [table], tenants: [], role: OWNER });
    await applyFiles(server, { database, user: OWNER, tenants: [] }, files);
    sql = server.connect({ database, user: OWNER, max: 1, fetch_types: false });
  });

  it('keeps and deletes the rows of each customer, in any order of customers', async () => {
    expect(table.key!.columns).toEqual(['_customer_id', 'actno']);
    for (const customers of [CUSTOMERS, [...CUSTOMERS].reverse()]) {
      await merge(sql, 'shared', table, customers.flatMap(eventsOf));
      const rows = await sql<{ customer: string; actno: number; navn: string }[]>`
        SELECT "_customer_id" AS customer, actno, navn FROM shared."Actor" ORDER BY 1, 2`;
      const expected = CUSTOMERS.flatMap((customer) =>
        KEYS.filter((key) => customer % 2 === 1 || key !== 1).map((key) => ({
          customer: uuid(customer),
          actno: key,
          navn: nameOf(customer, key),
        })),
      );
      expect(rows.map((row) => ({ ...row }))).toEqual(expected);
    }
    const [deadLetters] = await sql`SELECT count(*)::int AS count FROM cdc_management.dead_letter`;
    expect(deadLetters!['count']).toBe(0);
  });

  it('does not receive an event without a customer id, which is moved to the dead letters', async () => {
    const values = { actno: '1', navn: 'whose?', _customer_id: null };
    await merge(sql, 'shared', table, [eventOf('Customer1', 99, 'u', values)]);
    const deadLetters = await sql`SELECT reason FROM cdc_management.dead_letter`;
    expect(deadLetters.map(({ reason }) => reason as string)).toEqual([
      'missing key column "_customer_id"',
    ]);
    const found = await sql`SELECT FROM shared."Actor" WHERE navn = 'whose?'`;
    expect(found).toHaveLength(0);
  });
});

describe('a sink of several services with db-shared customers', () => {
  const SINK = 'sink_warehouse.analytics';
  const tableOf = (service: string, name: string) =>
    tablesOf(SINK).find((table) => table.service === service && table.name === name)!;
  let sql: Sql;
  beforeAll(async () => {
    const database = await createSink(server, SINK, OWNER);
    sql = server.connect({ database, max: 1, fetch_types: false });
  });

  it('has one row per customer for a user of several customers', async () => {
    const table = tableOf('directory', 'customer_user');
    expect(table.columns.filter(({ name }) => name === 'customer_id')).toHaveLength(1);
    const events = CUSTOMERS.map((customer) =>
      eventOf('directory', customer + 1, 'c', {
        customer_id: uuid(customer),
        user_id: uuid(500),
        user_name: `name at ${customer}`,
      }),
    );
    const gone = { customer_id: uuid(3), user_id: uuid(500), user_name: null };
    await merge(sql, 'directory', table, [...events, eventOf('directory', 99, 'd', gone)]);
    const rows = await sql`SELECT customer_id, user_name FROM directory.customer_user ORDER BY 1`;
    expect(rows.map((row) => ({ ...row }))).toEqual(
      CUSTOMERS.filter((customer) => customer !== 3).map((customer) => ({
        customer_id: uuid(customer),
        user_name: `name at ${customer}`,
      })),
    );
  });

  it('keeps users of directory and chat with the same key separate', async () => {
    const key = { user_id: uuid(7), customer_id: uuid(1) };
    await merge(sql, 'directory', tableOf('directory', 'users'), [
      eventOf('directory', 1, 'c', { ...key, status: 'active', created_at: '2026-01-01Z' }),
    ]);
    await merge(sql, 'chat', tableOf('chat', 'users'), [
      eventOf('chat', 1, 'c', { ...key, nick: 'kari' }),
      eventOf('chat', 2, 'd', { user_id: uuid(7), customer_id: null, nick: null }),
    ]);
    expect(await sql`SELECT FROM directory.users`).toHaveLength(1);
    expect(await sql`SELECT FROM chat.users`).toHaveLength(0);
  });
});
