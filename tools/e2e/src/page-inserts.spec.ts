import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type PostgresServer, startPostgres } from '@cdc-migrations/postgres-fixture';
import type { MigrationSet } from '@cdc-migrations/table-defs';
import type { Sql } from 'postgres';
import { buildPayment, PAYMENT, type Writing } from '../../docs/src/payment-insert.ts';
import { applyFiles } from './apply-files.ts';
import { mergeTable } from './merge-table.ts';
import { renderMigrations } from './render-migrations.ts';

const PAGE = readFileSync(join(__dirname, '../../../docs/connect-your-pipeline.md'), 'utf8');

/** The settings and the INSERT of each writer, as the page has them. */
const INSERTS = [
  ...PAGE.matchAll(/^(?:Nothing set|`pipeline: \{ (.*) \}`):\n\n```sql\n([^`]*)```$/gm),
].map(([, settings = '', insert]) => [settings, insert!] as const);

const SET: MigrationSet = {
  name: 'sink.shop',
  folder: 'migrations',
  sourceGroup: 'shop',
  pattern: 'db-per-tenant',
  services: ['shop'],
  literalSchemas: [],
};

describe('the INSERTs of "Connect your pipeline"', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres({ major: 15 });
    await server.createRole('migrator');
  });
  afterAll(() => server?.stop());

  it('are one for each writer', () => expect(INSERTS).toHaveLength(7));

  it.each(INSERTS)('with %j is the payment in the final table', async (settings, insert) => {
    const writing = Object.fromEntries(
      settings
        .split(', ')
        .filter(Boolean)
        .map((setting) => setting.split(': ')),
    ) as Writing;
    const table = buildPayment(writing);
    const database = await server.createDatabase({ owner: 'migrator' });
    const sql: Sql = server.connect({ database, max: 1, onnotice: () => {} });
    const files = renderMigrations({
      set: SET,
      tables: [table],
      tenants: ['shop'],
      role: 'migrator',
    });
    await applyFiles(server, { database, user: 'migrator', tenants: ['shop'] }, files);
    await sql.unsafe(insert);
    await mergeTable(sql, 'shop', table);
    expect(await sql`SELECT reason FROM cdc_management.dead_letter`).toEqual([]);
    const rows = await sql`
      SELECT "Id"::text, "Due"::text, "Paid"::text, "Amount"::text, "Receipt"::text FROM shop."Payment"`;
    expect(rows).toEqual([PAYMENT]);
    await sql.end();
  });
});
