import { quoteQualified } from '@cdc-migrations/sql-text';
import type { Sql } from 'postgres';
import { mergeTable } from './merge-table.ts';
import { type MergeTarget, readNumber, startMergeTarget, TENANT } from './merge-target.fixture.ts';
import { ORDER_LINJER } from './order-linjer.fixture.ts';

const STAGING = quoteQualified(TENANT, ORDER_LINJER.names.staging);
const MOST_GAPS = 1000;

describe('the gaps of a stream', () => {
  let target: MergeTarget;
  let sink: Sql;
  let owner: Sql;
  beforeAll(async () => {
    target = await startMergeTarget();
    ({ sink, owner } = target);
    await target.apply(ORDER_LINJER);
  });
  beforeEach(async () => {
    await target.reset(ORDER_LINJER);
    await owner`TRUNCATE cdc_management.staged_floor, cdc_management.staged_stream, cdc_management.staging_loss`;
    await owner`INSERT INTO cdc_management.crash_canary VALUES (true) ON CONFLICT DO NOTHING`;
  });
  afterAll(() => target.stop());

  /** Renders an INSERT of one event of partition 0 at each of these offsets. */
  const renderStage = (first: number, last: number, step: number) =>
    `INSERT INTO ${STAGING} ("OrderID", "LinjeNr", "Status", "_customer_id", "__cdc_operation",
        "__kafka_partition", "__kafka_offset")
      SELECT n, 1, 'ny', '0a827150-1332-5167-993b-68db156438cb', 'c', 0, n
      FROM generate_series(${first}, ${last}, ${step}) AS n`;
  const stage = (first: number, last: number, step = 3) =>
    sink.unsafe(renderStage(first, last, step));
  const merge = async (...offsets: Parameters<typeof stage>) => {
    await stage(...offsets);
    await mergeTable(sink, TENANT, ORDER_LINJER);
  };
  const gaps = () => readNumber(owner, 'SELECT count(*) AS n FROM cdc_management.unseen_offsets');
  const losses = async () =>
    (await sink`SELECT replay_from::integer FROM cdc_management.possible_loss`).map(
      (row) => row['replay_from'] as number,
    );
  /** Simulates what a crash does to unlogged tables. */
  const crash = () => owner.unsafe(`TRUNCATE ${STAGING}, cdc_management.crash_canary`);

  it('are limited to the newest 1,000', async () => {
    await merge(0, 3 * 1500);
    expect(await gaps()).toBe(MOST_GAPS);
    const oldest = 'SELECT min(first_offset) AS n FROM cdc_management.unseen_offsets';
    expect(await readNumber(owner, oldest)).toBe(3 * (1500 - MOST_GAPS) + 1);
    await merge(3 * 1501, 3 * 1600);
    expect(await gaps()).toBe(MOST_GAPS);
  });

  it('do not hide a loss from a crash, no matter how many gaps follow', async () => {
    await merge(0, 9, 1);
    await stage(10, 20, 1);
    await crash();
    expect(await losses()).toEqual([10]);
    await merge(100, 100 + 3 * 1500);
    expect(await losses()).toEqual([10]);
    await crash();
    await merge(6000, 6000);
    expect(await losses()).toEqual([10]);
    expect(await gaps()).toBeLessThanOrEqual(MOST_GAPS);
  });

  describe('report the loss of late events', () => {
    let writer: Sql;
    beforeEach(() => {
      writer = target.connectSink();
    });
    afterEach(() => writer.end({ timeout: 0 }));

    const stageLate = (first: number, last: number) => writer.unsafe(renderStage(first, last, 1));
    const mergeBatch = async (state: string) => {
      const [step] = await sink.begin(
        'isolation level repeatable read',
        (batch) => batch<{ state: string; done: boolean }[]>`
          SELECT p_pass::text AS state, done
          FROM cdc_management.merge_step(${TENANT}, ${ORDER_LINJER.name}, ${state}::text::jsonb)`,
      );
      return step!;
    };

    it('that are committed after many newer gaps', async () => {
      await merge(0, 99, 1);
      await writer`BEGIN`;
      await stageLate(100, 27_000);
      for (let n = 0; n < 4; n++) await merge(30_000 + n * 3000, 30_000 + n * 3000 + 2999, 2);
      await writer`COMMIT`;
      await crash();
      expect(await losses()).toEqual([100]);
    });

    it('that are committed during a pass', async () => {
      await stage(0, 60);
      await writer`BEGIN`;
      await stageLate(31, 32);
      for (const offset of [61, 62]) await merge(offset, offset);
      await stage(63, 40_000, 1);
      let pass = await mergeBatch('{}');
      expect(pass.done).toBe(false);
      await writer`COMMIT`;
      while (!pass.done) pass = await mergeBatch(pass.state);
      await crash();
      expect(await losses()).toEqual([31]);
    });

    it('of a transaction whose snapshot is older than the newest merges', async () => {
      await stage(0, 60);
      await writer`BEGIN ISOLATION LEVEL REPEATABLE READ`;
      await writer`SELECT 1`;
      for (let n = 61; n < 65; n++) await merge(n, n);
      await stageLate(31, 32);
      await writer`COMMIT`;
      await crash();
      expect(await losses()).toEqual([31]);
    });

    it('that are staged long after newer events', async () => {
      await merge(0, 3 * 1500);
      for (let n = 5000; n < 5004; n++) await merge(n, n);
      await stageLate(31, 32);
      await crash();
      expect(await losses()).toEqual([31]);
    });
  });

  it.each([10, 3 * 1500])(
    'do not lower the replay position, up to offset %i, if no event can arrive in them',
    async (last) => {
      await merge(0, last);
      for (let n = last + 10; n < last + 14; n++) await merge(n, n);
      await stage(last + 20, last + 20);
      await crash();
      const [from] = await losses();
      expect(from).toBeGreaterThan(last);
      expect(from).toBeLessThanOrEqual(last + 20);
    },
  );

  it('that an earlier version did not keep do not count as merged', async () => {
    await merge(0, 3 * 1500);
    await owner`UPDATE cdc_management.staged_stream SET first_offset = 0`;
    await owner.unsafe(`ALTER TABLE cdc_management.stream_coverage
        DROP COLUMN exact_from CASCADE, DROP COLUMN settled_before CASCADE, DROP COLUMN settling_before, DROP COLUMN settling_since;
      ALTER TABLE cdc_management.staging_loss
        DROP COLUMN begun_at CASCADE, DROP COLUMN cause CASCADE, DROP COLUMN looks_past_staged;
      ALTER TABLE cdc_management.crash_watch DROP COLUMN identity`);
    await target.apply(ORDER_LINJER);
    await crash();
    expect(await losses()).toEqual([0]);
  });

  it('do not count as lost after the first lost offset is merged', async () => {
    await merge(0, 3 * 20);
    await merge(61, 70, 1);
    await crash();
    await merge(100, 100 + 3 * 1500);
    expect(await losses()).toEqual([1]);
    await merge(1, 1);
    expect(await losses()).toEqual([]);
    expect(await gaps()).toBe(MOST_GAPS);
  });
});
