import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type PostgresServer, startPostgres } from '@cdc-migrations/postgres-fixture';
import type { MigrationSet, ReplicatedTable } from '@cdc-migrations/table-defs';
import type { Sql } from 'postgres';
import { buildPayment, PAYMENT, type Writing } from '../../docs/src/payment-insert.ts';
import { applyFiles } from './apply-files.ts';
import { mergeTable, replayDeadLetters } from './merge-table.ts';
import { renderMigrations } from './render-migrations.ts';

const PAGE = readFileSync(join(__dirname, '../../../docs/connect-your-pipeline.md'), 'utf8');
const OF_WRITERS = readFileSync(join(__dirname, '../../../docs/inserts.md'), 'utf8');
const WITHOUT_KAFKA = readFileSync(join(__dirname, '../../../docs/without-kafka.md'), 'utf8');

/** The settings and the INSERT of each writer in the page. */
const INSERTS = [
  ...OF_WRITERS.matchAll(
    /^(?:Without `pipeline`|`pipeline: \{ (.*) \}`):\n\n```sql\n([^`]*)```$/gm,
  ),
].map(([, settings = '', insert]) => [settings, insert!] as const);

/** Statements of section 4 for a dead letter and a refused event. */
const KEPT = [...PAGE.matchAll(/^## 4\.[^]*?(?=^## )/gm)].flatMap(([section]) =>
  [...section.matchAll(/```sql\n([^`]*)```/g)].map(([, sql]) => sql!),
);

/** Statements of a program that reads changes without Kafka. */
const [CHANGES = ''] = [...WITHOUT_KAFKA.matchAll(/```sql\n([^`]*note_changes_read[^`]*)```/g)].map(
  ([, sql]) => sql!,
);

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

  it('include one for each writer', () => expect(INSERTS).toHaveLength(7));

  async function openShop(writing: Writing, more: Partial<ReplicatedTable> = {}) {
    const table = { ...buildPayment(writing), ...more };
    const database = await server.createDatabase({ owner: 'migrator' });
    const sql: Sql = server.connect({ database, max: 1, onnotice: () => {} });
    const files = renderMigrations({
      set: SET,
      tables: [table],
      tenants: ['shop'],
      role: 'migrator',
    });
    await applyFiles(server, { database, user: 'migrator', tenants: ['shop'] }, files);
    const readPayments = () => sql`
      SELECT "Id"::text, "Due"::text, "Paid"::text, "Amount"::text, "Receipt"::text FROM shop."Payment"
      ORDER BY "Id"`;
    return { sql, table, readPayments };
  }

  it('store the payment and the cursor without Kafka', async () => {
    const { sql, table, readPayments } = await openShop(
      {},
      { positions: 'lsn', staging: 'logged' },
    );
    await sql.unsafe(CHANGES).simple();
    await mergeTable(sql, 'shop', table);
    expect(await sql`SELECT reason FROM cdc_management.dead_letter`).toEqual([]);
    expect(await readPayments()).toEqual([PAYMENT]);
    const cursor = await sql`SELECT table_name, read_to FROM cdc_management.change_progress`;
    expect(cursor).toEqual([{ table_name: 'Payment', read_to: '0x0000002A000001100001' }]);
  });

  it.each(INSERTS)(
    'with the settings %j result in the payment in the final table',
    async (settings, insert) => {
      const writing = Object.fromEntries(
        settings
          .split(', ')
          .filter(Boolean)
          .map((setting) => setting.split(': ')),
      ) as Writing;
      const { sql, table, readPayments } = await openShop(writing);
      await sql.unsafe(insert);
      await mergeTable(sql, 'shop', table);
      expect(await sql`SELECT reason FROM cdc_management.dead_letter`).toEqual([]);
      expect(await readPayments()).toEqual([PAYMENT]);
      await sql.end();
    },
  );

  it('accept bound values, also bytes, if no form is set', async () => {
    const { sql, table, readPayments } = await openShop({});
    await sql`INSERT INTO shop."stg_Payment" ${sql({
      ...{ __kafka_offset: 42, __kafka_partition: 0, __cdc_operation: 'c' },
      ...{ __source_db: 'Shop', __source_table: 'Payment', Id: 1, Due: '2024-01-31' },
      ...{
        Paid: '2024-01-31T23:59:59.123Z',
        Amount: 12.34,
        Receipt: Buffer.from('deadbeef', 'hex'),
      },
    })}`;
    await mergeTable(sql, 'shop', table);
    expect(await readPayments()).toEqual([PAYMENT]);
    await sql.end();
  });

  it('are followed by statements that fix a dead letter and a refused event', async () => {
    const { sql, table, readPayments } = await openShop({});
    const [deadLetter, refused, ...others] = KEPT;
    expect(others).toEqual([]);
    await sql.unsafe(INSERTS[0]![1].replace('12.34', '123456789.00'));
    await mergeTable(sql, 'shop', table);
    const [select, update] = deadLetter!.split(/(?<=;)\n\n/);
    expect(await sql.unsafe(select!)).toMatchObject([
      { schema_name: 'shop', table_name: 'Payment', reason: expect.stringContaining('overflow') },
    ]);
    await sql.unsafe(update!);
    expect(await replayDeadLetters(sql, 'shop', table)).toMatchObject({ replayed: 1, merged: 1 });
    expect(await readPayments()).toEqual([PAYMENT]);
    const replayRefused = () =>
      sql.begin(
        'isolation level repeatable read',
        (transaction) => transaction`
        SELECT merged::integer, dead::integer
        FROM cdc_management.replay_refused_events('shop', 'Payment', ${1_000_000})`,
      );
    await sql.unsafe(refused!);
    expect(await replayRefused()).toEqual([{ merged: 1, dead: 0 }]);
    expect(await readPayments()).toMatchObject([PAYMENT, { Id: '2', Due: '2024-01-31' }]);
    await sql.end();
  });
});
