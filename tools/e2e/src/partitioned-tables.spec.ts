import { buildFinalRows, type ChangeEvent } from '@cdc-migrations/event-model';
import { quoteQualified } from '@cdc-migrations/sql-text';
import { DELETED_AT, type ReplicatedTable } from '@cdc-migrations/table-defs';
import { buildNames, buildTable } from '@cdc-migrations/table-fixture';
import type { Sql } from 'postgres';
import { compareFinalTable } from './compare-final-table.ts';
import { mergeTable } from './merge-table.ts';
import {
  type MergeTarget,
  orderEvent,
  readNumber,
  startMergeTarget,
  TENANT,
} from './merge-target.fixture.ts';
import { ORDER_LINJER } from './order-linjer.fixture.ts';
import { type Partitioning, renderPartitioned } from './render-partitioned.ts';
import { readProcessingLog } from './read-processing-log.ts';
import { stageEvents } from './stage-events.ts';

const UNAVAILABLE = '__debezium_unavailable_value';
const KEYS = Array.from({ length: 12 }, (_, n) => String(n + 1));

/** Keys are 1 to 12, and four of the rows are the first of their partitions. */
const LIST: Partitioning = {
  by: 'LIST ("OrderID")',
  partitions: [
    { bounds: 'FOR VALUES IN (1, 5, 9)' },
    { bounds: 'FOR VALUES IN (2, 6, 10)', isAttached: true },
    { bounds: 'FOR VALUES IN (3, 7, 11)' },
    { bounds: 'DEFAULT' },
  ],
};
const RANGE: Partitioning = {
  by: 'RANGE ("OrderID")',
  partitions: [
    { bounds: 'FOR VALUES FROM (MINVALUE) TO (4)', isAttached: true },
    { bounds: 'FOR VALUES FROM (4) TO (8)' },
    { bounds: 'FOR VALUES FROM (8) TO (MAXVALUE)' },
  ],
};
const HASH: Partitioning = {
  by: 'HASH ("LinjeNr", "OrderID")',
  partitions: [0, 1, 2].map((remainder) => ({
    bounds: `FOR VALUES WITH (MODULUS 3, REMAINDER ${remainder})`,
    isAttached: remainder === 1,
  })),
};
const TWO_LEVELS: Partitioning = {
  by: 'RANGE ("OrderID")',
  partitions: [
    { bounds: 'FOR VALUES FROM (MINVALUE) TO (7)', divided: HASH, isAttached: true },
    { bounds: 'DEFAULT', divided: LIST },
  ],
};

const hardTable = (name: string): ReplicatedTable => ({
  ...ORDER_LINJER,
  name,
  names: buildNames(name),
});
const softTable = (name: string): ReplicatedTable => ({
  ...hardTable(name),
  columns: [...ORDER_LINJER.columns, DELETED_AT],
  deleteMode: 'soft',
});
const WITHOUT_LARGE = new Set(['Notat', 'Dokument', 'Data']);
const slimTable = (table: ReplicatedTable): ReplicatedTable => ({
  ...table,
  columns: table.columns.filter(({ name }) => !WITHOUT_LARGE.has(name)),
});

