import { quoteLiteral, quoteQualified } from '@cdc-migrations/sql-text';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Sql } from 'postgres';
import { mergeTable } from './merge-table.ts';
import {
  type MergeTarget,
  orderEvent,
  readNumber,
  renderOrders,
  startMergeTarget,
  TENANT,
} from './merge-target.fixture.ts';
import { ORDER_LINJER } from './order-linjer.fixture.ts';
import { readProcessingLog } from './read-processing-log.ts';
import { renderInsert } from './stage-events.ts';

const FINAL = quoteQualified(TENANT, ORDER_LINJER.name);
const STAGING = quoteQualified(TENANT, ORDER_LINJER.names.staging);
const TABLE = `${quoteLiteral(TENANT)}, ${quoteLiteral(ORDER_LINJER.name)}`;

describe('lanes of a table', () => {
  let target: MergeTarget;
  let owner: Sql;
  let one: Sql;
  let other: Sql;
  beforeAll(async () => {
    target = await startMergeTarget();
    ({ owner, sink: one } = target);
    other = target.connectSink();
    await target.apply(ORDER_LINJER);
  });
  beforeEach(async () => {
    await target.reset(ORDER_LINJER);
    await owner`UPDATE cdc_management.merge_control
      SET lanes = NULL, lane_count = 1, lane_generation = NULL, batch_events = NULL`;
  });
  afterEach(() => Promise.all([one, other].map((session) => session`ROLLBACK`.simple())));
  afterAll(() => target.stop());

  const merge = (session = one) => mergeTable(session, TENANT, ORDER_LINJER);
  const setLanes = (lanes: number) =>
    owner`UPDATE cdc_management.merge_control SET lanes = ${lanes}`;
  const stage = (...events: Parameters<typeof orderEvent>[0][]) =>
    owner.unsafe(
      renderInsert(
        STAGING,
        events.map((event) => orderEvent(event).values),
      ),
    );
  const readLanes = async () =>
    (await one.unsafe(`SELECT lane FROM cdc_management.lanes_of(${TABLE}) AS lane`)).map(
      ({ lane }) => Number(lane ?? -1),
    );
  const readPartitions = async () =>
    (await owner.unsafe(`SELECT DISTINCT "__kafka_partition" AS n FROM ${FINAL} ORDER BY 1`)).map(
      ({ n }) => Number(n),
    );
  const count = (table: string) => readNumber(owner, `SELECT count(*) AS n FROM ${table}`);
  const openLanes = async (lanes: number) => {
    await setLanes(lanes);
    await owner.unsafe(renderOrders(1, 3));
    await merge();
    expect(await readLanes()).toEqual(Array.from({ length: lanes }, (_, lane) => lane));
  };
  /** Leaves a batch of a lane open, like a session in the middle of a merge. */
  const beginBatch = async (session: Sql, lane: number | null) => {
    await session`BEGIN ISOLATION LEVEL REPEATABLE READ`.simple();
    const pass = { lane, block: 0, blocks: 1_000_000, end: 2_000_000 };
    const [batch] = await session.unsafe(
      `SELECT done FROM cdc_management.merge_step(${TABLE}, '${JSON.stringify(pass)}')`,
    );
    return batch!['done'] as boolean;
  };

  it('take effect after a session has merged the whole table', async () => {
    expect(await readLanes()).toEqual([-1]);
    await setLanes(3);
    expect(await readLanes()).toEqual([-1]);
    await openLanes(3);
    await setLanes(1);
    expect(await readLanes()).toEqual([-1]);
    await merge();
    expect(await owner`SELECT lane_count FROM cdc_management.merge_control`).toEqual([
      { lane_count: 1 },
    ]);
  });

  it('have no effect until the staging file of a version with lanes is applied', async () => {
    await openLanes(2);
    await owner`UPDATE cdc_management.merge_control SET facts = NULL, window_function = 'fn_of_before'`;
    expect(await readLanes()).toEqual([-1]);
    await target.apply(ORDER_LINJER);
    expect(await readLanes()).toEqual([0, 1]);
  });

  it('number from 1 to 64', async () => {
    await expect(setLanes(65)).rejects.toMatchObject({ code: '23514' });
    await expect(setLanes(0)).rejects.toMatchObject({ code: '23514' });
  });

  it('let sessions merge the events of different partitions in parallel', async () => {
    await openLanes(3);
    await owner.unsafe(renderOrders(4, 3000));
    expect(await beginBatch(one, 1)).toBe(false);
    await merge(other);
    expect(await readPartitions()).toEqual([0, 1, 2]);
    const ofLane = await count(`${FINAL} WHERE "__kafka_partition" = 1`);
    expect(ofLane).toBe(1);
    expect(await count(FINAL)).toBe(2001);
    expect(await beginBatch(other, 1)).toBe(true);
    await other`ROLLBACK`.simple();
    await one`COMMIT`.simple();
    expect([await count(FINAL), await count(STAGING)]).toEqual([3000, 0]);
    expect(await readProcessingLog(owner, TENANT, ORDER_LINJER.name)).toEqual({
      ...{ events: 3000, merged: 3000, deleted: 0, stale: 0, dead: 0, wrongRows: 0 },
    });
  });

  it('merge nothing while another session merges the whole table', async () => {
    await openLanes(2);
    await owner.unsafe(renderOrders(4, 100));
    expect(await beginBatch(one, null)).toBe(false);
    expect(await beginBatch(other, 0)).toBe(true);
    await other`COMMIT`.simple();
    await one`COMMIT`.simple();
    expect(await count(FINAL)).toBe(100);
  });

  it('let one session merge events of no lane: other generations, no generation or no partition', async () => {
    await openLanes(2);
    await stage(
      { __kafka_offset: '10', __stream_generation: '1', OrderID: '2', Status: 'bumped' },
      {
        __kafka_offset: '9',
        __stream_generation: '0',
        __kafka_partition: '-1',
        OrderID: '8',
      },
      { __kafka_offset: '11', __stream_generation: '0', __kafka_partition: null },
      { __kafka_offset: '12', __stream_generation: null, OrderID: '3', Status: 'unset' },
    );
    expect(await beginBatch(one, 0)).toBe(false);
    const merging = merge(other);
    await expect(
      Promise.race([merging, new Promise((resolve) => setTimeout(resolve, 500, 'waits'))]),
    ).resolves.toBe('waits');
    await one`COMMIT`.simple();
    await merging;
    expect(await count(STAGING)).toBe(0);
    expect(
      await owner.unsafe(`SELECT "Status" FROM ${FINAL} WHERE "OrderID" IN (2, 3) ORDER BY 1`),
    ).toEqual([{ Status: 'bumped' }, { Status: 'unset' }]);
    expect(await readPartitions()).toContain(-1);
    expect(await count('cdc_management.dead_letter')).toBe(1);
  });

  it('leave events of the next generation to a session that merges the whole table', async () => {
    await openLanes(2);
    await stage({ __kafka_offset: '20', __stream_generation: '0', OrderID: '70' });
    await stage({
      ...{ __kafka_offset: '3', __stream_generation: '1', __kafka_partition: '1' },
      ...{ OrderID: '70', __cdc_operation: 'd' },
    });
    expect(await beginBatch(one, 0)).toBe(false);
    expect(await beginBatch(other, 1)).toBe(false);
    await other`COMMIT`.simple();
    await one`COMMIT`.simple();
    expect(await count(`${FINAL} WHERE "OrderID" = 70`)).toBe(1);
    expect(await count(STAGING)).toBe(1);
    await merge();
    expect([await count(`${FINAL} WHERE "OrderID" = 70`), await count(STAGING)]).toEqual([0, 0]);
  });

  it('that do not exist merge nothing', async () => {
    await owner.unsafe(renderOrders(1, 100));
    for (const lane of [0, 1, 63]) {
      expect(await beginBatch(one, lane)).toBe(true);
      await one`COMMIT`.simple();
    }
    expect(await count(FINAL)).toBe(0);
    await openLanes(2);
    for (const lane of [2, 63]) {
      expect(await beginBatch(one, lane)).toBe(true);
      await one`COMMIT`.simple();
    }
  });

  it('fail a merge of the whole table that waits for them longer than merge_lock_timeout', async () => {
    await openLanes(2);
    await stage({ __kafka_offset: '0', __stream_generation: '1', OrderID: '2' });
    await owner`UPDATE cdc_management.setting SET value = '100ms' WHERE name = 'merge_lock_timeout'`;
    expect(await beginBatch(one, 0)).toBe(false);
    await expect(merge(other)).rejects.toMatchObject({ code: '55P03' });
    await one`COMMIT`.simple();
    await owner`UPDATE cdc_management.setting SET value = '5s' WHERE name = 'merge_lock_timeout'`;
    await merge(other);
    expect(await count(STAGING)).toBe(0);
  });

  it('keep batches small if staging has one partition after the other', async () => {
    await openLanes(4);
    await owner`UPDATE cdc_management.merge_control SET batch_events = 500`;
    await owner.unsafe(
      renderOrders(4, 40_000).replace('n % 3', 'n / 10001').replace('random()', 'n'),
    );
    const blockEvents =
      40_000 / (await readNumber(owner, `SELECT pg_relation_size('${STAGING}') / 8192 AS n`));
    await merge();
    expect(await count(STAGING)).toBe(0);
    const largest = await readNumber(
      owner,
      'SELECT max(events) AS n FROM cdc_management.processing_log',
    );
    expect(largest).toBeLessThan(65 * blockEvents); // The first window of a pass has no statistics yet.
  });

  it('are as many as the setting merge_lanes, unless the table has its own number', async () => {
    const set = (to: string) =>
      owner`UPDATE cdc_management.setting SET value = ${to} WHERE name = 'merge_lanes'`;
    await set('64');
    await owner.unsafe(renderOrders(1, 100));
    await merge();
    expect(await count(FINAL)).toBe(100);
    expect(await readLanes()).toHaveLength(64);
    await set('1');
  });

  it('use the next generation after its events have been merged', async () => {
    await openLanes(2);
    await stage({ __kafka_offset: '0', __stream_generation: '7', OrderID: '2' });
    await merge();
    expect(
      await owner`SELECT lane_count, lane_generation FROM cdc_management.merge_control`,
    ).toEqual([{ lane_count: 2, lane_generation: 7 }]);
  });

  it('lose no events if their number changes during merges', async () => {
    await openLanes(2);
    await owner`UPDATE cdc_management.merge_control SET batch_events = 50`;
    await owner.unsafe(renderOrders(4, 6000));
    const merging = [merge(), merge(other)];
    for (const lanes of [3, 1, 5, 2, 4]) await setLanes(lanes);
    await Promise.all(merging);
    while ((await count(STAGING)) > 0) await Promise.all([merge(), merge(other)]);
    expect(await count(FINAL)).toBe(6000);
    expect(await readProcessingLog(owner, TENANT, ORDER_LINJER.name)).toMatchObject({
      ...{ events: 6000, merged: 6000, stale: 0, wrongRows: 0 },
    });
  });

  it('lock staged_floor before merge_control, so that they do not deadlock', async () => {
    await openLanes(2);
    await owner`UPDATE cdc_management.merge_control SET most_events = 1`;
    await stage({ __kafka_offset: '1000', OrderID: '1000' }); // A gap that the end of the pass skips
    const holder = target.server.connect({ database: target.database, max: 1, onnotice: () => {} });
    await holder.unsafe('BEGIN; SELECT FROM cdc_management.staged_floor FOR UPDATE').simple();
    const merging = merge();
    while ((await readNumber(owner, 'SELECT count(*) AS n FROM pg_locks WHERE NOT granted')) === 0)
      await sleep(20);
    expect(
      await owner`SELECT FROM cdc_management.merge_control FOR UPDATE SKIP LOCKED`,
    ).toHaveLength(1);
    await holder`ROLLBACK`.simple();
    await merging;
    const [control] = await owner`SELECT most_events FROM cdc_management.merge_control`;
    expect(control!['most_events']).toBe(2);
    await holder.end();
  });

  it('are merged by concurrent calls of run_pending_merges without errors', async () => {
    await openLanes(3);
    await owner.unsafe(renderOrders(4, 5000));
    await stage({ __kafka_offset: '0', __stream_generation: '1', OrderID: '9999' });
    await Promise.all(
      [one, other].map((session) => session`CALL cdc_management.run_pending_merges()`.simple()),
    );
    await one`CALL cdc_management.run_pending_merges()`.simple();
    expect([await count(FINAL), await count(STAGING)]).toEqual([5001, 0]);
    expect(await owner`SELECT * FROM cdc_management.merge_error`).toEqual([]);
  });

  it('do not restore a deleted row from an older event', async () => {
    await openLanes(3);
    await stage({
      __kafka_offset: '900',
      __kafka_partition: '1',
      OrderID: '50',
      __cdc_operation: 'd',
    });
    await merge();
    await stage(
      { __kafka_offset: '5', __kafka_partition: '1', OrderID: '50' },
      { __kafka_offset: '5', __kafka_partition: '2', OrderID: '51' },
    );
    await merge();
    expect(await owner.unsafe(`SELECT "OrderID" FROM ${FINAL} WHERE "OrderID" >= 50`)).toEqual([
      { OrderID: 51 },
    ]);
  });
});
