import type { ChangeEvent } from '@cdc-migrations/event-model';
import { quoteQualified } from '@cdc-migrations/sql-text';
import {
  DELETED_AT,
  spellings,
  type Operation,
  type ReplicatedTable,
} from '@cdc-migrations/table-defs';
import { mergeTable } from './merge-table.ts';
import { type MergeTarget, orderEvent, startMergeTarget, TENANT } from './merge-target.fixture.ts';
import { ORDER_LINJER, orderTable } from './order-linjer.fixture.ts';
import { stageEvents } from './stage-events.ts';

const KEYED = ORDER_LINJER;
const SOFT: ReplicatedTable = {
  ...orderTable('Soft'),
  columns: [...ORDER_LINJER.columns, DELETED_AT],
  deleteMode: 'soft',
};
const KEYLESS: ReplicatedTable = { ...orderTable('Keyless'), key: null };
const UNAVAILABLE = '__debezium_unavailable_value';

/** Resulting large value of a stored row after each operation that omits it. */
const WRITTEN: readonly (readonly [Operation, string | null])[] = [
  ['insert', null],
  ['update', 'long'],
  ['upsert', 'long'],
  ['snapshot', 'long'],
];
const each = (...operations: readonly Operation[]) => spellings(...operations);
const SPELLED = WRITTEN.flatMap(([operation, note]) =>
  each(operation).map((text) => [text, note] as const),
);

