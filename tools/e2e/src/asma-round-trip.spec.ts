import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSnapshot, renderSnapshot } from '@cdc-migrations/catalog';
import { readConfig } from '@cdc-migrations/config';
import { planReferences, readCatalogs, type SourceTarget } from '@cdc-migrations/introspect';
import { type PostgresServer, startPostgres } from '@cdc-migrations/postgres-fixture';
import {
  DEFINITIONS_FOLDER,
  parseDefinition,
  type ReplicatedTable,
} from '@cdc-migrations/table-defs';
import { applyFiles } from './apply-files.ts';
import { compareStructure } from './compare-structure.ts';
import { readManifest } from './read-manifest.ts';
import { readStructure } from './read-structure.ts';

const ROOT = join(__dirname, '../../..');
const REPO = join(ROOT, 'fixtures/asma');
const SNAPSHOTS = join(REPO, 'generated/schemas');
const SERVICES = ['chat', 'directory', 'proxy'];
const SINKS = ['sink_portal.search', 'sink_warehouse.analytics'];

const read = (...path: readonly string[]) => readFileSync(join(...path), 'utf8');

const definitions = SERVICES.flatMap((service) => {
  const folder = join(REPO, DEFINITIONS_FOLDER, service);
  return readdirSync(folder).map((file) => parseDefinition(read(folder, file)));
});

let source: PostgresServer;
let target: PostgresServer;
beforeAll(async () => {
  [source, target] = await Promise.all([
    startPostgres({ major: 15 }),
    startPostgres({ major: 18 }),
  ]);
  await target.createRole(OWNER);
  for (const service of SERVICES) {
    const database = await source.createDatabase({ name: `${service}_dev` });
    const sql = source.connect({ database, max: 1 });
    await sql.unsafe(read(ROOT, `tools/postgres-fixture/data/${service}.sql`)).simple();
  }
});
afterAll(() => Promise.all([source.stop(), target.stop()]));

const OWNER = 'migrator';

function targetOf(server: PostgresServer, database: string): SourceTarget {
  const { host, port, password } = server;
  const address = { name: 'default', host, port, user: 'postgres', password };
  return { type: 'postgres', server: { ...address, sslmode: 'disable' }, database };
}

it('the sources give the snapshots that are committed', async () => {
  const files = new Map<string, string>();
  for (const { database, selections } of planReferences(readConfig(REPO))) {
    for (const catalog of (await readCatalogs(targetOf(source, database), selections))!) {
      const { path, text } = renderSnapshot(catalog);
      files.set(path, text);
    }
  }
  expect([...files.keys()].sort()).toEqual([
    ...['chat_dev.public', 'directory_dev.logs', 'directory_dev.public', 'proxy_dev.public'].map(
      (name) => `generated/schemas/${name}.yaml`,
    ),
  ]);
  for (const [path, text] of files) expect(text).toBe(read(REPO, path));
});

it('with every type of the sources', () => {
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

it.each(SINKS)('%s: the definitions, applied to another server and read back', async (sink) => {
  const database = await target.createDatabase({ owner: OWNER });
  if (sink === 'sink_portal.search') {
    await target.connect({ database, max: 1 }).unsafe(read(REPO, 'existing/search.sql')).simple();
  }
  const tables = definitions.filter(
    (table): table is ReplicatedTable => table.kind === 'replicated' && table.set === sink,
  );
  // The files of a service are for the schema of its name.
  const manifest = readManifest(REPO, `migrations/${sink}/manifest.yaml`);
  const tenants = [...new Set(tables.map(({ service }) => service))];
  const options = { database, user: OWNER };
  await applyFiles(
    target,
    { ...options, tenants: [] },
    manifest.filter(({ scope }) => scope !== 'tenant'),
  );
  for (const tenant of tenants) {
    const files = manifest.filter((file) => file.scope === 'tenant' && isOf(tenant, file.path));
    await applyFiles(target, { ...options, tenants: [tenant] }, files);
  }
  const structure = await readStructure(target.connect({ database, max: 1 }), tenants);
  for (const table of tables) {
    const found = structure.find(
      ({ schema, name }) => schema === table.service && name === table.name,
    );
    expect(compareStructure(table, found!)).toEqual([]);
  }

  // Our own reader sees in the copy what it saw in the source, but for what a copy leaves out.
  for (const table of tables) {
    const selection = {
      database,
      schema: table.service,
      pattern: 'db-shared',
      tables: [table.name],
    } as const;
    const [copy] = (await readCatalogs(targetOf(target, database), [selection]))!;
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

/** Which service a file of a tenant belongs to; the manifest says it. */
function isOf(service: string, path: string): boolean {
  return (
    SERVICE_OF.get(path.replace(/^.*\//, '').replace(/(-staging)?\.sql$/, ''))?.has(service) ??
    false
  );
}

const SERVICE_OF = new Map<string, Set<string>>();
for (const { service, name } of definitions) {
  for (const stem of [name, `${service}.${name}`]) {
    SERVICE_OF.set(stem, (SERVICE_OF.get(stem) ?? new Set()).add(service));
  }
}
