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
    await owner`TRUNCATE cdc_management.staged_stream, cdc_management.staging_loss`;
  });
  afterAll(() => target.stop());

  /** Stages an event of partition 0 at each of these offsets. */
  const stage = (first: number, last: number, step = 3) =>
    sink.unsafe(`INSERT INTO ${STAGING} ("OrderID", "LinjeNr", "Status", "_customer_id", "__cdc_operation",
        "__kafka_partition", "__kafka_offset")
      SELECT n, 1, 'ny', '0a827150-1332-5167-993b-68db156438cb', 'c', 0, n
      FROM generate_series(${first}, ${last}, ${step}) AS n`);
  const merge = async (...offsets: Parameters<typeof stage>) => {
    await stage(...offsets);
    await mergeTable(sink, TENANT, ORDER_LINJER);
  };
  const gaps = () => readNumber(owner, 'SELECT count(*) AS n FROM cdc_management.unseen_offsets');
  const losses = async () =>
    (await sink`SELECT replay_from::integer FROM cdc_management.possible_loss`).map(
      (row) => row['replay_from'] as number,
    );
  /** What a crash leaves of unlogged tables. */
  const crash = () => owner.unsafe(`TRUNCATE ${STAGING}, cdc_management.crash_canary`);

  it('are kept up to a thousand, the newest ones', async () => {
    await merge(0, 3 * 1500);
    expect(await gaps()).toBe(MOST_GAPS);
    const oldest = 'SELECT min(first_offset) AS n FROM cdc_management.unseen_offsets';
    expect(await readNumber(owner, oldest)).toBe(3 * (1500 - MOST_GAPS) + 1);
    await merge(3 * 1501, 3 * 1600);
    expect(await gaps()).toBe(MOST_GAPS);
  });

  it('do not hide what a crash took, however many come after it', async () => {
    await merge(0, 9, 1);
    await stage(10, 20, 1);
    await crash();
    expect(await losses()).toEqual([10]);
    await merge(100, 100 + 3 * 1500);
    expect(await losses()).toEqual([10]);
    await crash();
    await merge(6000, 6000);
    expect(await losses()).toEqual([10]);
    expect(await gaps()).toBeGreaterThan(MOST_GAPS);
  });

  it('count as seen again when the first lost offset has come', async () => {
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
