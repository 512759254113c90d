import { parseServiceConfig } from '@cdc-migrations/config';
import { createRandom } from '@cdc-migrations/event-model';
import { readCatalogs } from '@cdc-migrations/introspect';
import { type PostgresServer, startPostgres } from '@cdc-migrations/postgres-fixture';
import { buildDefinitions, type ReplicatedTable } from '@cdc-migrations/table-defs';
import { applyFiles } from './apply-files.ts';
import { buildSourceEvents } from './build-source-events.ts';
import { captureChanges } from './capture-changes.ts';
import { mergeTable } from './merge-table.ts';
import { renderMigrations } from './render-migrations.ts';
import { stageEvents } from './stage-events.ts';

const TEXTS = Array.from({ length: 20 }, (_, index) => `text_${index}`);
const ROWS = 5;
const NAME = 'wide';
const OWNER = 'migrator';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres({ major: 18, settings: { wal_level: 'logical' } });
  await server.createRole(OWNER);
});
afterAll(() => server?.stop());

const config = parseServiceConfig(
  new Map([
    [
      'sink-groups.yaml',
      `sink: { source_group: g, pattern: db-shared, type: postgres,
  servers: { s: { host: h, port: 1, user: u, password: p } },
  sources: { one: { schemas: [public], prod: { server: s, database: d } } } }`,
    ],
    [
      'services/_schemas/column-templates.yaml',
      'templates: { customer_id: { name: customer_id, type: uuid } }',
    ],
    [
      'services/app.yaml',
      `app:
  source: { validation_database: source, validation_env: prod, tables: { public.${NAME}: {} } }
  sinks: { sink.one: { tables: { app.${NAME}: { from: public.${NAME}, column_templates: [customer_id] } } } }`,
    ],
  ]),
);

/** Builds an incompressible text. */
function randomText(random: ReturnType<typeof createRandom>, length: number): string {
  return Array.from({ length }, () => String.fromCharCode(random.integer(97, 122))).join('');
}

it('an update keeps unchanged values of every type that a wide row stores out of line', async () => {
  const database = await server.createDatabase({ name: 'source' });
  const source = server.connect({ database, max: 1, fetch_types: false });
  await source.unsafe(`CREATE TABLE ${NAME} (
    id integer PRIMARY KEY, number integer, short varchar(5),
    padded char(150), numbers integer[], days date[], words varchar(60)[], note text, data bytea,
    ${TEXTS.map((name) => `${name} varchar(130)`).join(', ')})`);
  const capture = await captureChanges(source);
  const random = createRandom(1);
  const literals = () => [
    `'${randomText(random, 5)}'`,
    `'${randomText(random, 150)}'`,
    `ARRAY(SELECT (random() * 2e9)::integer FROM generate_series(1, 250))`,
    `ARRAY(SELECT '2000-01-01'::date + (random() * 1e6)::integer FROM generate_series(1, 250))`,
    `ARRAY['${randomText(random, 60)}', '${randomText(random, 59)}']`,
    `'${randomText(random, 90)}'`,
    `'${randomText(random, 80)}'`,
    ...TEXTS.map(() => `'${randomText(random, 130)}'`),
  ];
  for (let id = 1; id <= ROWS; id++) {
    await source.unsafe(`INSERT INTO ${NAME} VALUES (${id}, 0, ${literals().join(', ')})`);
  }
  await source.unsafe(`UPDATE ${NAME} SET number = id`);
  await source.unsafe(`UPDATE ${NAME} SET text_0 = 'new', number = NULL WHERE id <= 2`);

  const changes = await capture.read();
  const { host, port, password } = server;
  const address = {
    name: 's',
    host,
    port,
    user: 'postgres',
    password,
    sslmode: 'disable',
  } as const;
  const selection = { database, schema: 'public', pattern: 'db-shared', tables: [NAME] } as const;
  const catalogs = await readCatalogs({ type: 'postgres', server: address, database }, [selection]);
  const { sets, tables } = buildDefinitions(config, catalogs!);
  const table = tables[0] as ReplicatedTable;
  const catalog = catalogs![0]!.tables[0]!;

  const left = changes.flatMap(({ after = {} }) =>
    Object.entries(after).flatMap(([name, value]) => {
      const column = catalog.columns.find((found) => found.name === name)!;
      return value === 'unchanged' ? [column.type + (column.array ? '[]' : '')] : [];
    }),
  );
  expect([...new Set(left)].sort()).toEqual([
    ...['character', 'character varying', 'character varying[]', 'date[]', 'integer[]'],
  ]);

  const target = await server.createDatabase({ owner: OWNER });
  const tenants = ['app'];
  const files = renderMigrations({ set: sets[0]!, tables: [table], tenants, role: OWNER });
  await applyFiles(server, { database: target, user: OWNER, tenants }, files);
  const sql = server.connect({ database: target, max: 1, fetch_types: false });
  const events = buildSourceEvents({ database, table: catalog }, table, changes, {});
  for (const batch of [events.slice(0, ROWS + 2), events.slice(ROWS + 2)]) {
    await stageEvents(sql, 'app', table, batch);
    await mergeTable(sql, 'app', table);
  }
  const columns = catalog.columns.map(({ name }) => name).join(', ');
  const read = `SELECT ${columns} FROM`;
  const expected = await source.unsafe(`${read} ${NAME} ORDER BY id`);
  const found = await sql.unsafe(`${read} app.${NAME} ORDER BY id`);
  expect([...found]).toEqual([...expected]);
  expect(found).toHaveLength(ROWS);
});
