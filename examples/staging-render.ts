/** Renders merge SQL for one table, and merges events that are late, duplicate and out of order. */
import { renderInfrastructure, renderSchemas, renderTable } from '@cdc-migrations/ddl-render';
import { renderStaging } from '@cdc-migrations/staging-render';
import { parseDefinition, type MigrationSet } from '@cdc-migrations/table-defs';
import { openSession } from '@cdc-migrations/tracker';
import { postgresAddress } from './postgres-address.ts';

const invoice = parseDefinition(
  `
format: 1
kind: replicated
set: reporting
service: billing
source: { database: billing, schema: public, table: invoice }
schema: { scope: literal, name: reporting }
name: invoice
names:
  staging: stg_invoice
  trigger: trg_mark_for_merge
  merge_procedure: sp_merge_invoice
  merge_window: fn_merge_window_invoice
  primary_key: pk_invoice
  sync_index: idx_invoice_sync_timestamp
  position_index: idx_invoice_position
key: { columns: [number], origin: primary key }
delete_mode: hard
staging: unlogged
transforms: []
columns:
  - { name: number, role: source, type: bigint, nullable: false }
  - { name: amount, role: source, type: 'numeric(12,2)', nullable: true }
  - { name: __sync_timestamp, role: metadata, type: timestamp with time zone, nullable: false, default: now() }
  - { name: __source, role: metadata, type: text, nullable: true }
  - { name: __source_db, role: metadata, type: text, nullable: true }
  - { name: __source_table, role: metadata, type: text, nullable: true }
  - { name: __source_ts_ms, role: metadata, type: bigint, nullable: true }
  - { name: __cdc_operation, role: metadata, type: text, nullable: true }
  - { name: __stream_generation, role: metadata, type: integer, nullable: true }
  - { name: __kafka_partition, role: metadata, type: integer, nullable: true }
  - { name: __kafka_offset, role: metadata, type: bigint, nullable: true }
`,
  'invoice.yaml',
);
if (invoice.kind !== 'replicated') throw new Error('a table that exists has no staging');
const set: MigrationSet = {
  name: 'reporting',
  folder: 'migrations',
  sourceGroup: 'billing',
  pattern: 'db-shared',
  services: ['billing'],
  literalSchemas: ['reporting'],
};

const session = openSession(postgresAddress(), 'example');
for (const { text } of [
  renderSchemas(set, [], 'postgres'),
  renderInfrastructure(set, 'postgres'),
  renderTable(invoice, 'migrations/tables/invoice.sql'),
  renderStaging(invoice, { path: 'migrations/staging/invoice-staging.sql', role: 'postgres' }),
]) {
  await session.query(`BEGIN; ${text}; COMMIT`);
}

// Events of one table as a consumer may insert them: the change of invoice 1 comes before its creation.
await session.query(`
  INSERT INTO reporting.stg_invoice
    (number, amount, __source_db, __source_table, __cdc_operation, __kafka_partition, __kafka_offset)
  VALUES
    (1, 250, 'billing', 'invoice', 'u', 0, 3),
    (1, 100, 'billing', 'invoice', 'c', 0, 1),
    (2, 400, 'billing', 'invoice', 'c', 0, 2),
    (2, NULL, 'billing', 'invoice', 'd', 0, 4),
    (2, 400, 'billing', 'invoice', 'c', 0, 2),
    (3, 1e12, 'billing', 'invoice', 'c', 0, 5)`);
await session.execute('CALL reporting.sp_merge_invoice()');

for (const question of [
  'SELECT number::int, amount::text FROM reporting.invoice',
  'SELECT reason FROM cdc_management.dead_letter',
]) {
  for (const row of await session.query(question)) console.log(JSON.stringify(row));
}
await session.close();
