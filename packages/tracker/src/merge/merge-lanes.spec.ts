import { setTimeout as sleep } from 'node:timers/promises';
import { ACTOR, buildMigrations, stage, startTarget, type Target } from '../target.fixture.ts';

let target: Target;
beforeAll(async () => {
  target = await startTarget(15);
  await target.apply(buildMigrations({ tables: [ACTOR], tenants: ['blue'] }), {
    tenants: ['blue'],
  });
  await target.query(`CREATE FUNCTION blue.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE 'disk full' USING ERRCODE = 'disk_full'; END $$`);
});
afterAll(() => target?.stop());
beforeEach(async () => {
  await target.query(`TRUNCATE blue."Actor", blue."stg_Actor", cdc_management.pending_merge;
    UPDATE cdc_management.merge_control SET lanes = 2, lane_count = 2, lane_generation = 0`);
});

/** Stages ten events in two partitions. */
const stageBoth = (generation = 0) =>
  target.query(stage({ keys: [1, 10], partition: 'n % 2', generation }));

async function countOf(table: string): Promise<number> {
  const [row] = await target.query<{ n: number }>(`SELECT count(*)::int AS n FROM blue."${table}"`);
  return row!.n;
}

async function untilMerged(count: number): Promise<void> {
  for (const deadline = Date.now() + 30_000; (await countOf('Actor')) < count;) {
    if (Date.now() > deadline) throw new Error('it was not merged in 30 s');
    await sleep(20);
  }
}

const merge = async () => (await target.merge()).tables[0];
const refuseLane = () =>
  target.query(`CREATE TRIGGER refuse BEFORE INSERT ON blue."Actor" FOR EACH ROW
    WHEN (NEW."__kafka_partition" = 0) EXECUTE FUNCTION blue.refuse()`);
const acceptLane = () => target.query('DROP TRIGGER refuse ON blue."Actor"');

describe('merge of a table with lanes', () => {
  it('fails when a lane fails, and merges the others', async () => {
    await stageBoth();
    await refuseLane();
    const failed = await merge();
    await acceptLane();
    expect(failed).toMatchObject({ merged: 5, failure: 'disk full (SQLSTATE 53100)' });
    expect(await countOf('stg_Actor')).toBe(5);
    expect(await merge()).toMatchObject({ merged: 5, failure: null });
  });

  it('fails if it cannot lock all lanes for events that belong to no lane', async () => {
    await stageBoth(1);
    const setTimeout = (value: string) =>
      target.query(
        `UPDATE cdc_management.setting SET value = '${value}' WHERE name = 'merge_lock_timeout'`,
      );
    await setTimeout('100ms');
    const other = target.connect();
    await other`BEGIN`.simple();
    await other`SELECT FROM cdc_management.merge_lane WHERE lane = 1 FOR UPDATE`;
    const failed = await merge();
    await other.end();
    await setTimeout('5s');
    expect(failed).toMatchObject({ failure: expect.stringContaining('55P03') });
    expect(await countOf('stg_Actor')).toBe(10);
    expect(await merge()).toMatchObject({ merged: 10, failure: null });
  });

  it('does not report the failure of a lane that is merged later while it watches', async () => {
    await stageBoth();
    await refuseLane();
    const end = new AbortController();
    const merging = target.merge({ everyMs: 50, signal: end.signal });
    try {
      await untilMerged(5);
      await acceptLane();
      await untilMerged(10);
      await sleep(500);
    } finally {
      end.abort();
    }
    expect((await merging).tables).toEqual([
      expect.objectContaining({ table: 'Actor', merged: 10, failure: null }),
    ]);
  });
});
