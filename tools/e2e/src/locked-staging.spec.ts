import {
  describeDebian,
  type PostgresServer,
  startDebianPostgres,
} from '@cdc-migrations/postgres-fixture';
import { quoteQualified } from '@cdc-migrations/sql-text';
import type { Sql } from 'postgres';
import {
  type MergeTarget,
  openMergeTarget,
  readNumber,
  renderOrders,
  TENANT,
} from './merge-target.fixture.ts';
import { ORDER_LINJER, orderTable } from './order-linjer.fixture.ts';

const [LOCKED, OTHER] = [orderTable('Locked'), orderTable('Other')];
const LOCKED_STAGING = quoteQualified(TENANT, LOCKED.names.staging);
const LOCKED_FINAL = quoteQualified(TENANT, LOCKED.name);
/** Number of tables like a staging table. It exceeds the server's lock limit. */
const MANY = 2000;

describeDebian('a staging table that is locked', () => {
  let target: MergeTarget;
  let locker: Sql;
  beforeAll(async () => {
    target = await openMergeTarget(
      // Debian's default disables prepared transactions.
      await startDebianPostgres({ settings: { max_prepared_transactions: '1' } }),
    );
    await target.apply(ORDER_LINJER, LOCKED, OTHER);
    await target.owner`UPDATE cdc_management.setting SET value = '1h' WHERE name = 'merge_lock_timeout'`;
    locker = target.server.connect({ database: target.database, max: 1, onnotice: () => {} });
  }, 60_000);
  beforeEach(async () => {
    for (const table of [LOCKED, OTHER]) await target.reset(table);
    await target.owner`TRUNCATE cdc_management.pending_merge`;
    for (const { names } of [LOCKED, OTHER])
      await target.sink.unsafe(renderOrders(1, 10, { staging: names.staging }));
  });
  afterAll(() => target.stop());

  const count = ({ name }: { readonly name: string }) =>
    readNumber(target.owner, `SELECT count(*) AS n FROM ${quoteQualified(TENANT, name)}`);
  /** Connects a session that fails instead of waiting. */
  const connectImpatient = async () => {
    const sql = target.connectSink();
    await sql`SET statement_timeout = '10s'`;
    return sql;
  };

  const LOCKS: readonly [string, readonly string[], string, RegExp][] = [
    [
      'an open TRUNCATE',
      ['BEGIN', `TRUNCATE ${LOCKED_STAGING}`],
      'ROLLBACK',
      /^process \d+ \(postgres, .*\)$/,
    ],
    [
      'an abandoned prepared transaction',
      ['BEGIN', `LOCK TABLE ${LOCKED_STAGING}`, `PREPARE TRANSACTION 'forgotten'`],
      `ROLLBACK PREPARED 'forgotten'`,
      /^prepared transaction forgotten$/,
    ],
  ];

  describe.each(LOCKS)('by %s', (_, lock, unlock, holder) => {
    beforeEach(async () => {
      for (const statement of lock) await locker.unsafe(statement);
    });
    afterEach(() => locker.unsafe(unlock));

    it('does not delay other tables, and is merged after the lock is released', async () => {
      const sink = await connectImpatient();
      await sink`CALL cdc_management.run_pending_merges()`.simple();
      expect([await count(LOCKED), await count(OTHER)]).toEqual([0, 10]);
      await locker.unsafe(unlock);
      await sink`CALL cdc_management.run_pending_merges()`.simple();
      expect(await count(LOCKED)).toBe(10);
      for (const statement of lock) await locker.unsafe(statement);
    });

    it('is skipped by tables_to_merge, which finds another table without a mark', async () => {
      await target.owner`TRUNCATE cdc_management.pending_merge`;
      const sink = await connectImpatient();
      const found = await sink`SELECT table_name FROM cdc_management.tables_to_merge()`;
      expect(found).toEqual([{ table_name: OTHER.name }]);
    });

    it('is reported by merge_status with the holder of the lock', async () => {
      const sink = await connectImpatient();
      const status = await sink<{ table_name: string; locked_by: string | null }[]>`
        SELECT table_name, holds_events, staging_bytes, locked_by FROM cdc_management.merge_status ORDER BY 1`;
      expect(status).toMatchObject([
        { table_name: LOCKED.name, holds_events: null, staging_bytes: null },
        { table_name: ORDER_LINJER.name, holds_events: false, locked_by: null },
        { table_name: OTHER.name, holds_events: true, locked_by: null },
      ]);
      expect(status[0]!.locked_by).toMatch(holder);
    });

    it('does not block any view', async () => {
      await target.owner`INSERT INTO cdc_management.stream_coverage (schema_name, table_name, kafka_partition,
          stream_generation, offsets, last_merged_at, exact_from, settled_before)
        VALUES (${TENANT}, ${LOCKED.name}, 9, 0, '{[1,2),[3,4)}', now(), 0, 1)`;
      const sink = await connectImpatient();
      const views = await target.owner<{ name: string }[]>`
        SELECT viewname::text AS name FROM pg_views WHERE schemaname = 'cdc_management'`;
      expect(views.length).toBeGreaterThan(8);
      for (const { name } of views) await sink.unsafe(`SELECT * FROM cdc_management.${name}`);
      expect(
        await sink`SELECT may_be_staged FROM cdc_management.unseen_offsets WHERE table_name = ${LOCKED.name}`,
      ).toEqual([{ may_be_staged: true }]);
    });
  });

  it('does not stop backfill_needed from counting rows of other tables if a final table is locked', async () => {
    const columns = [LOCKED, OTHER].map(({ name }) => `('${TENANT}', '${name}', 'Antall', now())`);
    await target.owner`CALL cdc_management.run_pending_merges()`.simple();
    await target.owner.unsafe(`INSERT INTO cdc_management.added_column VALUES ${columns.join()}`);
    await locker`BEGIN`;
    await locker.unsafe(`LOCK TABLE ${LOCKED_FINAL}`);
    const sink = await connectImpatient();
    expect(
      await sink`SELECT table_name, unfilled_rows::integer FROM cdc_management.backfill_needed ORDER BY 1`,
    ).toEqual([
      { table_name: LOCKED.name, unfilled_rows: null },
      { table_name: OTHER.name, unfilled_rows: 10 },
    ]);
    await locker`ROLLBACK`;
    await target.owner`DELETE FROM cdc_management.added_column`;
  });
});

