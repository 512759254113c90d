import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Catalog, parseSnapshot } from '@cdc-migrations/catalog';
import type { PostgresServer } from '@cdc-migrations/postgres-fixture';
import {
  DEFINITIONS_FOLDER,
  parseDefinition,
  type ReplicatedTable,
} from '@cdc-migrations/table-defs';
import { applyFiles } from './apply-files.ts';
import { readManifest } from './read-manifest.ts';

const ROOT = join(__dirname, '../../..');

/** The implementation repo in this workspace with PostgreSQL sources, one database per service. */
export const ASMA = join(ROOT, 'fixtures/asma');
export const SERVICES = ['chat', 'directory', 'proxy'];
export const SINKS = ['sink_portal.search', 'sink_warehouse.analytics'];

const read = (...path: readonly string[]) => readFileSync(join(...path), 'utf8');
const listFiles = (folder: string) => readdirSync(folder).map((file) => join(folder, file));

/** Snapshots of all sources. */
export const catalogs: readonly Catalog[] = listFiles(join(ASMA, 'generated/schemas')).map((path) =>
  parseSnapshot(read(path), path),
);

/** Lists the tables that are created in a sink. */
export function tablesOf(sink: string, root = ASMA): readonly ReplicatedTable[] {
  return SERVICES.flatMap((service) => listFiles(join(root, DEFINITIONS_FOLDER, service)))
    .map((path) => parseDefinition(read(path), path))
    .filter((table) => table.kind === 'replicated')
    .filter(({ set }) => set === sink);
}

/** Creates the database of each service, such as `directory_dev`, with its tables. */
export async function createSources(source: PostgresServer): Promise<void> {
  for (const service of SERVICES) {
    const database = await source.createDatabase({ name: `${service}_dev` });
    const sql = source.connect({ database, max: 1 });
    await sql.unsafe(read(ROOT, `tools/postgres-fixture/data/${service}.sql`)).simple();
    await sql.end();
  }
}

/** Creates the database of a sink with its existing tables, and applies the committed files. */
export async function createSink(
  target: PostgresServer,
  sink: string,
  owner: string,
): Promise<string> {
  const database = await target.createDatabase({ owner });
  if (sink === 'sink_portal.search') {
    const sql = target.connect({ database, max: 1 });
    await sql.unsafe(read(ASMA, 'existing/search.sql')).simple();
    await sql.end();
  }
  const files = readManifest(ASMA, `migrations/${sink}/manifest.yaml`);
  const services = [...new Set(tablesOf(sink).map(({ service }) => service))];
  const options = { database, user: owner };
  const ofDatabase = files.filter(({ scope }) => scope !== 'tenant');
  await applyFiles(target, { ...options, tenants: [] }, ofDatabase);
  for (const service of services) {
    const ofService = files.filter((file) => file.scope === 'tenant' && file.service === service);
    await applyFiles(target, { ...options, tenants: [service] }, ofService);
  }
  return database;
}
