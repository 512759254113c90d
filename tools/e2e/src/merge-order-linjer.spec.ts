import type { ChangeEvent } from '@cdc-migrations/event-model';
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
import { readProcessingLog } from './read-processing-log.ts';
import { stageEvents } from './stage-events.ts';

const FINAL = quoteQualified(TENANT, ORDER_LINJER.name);

describe('the merge of a table named Order-Linjer', () => {
  let target: MergeTarget;
  let sink: Sql;
  let owner: Sql;
  beforeAll(async () => {
    target = await startMergeTarget();
    ({ sink, owner } = target);
    await target.apply(ORDER_LINJER);
  });
  beforeEach(() => target.reset(ORDER_LINJER));
  afterAll(() => target.stop());

  const merge = (...events: readonly ChangeEvent[]) =>
    stageEvents(sink, TENANT, ORDER_LINJER, events).then(() =>
      mergeTable(sink, TENANT, ORDER_LINJER),
    );
  const merged = () => owner.unsafe(`SELECT "OrderID", "Status" FROM ${FINAL} ORDER BY "OrderID"`);

  it('loses none of 50,000 keys in random order over many batches, and keeps their newest versions', async () => {
    await owner`UPDATE cdc_management.merge_control SET batch_events = 2000`;
    await sink.unsafe(renderOrders(1, 10_000, { status: 'newer', after: 100_000 }));
    await sink.unsafe(renderOrders(1, 50_000));
    const started = Date.now();
    await mergeTable(sink, TENANT, ORDER_LINJER);
    const elapsedMs = Date.now() - started;
    const counts = await owner.unsafe(
      `SELECT "Status", count(*)::integer AS n FROM ${FINAL} GROUP BY 1 ORDER BY 1`,
    );
    expect(counts).toEqual([
      { Status: 'newer', n: 10_000 },
      { Status: 'ny', n: 40_000 },
    ]);
    expect(await readProcessingLog(owner, TENANT, ORDER_LINJER.name)).toMatchObject({
      events: 60_000,
      dead: 0,
      wrongRows: 0,
    });
    const query = 'SELECT count(DISTINCT batch_id) AS n FROM cdc_management.processing_log';
    expect(await readNumber(owner, query)).toBeGreaterThan(5);
    const durations = `SELECT sum(ms) AS n FROM (SELECT max(duration_ms) AS ms
      FROM cdc_management.processing_log GROUP BY batch_id) AS batch`;
    const loggedMs = await readNumber(owner, durations);
    expect(loggedMs).toBeGreaterThan(elapsedMs / 2);
    expect(loggedMs).toBeLessThanOrEqual(elapsedMs);
    await owner`UPDATE cdc_management.merge_control SET batch_events = NULL`;
  });

  it('deletes rows, and creates no row for a delete of an unknown key', async () => {
    await merge(
      orderEvent({ OrderID: '1', __kafka_offset: '1' }),
      orderEvent({ OrderID: '2', __kafka_offset: '2' }),
    );
    await merge(
      orderEvent({ OrderID: '1', __cdc_operation: 'd', __kafka_offset: '3' }),
      orderEvent({ OrderID: '3', __cdc_operation: 'DELETE', __kafka_offset: '4' }),
    );
    expect(await merged()).toEqual([{ OrderID: 2, Status: 'ny' }]);
  });

  it('does not restore a deleted row for an older event, but does for a newer one', async () => {
    await merge(orderEvent({ __cdc_operation: 'd', Status: null, __kafka_offset: '5' }));
    await merge(orderEvent({ Status: 'older', __kafka_offset: '4' }));
    expect(await merged()).toEqual([]);
    await merge(orderEvent({ Status: 'newer', __kafka_offset: '6' }));
    expect(await merged()).toEqual([{ OrderID: 1, Status: 'newer' }]);
  });

  it('ignores an older event, regardless of its timestamp', async () => {
    await merge(orderEvent({ Status: 'newest', __source_ts_ms: '5', __kafka_offset: '9' }));
    await merge(
      orderEvent({ Status: 'replayed', __source_ts_ms: '9', __kafka_offset: '8' }),
      orderEvent({ Status: 'no time', __source_ts_ms: null, __kafka_offset: '7' }),
    );
    expect(await merged()).toEqual([{ OrderID: 1, Status: 'newest' }]);
  });

  it('uses the event with the highest offset if timestamps are equal', async () => {
    await merge(
      orderEvent({ Status: 'second', __kafka_offset: '2' }),
      orderEvent({ Status: 'third', __kafka_offset: '3' }),
      orderEvent({ Status: 'first', __kafka_offset: '1' }),
    );
    expect(await merged()).toEqual([{ OrderID: 1, Status: 'third' }]);
  });

  it('uses the event with the higher generation, regardless of its offset', async () => {
    const recreated = { __stream_generation: '1', __kafka_offset: '0', Status: 'recreated' };
    await merge(orderEvent({ Status: 'before', __kafka_offset: '1000' }));
    await merge(orderEvent(recreated));
    await merge(orderEvent({ Status: 'late', __kafka_offset: '1001' }));
    expect(await merged()).toEqual([{ OrderID: 1, Status: 'recreated' }]);
  });

  it.each([
    ['an earlier batch', true],
    ['the same batch', false],
  ])('keeps the value from %s if an event has an unavailable value', async (_where, apart) => {
    const unavailable = '__debezium_unavailable_value';
    const events = [
      orderEvent({ Notat: 'lang', Dokument: '<a>b</a>', Data: '{"a":1}', __kafka_offset: '1' }),
      orderEvent({
        ...{ Notat: unavailable, Dokument: unavailable, Data: unavailable },
        ...{ Status: 'changed', __kafka_offset: '2' },
      }),
    ];
    if (apart) for (const event of events) await merge(event);
    else await merge(...events);
    const columns = '"Status", "Notat", "Dokument"::text, "Data"::text';
    expect(await owner.unsafe(`SELECT ${columns} FROM ${FINAL}`)).toEqual([
      { Status: 'changed', Notat: 'lang', Dokument: '<a>b</a>', Data: '{"a": 1}' },
    ]);
  });

  it('is run by run_pending_merges', async () => {
    await sink.unsafe(renderOrders(1, 10));
    await sink`CALL cdc_management.run_pending_merges()`.simple();
    expect(await readNumber(owner, `SELECT count(*) AS n FROM ${FINAL}`)).toBe(10);
    expect(await owner`SELECT * FROM cdc_management.merge_error`).toEqual([]);
  });
});
