import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSnapshot, renderSnapshot } from '@cdc-migrations/catalog';
import { readConfig } from '@cdc-migrations/config';
import {
  planValidationDatabases,
  readCatalogs,
  type SourceDatabase,
} from '@cdc-migrations/introspect';
import { type PostgresServer, startPostgres } from '@cdc-migrations/postgres-fixture';
import { ASMA, createSink, createSources, SINKS, tablesOf } from './asma.fixture.ts';
import { compareStructure } from './compare-structure.ts';
import { readStructure } from './read-structure.ts';

const SNAPSHOTS = join(ASMA, 'generated/schemas');
const OWNER = 'migrator';

const read = (...path: readonly string[]) => readFileSync(join(...path), 'utf8');

let source: PostgresServer;
let target: PostgresServer;
beforeAll(async () => {
  [source, target] = await Promise.all([
    startPostgres({ major: 15 }),
    startPostgres({ major: 18 }),
  ]);
  await target.createRole(OWNER);
  await createSources(source);
});
afterAll(() => Promise.all([source.stop(), target.stop()]));

function sourceOf(server: PostgresServer, database: string): SourceDatabase {
  const { host, port, password } = server;
  const address = { name: 'default', host, port, user: 'postgres', password };
  return { type: 'postgres', server: { ...address, sslmode: 'disable' }, database };
}

it('the sources produce the committed snapshots', async () => {
  const files = new Map<string, string>();
  for (const { database, selections } of planValidationDatabases(readConfig(ASMA))) {
    for (const catalog of (await readCatalogs(sourceOf(source, database), selections))!) {
      const { path, text } = renderSnapshot(catalog);
      files.set(path, text);
    }
  }
  expect([...files.keys()].sort()).toEqual([
    ...['chat_dev.public', 'directory_dev.logs', 'directory_dev.public', 'proxy_dev.public'].map(
      (name) => `generated/schemas/${name}.yaml`,
    ),
  ]);
  for (const [path, text] of files) expect(text).toBe(read(ASMA, path));
});

it('the committed snapshots contain the expected types', () => {
  const types = readdirSync(SNAPSHOTS).flatMap((file) =>
    parseSnapshot(read(SNAPSHOTS, file), file).tables.flatMap(({ columns }) =>
      columns.map(({ type, array }) => type + (array ? '[]' : '')),
    ),
  );
  expect([...new Set(types)].sort()).toEqual([
    ...['bigint', 'bit varying', 'boolean', 'bytea', 'character', 'character varying', 'cidr'],
    ...['date', 'daterange', 'double precision', 'enum', 'inet', 'integer', 'interval', 'jsonb'],
    ...['jsonb[]', 'macaddr', 'money', 'numeric', 'real', 'smallint', 'text', 'text[]'],
    ...['time without time zone', 'timestamp with time zone', 'timestamp without time zone'],
    ...['uuid', 'xml'],
  ]);
});

it.each(SINKS)('%s: another server matches the applied definitions', async (sink) => {
  const tables = tablesOf(sink);
  const database = await createSink(target, sink, OWNER);
  const tenants = [...new Set(tables.map(({ service }) => service))];
  const structure = await readStructure(target.connect({ database, max: 1 }), tenants);
  for (const table of tables) {
    const found = structure.find(
      ({ schema, name }) => schema === table.service && name === table.name,
    );
    expect(compareStructure(table, found!)).toEqual([]);
  }

  // Our own reader finds the same in the copy as in the source, except for what a copy omits.
  for (const table of tables) {
    const selection = {
      database,
      schema: table.service,
      pattern: 'db-shared',
      tables: [table.name],
    } as const;
    const [copy] = (await readCatalogs(sourceOf(target, database), [selection]))!;
    const original = parseSnapshot(
      read(SNAPSHOTS, `${table.source.database}.${table.source.schema}.yaml`),
      '',
    ).tables.find(({ name }) => name === table.source.table)!;
    for (const column of original.columns) {
      const copied = copy!.tables[0]!.columns.find(({ name }) => name === column.name);
      if (column.computed !== undefined || (column.name === 'last_ip' && !copied)) continue;
      const { type, length, precision, scale, array } = column;
      const expected =
        type === 'enum'
          ? { type: 'text' }
          : type === 'money'
            ? { type: 'numeric', precision: 19, scale: 2 }
            : { type, length, precision, scale, array };
      expect({ name: column.name, ...copied }).toMatchObject(
        JSON.parse(JSON.stringify({ name: column.name, ...expected })) as object,
      );
    }
  }
});
