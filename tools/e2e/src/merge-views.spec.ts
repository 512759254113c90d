import { quoteQualified } from '@cdc-migrations/sql-text';
import type { ReplicatedTable } from '@cdc-migrations/table-defs';
import type { Sql } from 'postgres';
import { mergeTable } from './merge-table.ts';
import { type MergeTarget, orderEvent, startMergeTarget, TENANT } from './merge-target.fixture.ts';
import { ORDER_LINJER, orderTable } from './order-linjer.fixture.ts';
import { stageEvents } from './stage-events.ts';

const QUIET = orderTable('Quiet');
const [TABLE, STAGING] = [ORDER_LINJER.name, ORDER_LINJER.names.staging];

describe('the views for operators:', () => {
  let target: MergeTarget;
  let owner: Sql;
  let sink: Sql;
  beforeAll(async () => {
    target = await startMergeTarget();
    ({ owner, sink } = target);
    await target.apply(ORDER_LINJER, QUIET);
  });
  beforeEach(async () => {
    for (const table of [ORDER_LINJER, QUIET]) await target.reset(table);
    await owner`TRUNCATE cdc_management.pending_merge`;
    await owner`UPDATE cdc_management.merge_control SET last_merged_at = NULL`;
  });
  afterAll(() => target.stop());

  const stage = (offsets: readonly number[], values: Record<string, string> = {}) =>
    stageEvents(
      sink,
      TENANT,
      ORDER_LINJER,
      offsets.map((n) => orderEvent({ OrderID: String(n), __kafka_offset: String(n), ...values })),
    );
  const merge = (table: ReplicatedTable = ORDER_LINJER) => mergeTable(sink, TENANT, table);
  /** Reads rows of a view as the sink's role. */
  const view = (name: string, columns: string, order = '1') =>
    sink.unsafe(`SELECT ${columns} FROM cdc_management.${name} ORDER BY ${order}`);

  it('merge_status shows waiting events, dead letters and the last merge of each table', async () => {
    await stage([1, 2]);
    await merge();
    await stage([3, 4], { Tekst: 'eleven long' });
    await merge();
    await stage([5]);
    expect(
      await view(
        'merge_status',
        `table_name, pending_since > now() - interval '1 minute' AS pending, holds_events,
         staging_bytes > 0 AS has_size, dead_letters::integer, is_failing, last_merged_at IS NOT NULL AS merged`,
      ),
    ).toEqual([
      {
        table_name: TABLE,
        ...{ pending: true, holds_events: true, has_size: true, dead_letters: 2 },
        ...{ is_failing: false, merged: true },
      },
      {
        table_name: 'Quiet',
        ...{ pending: null, holds_events: false, has_size: false, dead_letters: 0 },
        ...{ is_failing: false, merged: false },
      },
    ]);
  });

  it('merge_status shows events without a mark', async () => {
    await stage([1]);
    await owner`TRUNCATE cdc_management.pending_merge`;
    expect(await view('merge_status', 'table_name, pending_since, holds_events')).toMatchObject([
      { table_name: TABLE, pending_since: null, holds_events: true },
      { table_name: 'Quiet', pending_since: null, holds_events: false },
    ]);
  });

  describe('unseen_offsets', () => {
    const gaps = () =>
      view(
        'unseen_offsets',
        'kafka_partition AS p, stream_generation AS g, first_offset::integer AS first, last_offset::integer AS last, offsets::integer AS n, may_be_staged AS staged',
        '1, 2, 3',
      );

    it('lists each gap of a stream in any order of events, and no gaps between streams', async () => {
      await stage([9, 1, 2, 5]);
      await stage([100, 103], { __kafka_partition: '1' });
      await stage([50], { __stream_generation: '1' });
      await merge();
      const found = [
        { p: 0, g: 0, first: 3, last: 4, n: 2, staged: false },
        { p: 0, g: 0, first: 6, last: 8, n: 3, staged: false },
        { p: 1, g: 0, first: 101, last: 102, n: 2, staged: false },
      ];
      expect(await gaps()).toEqual(found);
      await stage([3, 4]);
      expect((await gaps())[0]).toEqual({ ...found[0], staged: true });
      await merge();
      expect(await gaps()).toEqual(found.slice(1));
    });

    it('lists no gaps for dead letters, replays and stale events', async () => {
      await stage([1, 2, 3, 4]);
      await merge();
      await stage([5], { Tekst: 'eleven long' });
      await stage([2, 3]);
      await merge();
      await stage([6]);
      await merge();
      expect(await gaps()).toEqual([]);
    });
  });

  it('merge_lag shows the lag of the newest event of the last batch, in minutes or days', async () => {
    const msAgo = (interval: string) =>
      owner.unsafe(
        `SELECT (extract(epoch FROM now() - interval '${interval}') * 1000)::bigint::text AS ms`,
      );
    const [[days], [minutes]] = await Promise.all([msAgo('2 days 3 minutes'), msAgo('7 minutes')]);
    await stage([1], { __source_ts_ms: String(days!['ms']) });
    await merge();
    const lag = `table_name, lag BETWEEN interval '2 days 3 minutes' AND interval '2 days 5 minutes' AS days,
      lag BETWEEN interval '7 minutes' AND interval '9 minutes' AS minutes, waiting < interval '1 minute' AS waiting`;
    expect(await view('merge_lag', lag)).toEqual([
      { table_name: TABLE, days: true, minutes: false, waiting: null },
    ]);
    await stage([2], { __source_ts_ms: String(days!['ms']) });
    await stage([3], { __source_ts_ms: String(minutes!['ms']), __kafka_partition: '1' });
    await stage([4], { __source_ts_ms: String(days!['ms']), __kafka_partition: '2' });
    await merge();
    await stage([5]);
    expect(await view('merge_lag', lag)).toEqual([
      { table_name: TABLE, days: false, minutes: true, waiting: true },
    ]);
  });

  it('merge_statistics counts events by result, and includes batches longer than a minute', async () => {
    await stage([1, 2, 3, 4]);
    await merge();
    await stage([5, 6], { Tekst: 'eleven long' });
    await stage([2], { __kafka_offset: '1' });
    await stageEvents(sink, TENANT, ORDER_LINJER, [
      orderEvent({ OrderID: '3', __cdc_operation: 'd', __kafka_offset: '7' }),
    ]);
    await merge();
    const statistics = `day = (now() AT TIME ZONE 'UTC')::date AS today, events::integer, merged::integer,
      deleted::integer, stale::integer, dead::integer, longest_batch_ms > 90000 AS long`;
    const counts = { events: 8, merged: 4, deleted: 1, stale: 1, dead: 2 };
    expect(await view('merge_statistics', statistics)).toEqual([
      { today: true, ...counts, long: false },
    ]);
    const [batch] = await owner`SELECT nextval('cdc_management.batch_id') AS id`;
    await owner`SELECT cdc_management.record_tally(control, ${batch!['id']}, clock_timestamp() - interval '95.5 seconds',
        ('Test', 'Order-Linjer', 0, 0, 8, 8, NULL, 1, 1, 0, 0, NULL)::cdc_management.stream_tally)
      FROM cdc_management.merge_control AS control WHERE table_name = ${TABLE}`;
    expect(await view('merge_statistics', statistics)).toEqual([
      { today: true, ...counts, events: 9, merged: 5, long: true },
    ]);
    const [log] = await owner`SELECT duration_ms::integer AS ms FROM cdc_management.processing_log
      WHERE batch_id = ${batch!['id']}`;
    expect(log!['ms']).toBeGreaterThanOrEqual(95_500);
    expect(log!['ms']).toBeLessThan(120_000);
  });

  it('stream_status shows the first and last offset of each stream', async () => {
    await stage([1, 2, 3]);
    await stage([10], { __kafka_partition: '1' });
    await merge();
    await stage([4]);
    await merge();
    expect(
      await view(
        'stream_status',
        'source_db, kafka_partition AS p, first_offset::integer AS first, last_offset::integer AS last, events::integer AS n',
        '1, 2',
      ),
    ).toEqual([
      { source_db: 'Test', p: 0, first: 1, last: 4, n: 4 },
      { source_db: 'Test', p: 1, first: 10, last: 10, n: 1 },
    ]);
  });

  it('recent_errors lists failed merges and dead letters of the last days with their counts', async () => {
    await stage([1, 2], { Tekst: 'eleven long' });
    await merge();
    await sink`SELECT 1`;
    await owner`INSERT INTO cdc_management.dead_letter (schema_name, table_name, reason, payload, created_at)
      VALUES (${TENANT}, ${TABLE}, 'old', '{}', now() - interval '8 days')`;
    for (let n = 0; n < 3; n++) {
      await owner`SELECT cdc_management.note_merge_error(${TENANT}, ${TABLE}, '53100', 'no space')`;
    }
    expect(await view('recent_errors', 'kind, reason, times::integer', 'occurred_at DESC')).toEqual(
      [
        { kind: 'merge failed', reason: 'no space (SQLSTATE 53100)', times: 3 },
        { kind: 'dead letter', reason: expect.stringMatching(/too long.*22001/), times: 2 },
      ],
    );
  });

  it('silent_tenants lists tenants without recent events, and those without any events', async () => {
    const silent = () =>
      view('silent_tenants', 'schema_name, source_db, last_merged_at, silent_for');
    expect(await silent()).toEqual([
      { schema_name: TENANT, source_db: null, last_merged_at: null, silent_for: null },
    ]);
    await stage([1]);
    await merge();
    expect(await silent()).toEqual([]);
    await owner`UPDATE cdc_management.stream_coverage SET last_merged_at = now() - interval '25 hours'`;
    await merge(QUIET);
    expect(
      await view(
        'silent_tenants',
        `source_db, silent_for BETWEEN interval '25 hours' AND interval '26 hours' AS day`,
      ),
    ).toEqual([{ source_db: 'Test', day: true }]);
    await owner`UPDATE cdc_management.setting SET value = '3 days' WHERE name = 'silent_after'`;
    expect(await silent()).toEqual([]);
  });

  it('no view needs more than the privileges of the sink role', async () => {
    await stage([1]);
    const views = await owner`SELECT table_name AS name FROM information_schema.views
      WHERE table_schema = 'cdc_management'`;
    expect(views.length).toBeGreaterThan(8);
    for (const { name } of views) await sink.unsafe(`SELECT * FROM cdc_management.${name}`);
    await expect(
      sink.unsafe(`SELECT FROM ${quoteQualified(TENANT, STAGING)}`),
    ).rejects.toMatchObject({ code: '42501' });
  });
});
