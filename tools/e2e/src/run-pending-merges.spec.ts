import { setTimeout as sleep } from 'node:timers/promises';
import { quoteQualified } from '@cdc-migrations/sql-text';
import type { ReplicatedTable } from '@cdc-migrations/table-defs';
import type { Sql } from 'postgres';
import {
  type MergeTarget,
  readNumber,
  renderOrders,
  startMergeTarget,
  TENANT,
} from './merge-target.fixture.ts';
import { ORDER_LINJER, orderTable } from './order-linjer.fixture.ts';

const [LARGE, SMALL] = [orderTable('Large'), orderTable('Small')];
const FINAL = quoteQualified(TENANT, ORDER_LINJER.name);
const STAGING = quoteQualified(TENANT, ORDER_LINJER.names.staging);

describe('run_pending_merges', () => {
  let target: MergeTarget;
  let owner: Sql;
  let sink: Sql;
  beforeAll(async () => {
    target = await startMergeTarget();
    ({ owner, sink } = target);
    await target.apply(ORDER_LINJER, LARGE, SMALL);
  });
  beforeEach(async () => {
    for (const table of [ORDER_LINJER, LARGE, SMALL]) await target.reset(table);
    await owner`TRUNCATE cdc_management.pending_merge`;
    await setLockTimeout('1h');
  });
  afterAll(() => target.stop());

  const run = (session = sink) => session`CALL cdc_management.run_pending_merges()`.simple();
  const look = async () =>
    (await sink<{ table_name: string }[]>`SELECT * FROM cdc_management.tables_to_merge()`).map(
      ({ table_name: name }) => name,
    );
  const stage = (table: ReplicatedTable, first: number, last: number, session = sink) =>
    session.unsafe(renderOrders(first, last, { staging: table.names.staging }));
  const count = (table: ReplicatedTable) =>
    readNumber(owner, `SELECT count(*) AS n FROM ${quoteQualified(TENANT, table.name)}`);
  const setLockTimeout = (value: string) =>
    owner`UPDATE cdc_management.setting SET value = ${value} WHERE name = 'merge_lock_timeout'`;
  /** Locks a final table against merges until the returned function is called. */
  const lockFinal = async ({ name }: ReplicatedTable) => {
    const holder = target.server.connect({ database: target.database, max: 1 });
    await holder`BEGIN`;
    await holder.unsafe(`LOCK TABLE ${quoteQualified(TENANT, name)} IN ACCESS EXCLUSIVE MODE`);
    return () => holder.end();
  };
  const sizeOf = (name: string) =>
    readNumber(owner, `SELECT pg_relation_size('${name.replaceAll("'", "''")}') AS n`);

  it('finds no work for a merged table, even if its staging table keeps its size', async () => {
    await stage(ORDER_LINJER, 1, 100);
    expect(await look()).toEqual([ORDER_LINJER.name]);
    await run();
    expect(await sizeOf(STAGING)).toBeGreaterThan(0);
    expect(await look()).toEqual([]);
  });

  it('frees the space of a large staging table after its merge, but not of a small one', async () => {
    await stage(ORDER_LINJER, 1, 100);
    await run();
    expect(await sizeOf(STAGING)).toBeGreaterThan(0);
    expect(await look()).toEqual([]);
    await stage(ORDER_LINJER, 101, 20_000);
    expect(await sizeOf(STAGING)).toBeGreaterThan(1_048_576);
    await run();
    expect(await sizeOf(STAGING)).toBe(0);
    expect(await look()).toEqual([]);
  });

  it('finds events whose mark was removed before they were committed', async () => {
    const writer = target.connectSink();
    await stage(ORDER_LINJER, 1, 10);
    await writer`BEGIN`;
    await stage(ORDER_LINJER, 11, 20, writer);
    await run();
    expect(await count(ORDER_LINJER)).toBe(10);
    expect(await look()).toEqual([]);
    await writer`COMMIT`;
    expect(await readNumber(owner, 'SELECT count(*) AS n FROM cdc_management.pending_merge')).toBe(
      0,
    );
    expect(await look()).toEqual([ORDER_LINJER.name]);
    await run();
    expect(await count(ORDER_LINJER)).toBe(20);
  });

  it('finds events of a writer that relied on the mark of another writer, which was rolled back', async () => {
    const [first, second] = [target.connectSink(), target.connectSink()];
    await first`BEGIN`;
    await stage(ORDER_LINJER, 1, 10, first);
    await stage(ORDER_LINJER, 11, 20, second);
    await first`ROLLBACK`;
    await run();
    expect(await count(ORDER_LINJER)).toBe(10);
  });

  it('merges a batch of each table in turn, so that a large table does not delay a small one', async () => {
    await owner`UPDATE cdc_management.merge_control SET batch_events = 1000 WHERE table_name = 'Large'`;
    await stage(LARGE, 1, 20_000);
    await stage(SMALL, 1, 10);
    await run();
    const batches = await owner<{ table_name: string }[]>`
      SELECT table_name FROM cdc_management.processing_log GROUP BY batch_id, table_name ORDER BY batch_id`;
    const order = batches.map(({ table_name: name }) => name);
    expect(order.length).toBeGreaterThan(5);
    expect(order.indexOf('Small')).toBeLessThan(2);
  });

  it('merges events that are staged while it runs', async () => {
    await owner`UPDATE cdc_management.merge_control SET batch_events = 1 WHERE table_name = 'Large'`;
    await stage(LARGE, 1, 2000);
    const release = await lockFinal(LARGE);
    const running = run(target.connectSink());
    await sleep(1100);
    await stage(SMALL, 1, 10);
    await release();
    await running;
    expect([await count(LARGE), await count(SMALL)]).toEqual([2000, 10]);
  });

  it('records the failures of a table in one row, and merges the others', async () => {
    await stage(ORDER_LINJER, 1, 10);
    await stage(SMALL, 1, 10);
    await owner.unsafe(`ALTER TABLE ${FINAL} RENAME TO away`);
    try {
      await run();
      await run();
      expect(await count(SMALL)).toBe(10);
      expect(await readNumber(owner, `SELECT count(*) AS n FROM ${STAGING}`)).toBe(10);
      const errors = await owner`
        SELECT table_name, sqlstate, times::integer FROM cdc_management.merge_error`;
      expect(errors).toEqual([{ table_name: ORDER_LINJER.name, sqlstate: '42P01', times: 2 }]);
      const status =
        await sink`SELECT table_name FROM cdc_management.merge_status WHERE is_failing`;
      expect(status).toEqual([{ table_name: ORDER_LINJER.name }]);
    } finally {
      await owner.unsafe(`ALTER TABLE ${quoteQualified(TENANT, 'away')} RENAME TO "Order-Linjer"`);
    }
    await run();
    expect(await count(ORDER_LINJER)).toBe(10);
    const status = await sink`SELECT table_name FROM cdc_management.merge_status WHERE is_failing`;
    expect(status).toEqual([]);
  });

  it('does not wait long for a locked final table', async () => {
    await setLockTimeout('100ms');
    const release = await lockFinal(ORDER_LINJER);
    await stage(ORDER_LINJER, 1, 10);
    await stage(SMALL, 1, 10);
    await run();
    expect(await count(SMALL)).toBe(10);
    await release();
    const errors = await owner`SELECT table_name, sqlstate FROM cdc_management.merge_error`;
    expect(errors).toEqual([{ table_name: ORDER_LINJER.name, sqlstate: '55P03' }]);
    await run();
    expect(await count(ORDER_LINJER)).toBe(10);
  });

  it('skips tables without a staging table, and a merge of one reports that it is missing', async () => {
    await stage(SMALL, 1, 10);
    await owner.unsafe(`ALTER SCHEMA "${TENANT}" RENAME TO away`);
    try {
      expect(await look()).toEqual([]);
      await run();
      expect(await owner`SELECT * FROM cdc_management.merge_error`).toEqual([]);
      const batch = `SELECT * FROM cdc_management.merge_batch('${TENANT}', 'Small', NULL, 0, 64, NULL)`;
      await owner`BEGIN ISOLATION LEVEL REPEATABLE READ`.simple();
      await expect(owner.unsafe(batch)).rejects.toMatchObject({
        code: '42P01',
        message: `table "${TENANT}"."Small" has no staging table "stg_Small"`,
        hint: expect.stringContaining('cdc_management.clean_up_schema'),
      });
      await owner`ROLLBACK`.simple();
    } finally {
      await owner.unsafe(`ALTER SCHEMA away RENAME TO "${TENANT}"`);
    }
    await run();
    expect(await count(SMALL)).toBe(10);
  });

  it.each([
    ['single merge', `CALL ${quoteQualified(TENANT, ORDER_LINJER.names.mergeProcedure)}()`],
    [
      'single batch',
      `SELECT * FROM cdc_management.merge_batch('${TENANT}', '${ORDER_LINJER.name}', NULL, 0, 64, 1)`,
    ],
    [
      'replay',
      `SELECT * FROM cdc_management.replay_dead_letters('${TENANT}', '${ORDER_LINJER.name}', 1000)`,
    ],
  ])(
    'a %s does not wait long for a locked final table, and the session keeps its lock_timeout',
    async (_what, statement) => {
      await setLockTimeout('100ms');
      await owner.unsafe(renderOrders(1, 10, { status: 'x'.repeat(21) }));
      await run();
      await stage(ORDER_LINJER, 11, 20);
      const session = target.server.connect({
        database: target.database,
        user: 'migrator',
        max: 1,
      });
      await session`SET lock_timeout = '7s'`;
      const release = await lockFinal(ORDER_LINJER);
      const isQuery = statement.startsWith('SELECT');
      const begin = () => session`BEGIN ISOLATION LEVEL REPEATABLE READ`.simple();
      if (isQuery) await begin();
      await expect(session.unsafe(statement).simple()).rejects.toMatchObject({ code: '55P03' });
      if (isQuery) await session`ROLLBACK`.simple();
      await release();
      if (isQuery) await begin();
      await session.unsafe(statement).simple();
      expect(await session`SHOW lock_timeout`).toEqual([{ lock_timeout: '7s' }]);
      if (isQuery) await session`COMMIT`.simple();
      await session.end();
    },
  );

  it('merges the table of a runner that was terminated', async () => {
    const release = await lockFinal(ORDER_LINJER);
    await stage(ORDER_LINJER, 1, 10);
    const victim = target.connectSink();
    const [backend] = await victim<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`;
    const dying = run(victim).then(
      () => 'ended',
      () => 'died',
    );
    await waitFor(
      owner,
      `SELECT count(*) AS n FROM pg_locks WHERE pid = ${backend!.pid} AND NOT granted`,
    );
    await run();
    const admin = target.server.connect({ database: target.database, max: 1 });
    await admin`SELECT pg_terminate_backend(${backend!.pid})`;
    expect(await dying).toBe('died');
    await release();
    await run();
    expect(await count(ORDER_LINJER)).toBe(10);
  });
});

/** Waits until a query counts at least one row. */
async function waitFor(sql: Sql, query: string): Promise<void> {
  while ((await readNumber(sql, query)) === 0);
}