describe('operations as sink pipelines spell them', () => {
  let target: MergeTarget;
  let offset = 10;
  beforeAll(async () => {
    target = await startMergeTarget();
    await target.apply(KEYED, SOFT, KEYLESS);
  });
  afterAll(() => target.stop());
  beforeEach(async () => {
    for (const table of [KEYED, SOFT, KEYLESS]) await target.reset(table);
  });

  const event = (operation: string | null, values: Readonly<Record<string, string | null>> = {}) =>
    orderEvent({ ...values, __cdc_operation: operation, __kafka_offset: String(offset++) });

  async function merge(table: ReplicatedTable, ...events: readonly ChangeEvent[]): Promise<void> {
    await stageEvents(target.sink, TENANT, table, events);
    await mergeTable(target.sink, TENANT, table);
  }

  /** Reads the status and large value of each row, and its deletion mark. */
  const rows = async (table: ReplicatedTable) => [
    ...(await target.owner.unsafe(
      `SELECT "Status" AS status, "Notat" AS note, to_jsonb(stored) ->> '__deleted_at' IS NOT NULL AS deleted
       FROM ${quoteQualified(TENANT, table.name)} AS stored ORDER BY "__kafka_offset"`,
    )),
  ];
  const reasons = async () =>
    [
      ...(await target.owner<{ reason: string }[]>`
      SELECT reason FROM cdc_management.dead_letter ORDER BY dead_letter_id`),
    ].map(({ reason }) => reason);
  const tally = async () => [
    ...(await target.owner`
      SELECT sum(events)::int AS events, sum(merged)::int AS merged, sum(deleted)::int AS deleted,
        sum(stale)::int AS stale, sum(dead)::int AS dead FROM cdc_management.processing_log`),
  ];

  it.each(SPELLED)(
    '%s writes a row, and an unavailable large value results in %s',
    async (text, note) => {
      for (const table of [KEYED, SOFT]) {
        await merge(table, event('c', { Notat: 'long' }));
        await merge(table, event(text, { Status: 'newer', Notat: UNAVAILABLE }));
        expect(await rows(table)).toEqual([{ status: 'newer', note, deleted: false }]);
      }
      expect(await reasons()).toEqual([]);
    },
  );

  it.each(each('delete'))(
    '%s deletes the row, and an older event does not restore it',
    async (text) => {
      for (const table of [KEYED, SOFT]) {
        const older = event('u', { Status: 'older' });
        await merge(table, event('c', { Status: 'first' }), event(text, { Status: null }));
        const expected = table === SOFT ? [{ status: 'first', note: null, deleted: true }] : [];
        expect(await rows(table)).toEqual(expected);
        await merge(table, older);
        expect(await rows(table)).toEqual(expected);
      }
      expect(await reasons()).toEqual([]);
    },
  );

  it.each(each('insert', 'snapshot'))('%s appends to a table without a key', async (text) => {
    await merge(KEYLESS, event(text), event(text));
    expect(await rows(KEYLESS)).toHaveLength(2);
  });

  it.each(each('update', 'upsert', 'delete'))(
    '%s becomes a dead letter in a table without a key',
    async (text) => {
      await merge(KEYLESS, event(text));
      expect(await reasons()).toEqual([`the table has no key: ${text} cannot be merged`]);
    },
  );

  it('counts the before image of an update as stale, regardless of its values', async () => {
    for (const table of [KEYED, SOFT, KEYLESS]) {
      await merge(table, event('2', { Status: 'first' }));
      await merge(table, event('3', { Status: null, Beløp: '99999', OrderID: null }));
      expect(await rows(table)).toEqual([{ status: 'first', note: null, deleted: false }]);
    }
    await merge(KEYED, event('3', { Status: 'first' }), event('4', { Status: 'second' }));
    expect(await rows(KEYED)).toEqual([{ status: 'second', note: null, deleted: false }]);
    expect(await reasons()).toEqual([]);
    expect(await tally()).toEqual([{ events: 8, merged: 4, deleted: 0, stale: 4, dead: 0 }]);
    const [seen] = await target.owner`
      SELECT sum(upper(run) - lower(run))::int AS offsets
      FROM cdc_management.stream_coverage CROSS JOIN LATERAL unnest(offsets) AS run`;
    expect(seen).toEqual({ offsets: 8 });
  });

  it('reports why TRUNCATEs, messages, unknown operations and events without a key are not merged', async () => {
    for (const text of ['t', 'TRUNCATE', 'm', 'Message']) {
      await merge(KEYED, event(text, { OrderID: null, LinjeNr: null }));
    }
    await merge(KEYED, event('cReate'));
    await merge(KEYED, event(null));
    await merge(KEYED, event('UNKNOWN', { OrderID: null }));
    expect(await reasons()).toEqual([
      'operation t is a TRUNCATE, which does not empty this table',
      'operation TRUNCATE is a TRUNCATE, which does not empty this table',
      'operation m is a message, which has no row',
      'operation Message is a message, which has no row',
      "unknown operation 'cReate'",
      'unknown operation NULL',
      'missing key column "OrderID"',
    ]);
  });

  it('stores the default of a metadata column instead of NULL', async () => {
    const unset = (values: Readonly<Record<string, string | null>>) =>
      event('c', { __stream_generation: null, __sync_timestamp: null, ...values });
    for (const table of [KEYED, SOFT, KEYLESS]) {
      const all = Array.from({ length: 500 }, (_, n) => unset({ OrderID: String(n) }));
      await merge(table, ...all, unset({ OrderID: '500', Status: null }));
      const [counts] = await target.owner.unsafe(
        `SELECT count(*)::int AS rows, count("__sync_timestamp")::int AS timed, min("__stream_generation") AS generation
         FROM ${quoteQualified(TENANT, table.name)}`,
      );
      expect(counts).toEqual({ rows: 500, timed: 500, generation: 0 });
      await merge(table, unset({ OrderID: '7', Status: 'newer' }), event('d', { OrderID: '8' }));
      expect((await rows(table)).filter(({ status }) => status === 'newer')).toHaveLength(1);
    }
    const streams = await target.owner`
      SELECT DISTINCT stream_generation FROM cdc_management.processing_log
      UNION SELECT stream_generation FROM cdc_management.staged_stream
      UNION SELECT stream_generation FROM cdc_management.dead_letter`;
    expect([...streams]).toEqual([{ stream_generation: 0 }]);
    expect(await target.owner`SELECT * FROM cdc_management.merge_error`).toEqual([]);
  });
});
