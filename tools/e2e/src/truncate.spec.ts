import type { ChangeEvent } from '@cdc-migrations/event-model';
import { quoteQualified } from '@cdc-migrations/sql-text';
import { DELETED_AT, type ReplicatedTable } from '@cdc-migrations/table-defs';
import { mergeTable } from './merge-table.ts';
import { type MergeTarget, orderEvent, startMergeTarget, TENANT } from './merge-target.fixture.ts';
import { orderTable } from './order-linjer.fixture.ts';
import { stageEvents } from './stage-events.ts';

const HARD: ReplicatedTable = { ...orderTable('Hard'), truncate: 'empty' };
const SOFT: ReplicatedTable = {
  ...orderTable('Soft'),
  columns: [...orderTable('Soft').columns, DELETED_AT],
  deleteMode: 'soft',
  truncate: 'empty',
};
const KEYLESS: ReplicatedTable = { ...orderTable('Keyless'), key: null, truncate: 'empty' };
const TABLES = [HARD, SOFT, KEYLESS];
const UNAVAILABLE = '__debezium_unavailable_value';

type Values = Readonly<Record<string, string | null>>;

describe('a TRUNCATE of the source', () => {
  let target: MergeTarget;
  beforeAll(async () => {
    target = await startMergeTarget();
    await target.apply(...TABLES);
  });
  afterAll(() => target.stop());
  beforeEach(async () => {
    for (const table of TABLES) await target.reset(table);
    await target.owner`TRUNCATE cdc_management.truncation, cdc_management.staged_stream, cdc_management.staged_floor`;
  });

  /** Builds an insert of the row with this number. */
  const insert = (offset: number, id: number, values: Values = {}) =>
    orderEvent({
      OrderID: String(id),
      __cdc_operation: 'c',
      __kafka_offset: String(offset),
      ...values,
    });
  const truncate = (offset: number, values: Values = {}) =>
    orderEvent({
      ...{ OrderID: null, LinjeNr: null, Beløp: null, Tekst: null, Status: null, Antall: null },
      ...{ _customer_id: null, __cdc_operation: 't', __kafka_offset: String(offset) },
      ...values,
    });

  async function merge(table: ReplicatedTable, ...events: readonly ChangeEvent[]): Promise<void> {
    await stageEvents(target.sink, TENANT, table, events);
    await mergeTable(target.sink, TENANT, table);
  }

  /** Lists the numbers of the rows that are not marked as deleted. */
  const rows = async (table: ReplicatedTable) =>
    (
      await target.owner.unsafe<{ id: number }[]>(
        `SELECT "OrderID" AS id FROM ${quoteQualified(TENANT, table.name)} AS stored
         WHERE to_jsonb(stored) ->> '__deleted_at' IS NULL ORDER BY 1`,
      )
    ).map(({ id }) => id);
  const reasons = async () =>
    (
      await target.owner<{ reason: string }[]>`
        SELECT reason FROM cdc_management.dead_letter ORDER BY dead_letter_id`
    ).map(({ reason }) => reason);

  describe.each(TABLES)('in the final table $name', (table) => {
    it.each([
      ['in one batch', 1],
      ['in batches of one event', 0],
    ])('removes rows up to its position, in several orders of events, %s', async (_, isOne) => {
      const events = [insert(1, 1), insert(2, 2), truncate(3), insert(4, 2), insert(5, 3)];
      for (const order of [
        [0, 1, 2, 3, 4],
        [2, 0, 4, 1, 3],
        [4, 3, 2, 1, 0],
        [1, 3, 0, 4, 2],
      ]) {
        await target.reset(table);
        await target.owner`TRUNCATE cdc_management.truncation`;
        const ordered = order.map((n) => events[n]!);
        if (isOne) await merge(table, ...ordered);
        else for (const event of ordered) await merge(table, event);
        expect(await rows(table)).toEqual([2, 3]);
        await merge(table, ...events);
        expect(await rows(table)).toEqual([2, 3]);
      }
      expect(await reasons()).toEqual([]);
      const [tally] = await target.owner`
        SELECT sum(events)::int AS events, sum(deleted)::int AS deleted, sum(dead)::int AS dead,
          bool_or(events <> merged + deleted + stale + dead) AS wrong
        FROM cdc_management.processing_log`;
      expect(tally).toEqual({ events: 10, deleted: 1, dead: 0, wrong: false });
    });

    it('keeps the rows of other source tables and databases', async () => {
      await merge(
        table,
        insert(1, 1),
        insert(2, 2, { __source_db: 'Other', __kafka_partition: '1' }),
      );
      await merge(table, insert(3, 3, { __source_table: null }));
      await merge(table, truncate(9));
      expect(await rows(table)).toEqual([2, 3]);
      await merge(table, truncate(9, { __source_table: null }));
      expect(await rows(table)).toEqual([2]);
    });

    it('is ignored if a newer one was merged, and is newer in the next generation', async () => {
      await merge(table, insert(1, 1), truncate(2), insert(3, 3), truncate(4), insert(5, 5));
      expect(await rows(table)).toEqual([5]);
      await merge(table, truncate(3), insert(4, 4));
      expect(await rows(table)).toEqual([5]);
      await merge(table, truncate(0, { __stream_generation: '1' }));
      expect(await rows(table)).toEqual([]);
    });

    it('is a dead letter if the source table has events in several partitions', async () => {
      await merge(table, insert(1, 1), insert(1, 2, { __kafka_partition: '2' }));
      await merge(table, truncate(5));
      expect(await rows(table)).toEqual([1, 2]);
      expect(await reasons()).toEqual([
        'a TRUNCATE cannot be merged where the source table has events in several partitions: 2 and 0',
      ]);
    });
  });

  it.each([
    ['in the order of positions', [0, 1, 2, 3]],
    ['after a newer event', [0, 2, 1, 3]],
    ['after a newer and a late event', [0, 2, 3, 1]],
    ['after a late, an older and a newer event', [3, 0, 2, 1]],
  ])('removes large values, so that newer events cannot use them: %s', async (_, order) => {
    const events = [
      insert(1, 1, { Notat: 'long' }),
      truncate(5),
      insert(6, 1, { Notat: UNAVAILABLE, __cdc_operation: 'u' }),
      insert(3, 1, { Notat: 'late' }),
    ];
    for (const n of order) await merge(HARD, events[n]!);
    const [row] = await target.owner.unsafe(
      `SELECT "Notat" AS note, "__kafka_offset"::int AS at FROM ${quoteQualified(TENANT, 'Hard')}`,
    );
    expect(row).toEqual({ note: null, at: 6 });
    await merge(HARD, insert(7, 1, { Notat: UNAVAILABLE, __cdc_operation: 'u' }));
    expect(
      await target.owner.unsafe(`SELECT "Notat" AS note FROM ${quoteQualified(TENANT, 'Hard')}`),
    ).toEqual([{ note: null }]);
  });

  it('keeps the large values of newer events', async () => {
    await merge(HARD, insert(1, 1, { Notat: 'old' }), insert(6, 1, { Notat: 'new' }));
    await merge(HARD, insert(8, 1, { Notat: UNAVAILABLE, __cdc_operation: 'u' }));
    await merge(HARD, truncate(5));
    expect(
      await target.owner.unsafe(`SELECT "Notat" AS note FROM ${quoteQualified(TENANT, 'Hard')}`),
    ).toEqual([{ note: 'new' }]);
  });

  it('marks rows as deleted once, and keeps earlier marks', async () => {
    await merge(
      SOFT,
      insert(1, 1),
      insert(2, 2),
      orderEvent({ OrderID: '2', __cdc_operation: 'd', __kafka_offset: '3' }),
    );
    const read = () =>
      target.owner.unsafe<{ id: number; at: Date | null }[]>(
        `SELECT "OrderID" AS id, "__deleted_at" AS at FROM ${quoteQualified(TENANT, 'Soft')} ORDER BY 1`,
      );
    const [, deleted] = await read();
    await merge(SOFT, truncate(5));
    const [emptied, kept] = await read();
    expect(emptied!.at).toBeInstanceOf(Date);
    expect(kept).toEqual(deleted);
    await merge(SOFT, insert(4, 1, { Status: 'late' }));
    expect(await read()).toEqual([emptied, kept]);
  });
});