describe('a partitioned final table', () => {
  let target: MergeTarget;
  let sink: Sql;
  let owner: Sql;
  beforeAll(async () => {
    target = await startMergeTarget();
    ({ sink, owner } = target);
    await target.apply();
  });
  afterAll(() => target.stop());

  const create = async (table: ReplicatedTable, partitioning: Partitioning) => {
    await owner.unsafe(renderPartitioned(TENANT, table, partitioning));
    await target.apply(table);
  };
  const merge = async (table: ReplicatedTable, events: readonly ChangeEvent[]) => {
    const names = table.columns.map(({ name }) => name);
    const staged = events.map((event) => ({
      ...event,
      values: Object.fromEntries(
        Object.entries(event.values).filter(
          ([name]) => names.includes(name) || name === '__kafka_timestamp',
        ),
      ),
    }));
    await stageEvents(sink, TENANT, table, staged);
    await mergeTable(sink, TENANT, table);
  };
  const compare = (table: ReplicatedTable, log: readonly ChangeEvent[]) =>
    compareFinalTable(owner, TENANT, table, buildFinalRows(table, log).rows, ['__sync_timestamp']);
  const inserts = () =>
    KEYS.map((key) =>
      orderEvent({ OrderID: key, Notat: `note ${key}`, __cdc_operation: 'c', __kafka_offset: key }),
    );

  describe.each([
    ['hard deletes', hardTable],
    ['hard deletes without large values', (name: string) => slimTable(hardTable(name))],
    ['soft deletes', softTable],
    ['soft deletes without large values', (name: string) => slimTable(softTable(name))],
  ])('with %s', (mode, tableOf) => {
    it.each([
      ['list', LIST],
      ['range', RANGE],
      ['hash', HASH],
      ['two levels', TWO_LEVELS],
    ])('by %s loses only the deleted rows', async (kind, partitioning) => {
      const table = tableOf(`deleted ${kind} ${mode}`);
      await create(table, partitioning);
      const deletes = ['2', '7', '12'].map((key) =>
        orderEvent({
          OrderID: key,
          __cdc_operation: 'd',
          __kafka_offset: String(100 + Number(key)),
        }),
      );
      const updates = ['3', '8'].map((key) =>
        orderEvent({
          OrderID: key,
          Status: 'changed',
          Notat: `note ${key}`,
          __kafka_offset: '120',
        }),
      );
      const log = [...inserts(), ...deletes, ...updates];
      await merge(table, inserts());
      await merge(table, [...deletes, ...updates]);
      expect(await compare(table, log)).toEqual([]);
      await merge(table, log.toReversed());
      expect(await compare(table, log)).toEqual([]);
      expect(await readProcessingLog(owner, TENANT, table.name)).toMatchObject({
        ...{ events: 2 * log.length, merged: 14, deleted: 3, dead: 0, wrongRows: 0 },
      });
    });

    it.each([
      ['list', LIST],
      ['two levels', TWO_LEVELS],
    ])('by %s moves a row to another partition if its key changes', async (kind, partitioning) => {
      const table = tableOf(`moved ${kind} ${mode}`);
      await create(table, partitioning);
      const moves = ['1', '2', '3', '4'].flatMap((key, n) => [
        orderEvent({ OrderID: key, __cdc_operation: 'd', __kafka_offset: String(100 + 2 * n) }),
        orderEvent({
          ...{ OrderID: String(Number(key) + 4), Status: 'moved', Notat: `note ${key}` },
          ...{ __cdc_operation: 'c', __kafka_offset: String(101 + 2 * n) },
        }),
      ]);
      await merge(table, inserts());
      await merge(table, moves);
      expect(await compare(table, [...inserts(), ...moves])).toEqual([]);
    });
  });

  it.each([
    ['hard', 'list', LIST, hardTable],
    ['hard', 'two levels', TWO_LEVELS, hardTable],
    ['soft', 'list', LIST, softTable],
    ['soft', 'two levels', TWO_LEVELS, softTable],
  ])(
    'with %s deletes by %s writes a late large value only to its row, in a batch with deletes',
    async (mode, kind, partitioning, tableOf) => {
      const table = tableOf(`late ${mode} ${kind}`);
      await create(table, partitioning);
      await merge(table, inserts());
      await merge(
        table,
        KEYS.map((key) =>
          orderEvent({
            OrderID: key,
            Status: 'changed',
            Notat: UNAVAILABLE,
            __kafka_offset: String(200 + Number(key)),
          }),
        ),
      );
      const between = ['3', '6'].map((key) =>
        orderEvent({
          OrderID: key,
          Notat: `late ${key}`,
          __kafka_offset: String(100 + Number(key)),
        }),
      );
      const deletes = ['1', '6', '9'].map((key) =>
        orderEvent({
          OrderID: key,
          __cdc_operation: 'd',
          __kafka_offset: String(300 + Number(key)),
        }),
      );
      await merge(table, [...between, ...deletes]);
      const isSoft = mode === 'soft';
      const found = await owner.unsafe(
        `SELECT "OrderID"::text AS key, "Notat" AS note, ${isSoft ? '"__deleted_at" IS NOT NULL' : 'false'} AS deleted
         FROM ${quoteQualified(TENANT, table.name)} ORDER BY "OrderID"`,
      );
      expect(found).toEqual(
        KEYS.map((key) => ({
          key,
          note: `${['3', '6'].includes(key) ? 'late' : 'note'} ${key}`,
          deleted: ['1', '6', '9'].includes(key),
        })).filter(({ deleted }) => isSoft || !deleted),
      );
    },
  );

  it('without a partition for a row moves only the event of this row to the dead letters', async () => {
    const table = hardTable('no partition');
    await create(table, {
      by: 'LIST ("OrderID")',
      partitions: [{ bounds: 'FOR VALUES IN (1, 2)' }],
    });
    await merge(table, inserts().slice(0, 3));
    expect(await compare(table, inserts().slice(0, 2))).toEqual([]);
    const deadLetters = await owner`
      SELECT kafka_offset::integer AS at, reason FROM cdc_management.dead_letter WHERE table_name = ${table.name}`;
    expect(deadLetters).toEqual([{ at: 3, reason: expect.stringMatching(/no partition.*23514/) }]);
  });

  it('without a key appends each event once', async () => {
    const { columns } = ORDER_LINJER;
    const table = buildTable({
      ...{ name: 'appended', key: [] },
      columns: columns.filter(({ role }) => role !== 'metadata'),
    });
    await create(table, {
      by: 'HASH ("__kafka_offset")',
      partitions: [0, 1].map((remainder) => ({
        bounds: `FOR VALUES WITH (MODULUS 2, REMAINDER ${remainder})`,
        isAttached: remainder === 0,
      })),
    });
    await merge(table, inserts());
    await merge(table, inserts());
    expect(await compare(table, inserts())).toEqual([]);
  });

  it.each([
    [
      'partitions',
      'CREATE TABLE %s (n integer) PARTITION BY LIST (n)',
      /is in partitions, which staging cannot be/,
    ],
    [
      'child tables',
      'CREATE TABLE %s (n integer); CREATE TABLE public.child () INHERITS (%s)',
      /its rows can also be in table/,
    ],
  ])('refuses a staging table with %s', async (kind, statement, message) => {
    const table = hardTable(`staging with ${kind}`);
    const staging = quoteQualified(TENANT, table.names.staging);
    await owner.unsafe(statement.replaceAll('%s', staging));
    await expect(target.apply(table)).rejects.toMatchObject({
      message: expect.stringMatching(message) as unknown,
      cause: { code: 'CD005' },
    });
  });

  it('receives new columns and merges their values', async () => {
    const before = slimTable(hardTable('evolved'));
    await create(before, TWO_LEVELS);
    await merge(before, inserts());
    const after = hardTable('evolved');
    await target.apply(after);
    await merge(after, [orderEvent({ OrderID: '2', Notat: 'new', __kafka_offset: '50' })]);
    const final = quoteQualified(TENANT, 'evolved');
    expect(await readNumber(owner, `SELECT count(*) AS n FROM ${final}`)).toBe(12);
    expect(await owner.unsafe(`SELECT "OrderID" FROM ${final} WHERE "Notat" = 'new'`)).toEqual([
      { OrderID: 2 },
    ]);
  });
});
