/** Detects drift: applies the migrations of a repo, changes the target by hand, and checks it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDefinition, parseSets } from '@cdc-migrations/table-defs';
import { applyMigrations, checkTarget, openSession, readMigrations } from '@cdc-migrations/tracker';
import { postgresAddress } from './postgres-address.ts';

const [, , root = '.'] = process.argv;
const address = postgresAddress();
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const definitions = readdirSync(join(root, 'generated/table-definitions'))
  .map((file) => `generated/table-definitions/${file}`)
  .map((path) => parseDefinition(read(path), path));
const [set] = parseSets(read('generated/migration-sets.yaml'));
const migrations = readMigrations(root, set!, { tables: definitions, tenants: set!.services });

const { applied } = await applyMigrations(address, migrations, { tenants: set!.services });
console.log(`${applied.length} files applied`);

const session = openSession(address, 'drift check');
await session.query(
  'ALTER TABLE shop.orders ADD "by hand" text; DROP TRIGGER trg_mark_for_merge ON shop.stg_orders',
);
for (const { kind, schema, name, message } of await checkTarget(session, migrations, {
  tenants: set!.services,
}))
  console.log(`${kind} ${schema}.${name}: ${message}`);
await session.close();