describeDebian('more staging tables than the lock limit of the server', () => {
  let server: PostgresServer;
  let target: MergeTarget;
  beforeAll(async () => {
    // A small server, where a few tables have the effect of twenty thousand on a large one.
    server = await startDebianPostgres({
      settings: { max_locks_per_transaction: '10', max_connections: '20' },
    });
    target = await openMergeTarget(server);
    await target.apply(ORDER_LINJER);
    for (let first = 1; first <= MANY; first += 50) {
      const statements = Array.from({ length: 50 }, (_, n) => renderCopy(first + n));
      await target.owner.unsafe(statements.join('\n'));
    }
  }, 120_000);
  afterAll(() => target.stop());

  it('are all found by tables_to_merge without marks', async () => {
    const [row] =
      await target.sink`SELECT count(*)::integer AS n FROM cdc_management.tables_to_merge()`;
    expect(row).toEqual({ n: MANY });
  });

  it('are all in merge_status, which holds few locks', async () => {
    await target.sink`BEGIN`;
    const [row] = await target.sink`
      SELECT count(*) FILTER (WHERE holds_events AND staging_bytes > 0)::integer AS n FROM cdc_management.merge_status`;
    expect(row).toEqual({ n: MANY });
    const [locks] = await target.owner`SELECT count(*)::integer AS n FROM pg_locks`;
    expect(locks!['n']).toBeLessThan(100);
    await target.sink`COMMIT`;
  });
});

/** Renders a registered staging table with an event and without a mark. */
function renderCopy(n: number): string {
  const staging = quoteQualified(TENANT, `stg_${n}`);
  return `CREATE TABLE ${staging} (LIKE ${quoteQualified(TENANT, ORDER_LINJER.names.staging)});
    INSERT INTO ${staging} ("__kafka_offset") VALUES (1);
    INSERT INTO cdc_management.merge_control (table_id, schema_name, table_name, staging_name, window_function, last_merged_at)
    VALUES (${n + 1000}, '${TENANT}', '${n}', 'stg_${n}', 'none', now());`;
}
