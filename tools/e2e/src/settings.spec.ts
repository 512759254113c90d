import { quoteQualified } from '@cdc-migrations/sql-text';
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
import { stageEvents } from './stage-events.ts';

const FINAL = quoteQualified(TENANT, ORDER_LINJER.name);

describe('a setting', () => {
  let target: MergeTarget;
  let owner: Sql;
  beforeAll(async () => {
    target = await startMergeTarget();
    ({ owner } = target);
    await target.apply(ORDER_LINJER);
  });
  beforeEach(() => target.reset(ORDER_LINJER));
  afterAll(() => target.stop());

  const set = (name: string, value: string) =>
    owner`UPDATE cdc_management.setting SET value = ${value} WHERE name = ${name}`;
  const valueOf = async (name: string) =>
    (await owner`SELECT cdc_management.setting_of(${name}) AS value`)[0]!['value'] as string;

  it.each([
    ['batch_events', '0', "expected a whole number from 1 to 1000000, found '0'"],
    ['batch_events', 'many', "expected a whole number from 1 to 1000000, found 'many'"],
    ['batch_events', '99999999999999999999', 'expected a whole number'],
    ['merge_lanes', '65', "expected a whole number from 1 to 64, found '65'"],
    ['merge_lanes', '', "expected a whole number from 1 to 64, found ''"],
    ['shrink_above_bytes', 'abc', 'expected a whole number'],
    ['shrink_above_bytes', '-1', 'expected a whole number'],
    ['rewrite_limit_bytes', '64 MB', 'expected a whole number'],
    ['merge_lock_timeout', '5 minutes', 'expected a duration such as 5s, found'],
    ['merge_lock_timeout', '-1s', 'expected a duration'],
    ['silent_after', 'soon', "expected an interval such as 1 day, found 'soon'"],
    ['replay_within', '-1 day', 'expected an interval'],
    ['tombstone_retention', '', 'expected an interval'],
    ['log_retention', '1000000000000000000 years', 'expected an interval'],
    ['dead_letter_retention', '30', null],
    ['merge_lock_timeout', '0', null],
    ['merge_lock_timeout', '1h', null],
    ['batch_events', '1000000', null],
    ['silent_after', '2 weeks', null],
  ])('%s = %p is checked when it is set: %p', async (name, value, problem) => {
    const before = await valueOf(name);
    if (problem === null) await set(name, value);
    else {
      await expect(set(name, value)).rejects.toMatchObject({
        code: '23514',
        message: expect.stringContaining(problem) as unknown,
      });
    }
    expect(await valueOf(name)).toBe(problem === null ? value : before);
    await set(name, before);
  });

  it('that is unknown is reported with the known settings', async () => {
    await expect(
      owner`INSERT INTO cdc_management.setting VALUES ('batch_event', '1', 'a typo')`,
    ).rejects.toMatchObject({
      message: expect.stringMatching(
        /^unknown setting batch_event; known: batch_events, /,
      ) as unknown,
    });
  });

  it('that is missing, or invalid in an older database, does not stop a merge', async () => {
    await owner`DELETE FROM cdc_management.setting WHERE name IN ('batch_events', 'merge_lock_timeout')`;
    await owner`ALTER TABLE cdc_management.setting DROP CONSTRAINT setting_value_check`;
    await owner`UPDATE cdc_management.setting SET value = 'abc'`;
    await owner.unsafe(renderOrders(1, 20_000));
    await owner`CALL cdc_management.run_pending_merges()`.simple();
    expect(await readNumber(owner, `SELECT count(*) AS n FROM ${FINAL}`)).toBe(20_000);
    expect(await owner`SELECT * FROM cdc_management.silent_tenants`).toEqual([]);
    await target.apply(ORDER_LINJER);
    expect(await owner`SELECT * FROM cdc_management.merge_error`).toEqual([]);
    await owner`TRUNCATE cdc_management.setting`;
  });

  it('of a single table is checked', async () => {
    await expect(
      owner`UPDATE cdc_management.merge_control SET batch_events = 0`,
    ).rejects.toMatchObject({ code: '23514' });
  });
});

describe('an invalid source time', () => {
  it('makes the lag of its table NULL', async () => {
    const target = await startMergeTarget();
    await target.apply(ORDER_LINJER);
    try {
      await stageEvents(target.sink, TENANT, ORDER_LINJER, [
        orderEvent({ __kafka_offset: '1', __source_ts_ms: '1767225600000000000' }),
      ]);
      await mergeTable(target.sink, TENANT, ORDER_LINJER);
      expect(await target.sink`SELECT table_name, lag FROM cdc_management.merge_lag`).toEqual([
        { table_name: ORDER_LINJER.name, lag: null },
      ]);
    } finally {
      await target.stop();
    }
  });
});
