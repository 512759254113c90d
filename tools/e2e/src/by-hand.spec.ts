import { quoteQualified } from '@cdc-migrations/sql-text';
import type { Sql } from 'postgres';
import { mergeTable } from './merge-table.ts';
import {
  type MergeTarget,
  orderEvent,
  orderEvents,
  readNumber,
  startMergeTarget,
  TENANT,
} from './merge-target.fixture.ts';
import { ORDER_LINJER, orderTable } from './order-linjer.fixture.ts';
import { stageEvents } from './stage-events.ts';

const OTHER = orderTable('Other');
const FINAL = quoteQualified(TENANT, ORDER_LINJER.name);
const STAGING = quoteQualified(TENANT, ORDER_LINJER.names.staging);
const FILES_AGAIN = 'apply its files again: apply --again';

describe('manual changes', () => {
  let target: MergeTarget;
  let owner: Sql;
  let sink: Sql;
  beforeAll(async () => {
    target = await startMergeTarget();
    ({ owner, sink } = target);
  });
  beforeEach(() => target.apply(ORDER_LINJER, OTHER));
  afterEach(async () => {
    await owner.unsafe(`DROP SCHEMA IF EXISTS "${TENANT}" CASCADE`);
    await owner`CALL cdc_management.clean_up_schema(${TENANT})`;
  });
  afterAll(() => target.stop());

  const problems = async () =>
    (
      await sink`SELECT table_name, problem, solution FROM cdc_management.merge_problems ORDER BY 1, 2`
    ).map((row) => Object.values(row));
  const losses = async () =>
    (await sink`SELECT replay_from, cause FROM cdc_management.possible_loss`).map((row) =>
      Object.values(row),
    );
  const merge = () => mergeTable(sink, TENANT, ORDER_LINJER);
  const count = (name: string) => readNumber(owner, `SELECT count(*) AS n FROM ${name}`);

  it.each<[string, string, string, string]>([
    [
      'a missing registration',
      'DELETE FROM cdc_management.merge_control WHERE table_name LIKE $$Order%$$',
      'is not registered for merges',
      'apply its files again: apply --again',
    ],
    [
      'a missing final table',
      `DROP TABLE ${FINAL}`,
      'the final table is missing',
      `rename it back, or ${FILES_AGAIN}`,
    ],
    [
      'a missing staging table',
      `DROP TABLE ${STAGING}`,
      'staging table "stg_Order-Linjer" is missing',
      `rename it back, or ${FILES_AGAIN}, or CALL cdc_management.clean_up_table('${TENANT}', '${ORDER_LINJER.name}') if it was dropped permanently`,
    ],
    [
      'a missing trigger',
      `DROP TRIGGER ${ORDER_LINJER.names.trigger} ON ${STAGING}`,
      'the trigger of staging table "stg_Order-Linjer" is missing',
      FILES_AGAIN,
    ],
    [
      'a disabled trigger',
      `ALTER TABLE ${STAGING} DISABLE TRIGGER ${ORDER_LINJER.names.trigger}`,
      'the trigger of staging table "stg_Order-Linjer" is disabled',
      FILES_AGAIN,
    ],
    [
      'a trigger of an earlier version',
      `ALTER TABLE ${STAGING} ENABLE TRIGGER ${ORDER_LINJER.names.trigger}`,
      'the trigger of staging table "stg_Order-Linjer" does not fire in every session',
      FILES_AGAIN,
    ],
    [
      'a missing window function',
      `DROP FUNCTION ${quoteQualified(TENANT, ORDER_LINJER.names.mergeWindow)}`,
      'function "fn_merge_window_order-linjer" is missing',
      FILES_AGAIN,
    ],
    [
      'a missing primary key',
      `ALTER TABLE ${FINAL} DROP CONSTRAINT "pk_Order-Linjer"`,
      'the final table has no primary key over LinjeNr, OrderID',
      FILES_AGAIN,
    ],
  ])(
    'are reported, and repaired by applying the files again: %s',
    async (_, change, problem, solution) => {
      expect(await problems()).toEqual([]);
      await owner.unsafe(change);
      expect(await problems()).toEqual([[ORDER_LINJER.name, problem, solution]]);
      await target.apply(ORDER_LINJER);
      expect(await problems()).toEqual([]);
      await stageEvents(sink, TENANT, ORDER_LINJER, orderEvents(0, 1, 3));
      await sink`CALL cdc_management.run_pending_merges()`.simple();
      expect(await count(FINAL)).toBe(3);
    },
  );

  it.each([
    [
      `CREATE RULE gone AS ON INSERT TO ${STAGING} DO INSTEAD NOTHING`,
      'rule gone of table "stg_Order-Linjer" can remove rows',
      `DROP RULE gone ON ${STAGING}`,
    ],
    [
      `ALTER TABLE ${STAGING} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`,
      'row level security of table "stg_Order-Linjer" hides rows from its owner',
      `ALTER TABLE ${STAGING} NO FORCE ROW LEVEL SECURITY`,
    ],
  ])('are reported with the statement that undoes them: %s', async (change, problem, solution) => {
    await owner.unsafe(change);
    expect(await problems()).toEqual([[ORDER_LINJER.name, problem, solution]]);
    await owner.unsafe(solution);
    expect(await problems()).toEqual([]);
  });

  it('are reported with both solutions: a renamed schema', async () => {
    await owner.unsafe(`ALTER SCHEMA "${TENANT}" RENAME TO away`);
    const solution = `rename it back, or CALL cdc_management.clean_up_schema('${TENANT}') if it was dropped permanently`;
    expect(await problems()).toEqual([
      [ORDER_LINJER.name, 'is not registered for merges', 'apply its files again: apply --again'],
      [ORDER_LINJER.name, `schema "${TENANT}" is missing`, solution],
      [OTHER.name, 'is not registered for merges', 'apply its files again: apply --again'],
      [OTHER.name, `schema "${TENANT}" is missing`, solution],
    ]);
    await owner.unsafe(`ALTER SCHEMA away RENAME TO "${TENANT}"`);
    expect(await problems()).toEqual([]);
  });

  it.each([
    ['emptied', 'DELETE FROM cdc_management.merge_control'],
    ['truncated with CASCADE', 'TRUNCATE cdc_management.merge_control RESTART IDENTITY CASCADE'],
  ])('do not restore deleted keys if the registrations were %s', async (_, change) => {
    const upserts = orderEvents(0, 1, 5);
    await stageEvents(sink, TENANT, ORDER_LINJER, upserts);
    await stageEvents(
      sink,
      TENANT,
      ORDER_LINJER,
      upserts.map(({ values }, n) =>
        orderEvent({ ...values, __cdc_operation: 'd', __kafka_offset: String(10 + n) }),
      ),
    );
    await merge();
    expect(await count(FINAL)).toBe(0);
    await owner.unsafe(change);
    await target.apply(OTHER);
    await target.apply(ORDER_LINJER);
    await stageEvents(sink, TENANT, ORDER_LINJER, upserts);
    await merge();
    expect(await count(FINAL)).toBe(0);
    await owner.unsafe(`DROP SCHEMA "${TENANT}" CASCADE`);
    await owner`CALL cdc_management.clean_up_schema(${TENANT})`;
    expect(await count('cdc_management.tombstone')).toBe(0);
  });

  it('make clean_up_schema refuse a schema that has tables but no registrations', async () => {
    await owner`DELETE FROM cdc_management.merge_control`;
    await expect(owner`CALL cdc_management.clean_up_schema(${TENANT})`).rejects.toMatchObject({
      code: '2BP01',
    });
  });

  it('make possible_loss report the events of a dropped staging table until they are replayed', async () => {
    await stageEvents(sink, TENANT, ORDER_LINJER, orderEvents(0, 0, 9));
    await merge();
    await stageEvents(sink, TENANT, ORDER_LINJER, orderEvents(0, 10, 19));
    await owner.unsafe(`DROP TABLE ${STAGING}`);
    await target.apply(ORDER_LINJER);
    expect(await losses()).toEqual([['10', 'dropped']]);
    await stageEvents(sink, TENANT, ORDER_LINJER, orderEvents(0, 20, 29));
    await merge();
    expect(await losses()).toEqual([['10', 'dropped']]);
    await stageEvents(sink, TENANT, ORDER_LINJER, orderEvents(0, 10, 19));
    await merge();
    expect(await losses()).toEqual([]);
    expect(await count(FINAL)).toBe(30);
  });

  it('make possible_loss report a dropped final table with a replay from the beginning', async () => {
    await stageEvents(sink, TENANT, ORDER_LINJER, orderEvents(0, 5, 9));
    await merge();
    await owner.unsafe(`DROP TABLE ${FINAL}`);
    await target.apply(ORDER_LINJER);
    expect(await losses()).toEqual([['0', 'dropped']]);
  });

  it.each([
    ['the registrations', 'DELETE FROM cdc_management.merge_control'],
    [
      'all records of tables',
      'TRUNCATE cdc_management.merge_control, cdc_management.merged_table RESTART IDENTITY',
    ],
  ])('make possible_loss report a dropped schema if %s were deleted with it', async (_, change) => {
    await stageEvents(sink, TENANT, ORDER_LINJER, orderEvents(0, 5, 9));
    await merge();
    await owner.unsafe(`DROP SCHEMA "${TENANT}" CASCADE; ${change}; CREATE SCHEMA "${TENANT}"`);
    await target.apply(ORDER_LINJER);
    expect(await losses()).toEqual([['0', 'dropped']]);
  });

  it.each([
    ['emptied', 'DELETE FROM cdc_management.crash_watch'],
    ['dropped', 'DROP TABLE cdc_management.crash_watch'],
  ])('make possible_loss report every stream if crash_watch was %s', async (how, change) => {
    await stageEvents(sink, TENANT, ORDER_LINJER, orderEvents(0, 5, 9));
    await merge();
    await owner.unsafe(change);
    if (how === 'dropped') await target.apply(OTHER);
    expect(await losses()).toEqual([['10', 'restored copy']]);
    await stageEvents(sink, TENANT, OTHER, orderEvents(0, 0, 0));
    await sink`CALL cdc_management.run_pending_merges()`.simple();
    expect(await losses()).toContainEqual(['10', 'restored copy']);
    expect(await count('cdc_management.crash_watch')).toBe(1);
    await owner`DELETE FROM cdc_management.staging_loss`;
    expect(await losses()).toEqual([]);
  });

  it('do not hide the loss in a crash for a table that was not registered', async () => {
    await stageEvents(sink, TENANT, ORDER_LINJER, orderEvents(0, 5, 9));
    await merge();
    await stageEvents(sink, TENANT, ORDER_LINJER, orderEvents(0, 10, 19));
    await owner.unsafe(`DELETE FROM cdc_management.merge_control;
      TRUNCATE ${STAGING}, cdc_management.crash_canary, cdc_management.pending_merge`);
    await target.apply(OTHER);
    await target.apply(ORDER_LINJER);
    expect(await losses()).toEqual([['10', 'crash']]);
  });

  it('make possible_loss omit the rows that users copied to a new final table', async () => {
    await stageEvents(sink, TENANT, ORDER_LINJER, orderEvents(0, 5, 9));
    await merge();
    await owner.unsafe(`ALTER TABLE ${FINAL} RENAME TO away;
      CREATE TABLE ${FINAL} (LIKE "${TENANT}".away INCLUDING ALL);
      INSERT INTO ${FINAL} SELECT * FROM "${TENANT}".away`);
    await merge();
    expect(await losses()).toEqual([['10', 'dropped']]);
  });

  it('make possible_loss report the events that an older copy of the final table does not have', async () => {
    await stageEvents(sink, TENANT, ORDER_LINJER, orderEvents(0, 0, 4));
    await merge();
    await owner.unsafe(`CREATE TABLE "${TENANT}".before AS SELECT * FROM ${FINAL}`);
    await stageEvents(sink, TENANT, ORDER_LINJER, orderEvents(0, 5, 9));
    await merge();
    await owner.unsafe(`DROP TABLE ${FINAL}`);
    await owner.unsafe(`ALTER TABLE "${TENANT}".before RENAME TO "${ORDER_LINJER.name}"`);
    await target.apply(ORDER_LINJER);
    expect(await losses()).toEqual([['5', 'dropped']]);
    await stageEvents(sink, TENANT, ORDER_LINJER, orderEvents(0, 5, 9));
    await merge();
    expect(await losses()).toEqual([]);
    expect(await count(FINAL)).toBe(10);
  });

  it('make clean_up_table remove only the records of a dropped table', async () => {
    for (const table of [ORDER_LINJER, OTHER])
      await stageEvents(sink, TENANT, table, orderEvents(0, 0, 4));
    await sink`CALL cdc_management.run_pending_merges()`.simple();
    const cleanUp = () =>
      owner`CALL cdc_management.clean_up_table(${TENANT}, ${ORDER_LINJER.name})`;
    await expect(cleanUp()).rejects.toMatchObject({ code: '2BP01' });
    await owner.unsafe(`DROP TABLE ${STAGING}, ${FINAL}`);
    expect(await problems()).toHaveLength(1);
    await cleanUp();
    expect(await problems()).toEqual([]);
    expect(await owner`SELECT DISTINCT table_name FROM cdc_management.processing_log`).toEqual([
      { table_name: OTHER.name },
    ]);
  });
});
