import { DELETED_AT, METADATA_COLUMNS } from '@cdc-migrations/table-defs';
import { createRandom, type Random } from '../../../tools/event-model/src/random.ts';
import { column, type Event, table, useMergeDatabase } from './merge.fixture.ts';
import { cut, permute } from './value-history.fixture.ts';

/** Value of a row for which no event has one. */
const DEFAULT = 'NO';

const filled = { nullable: false };
const COLUMNS = [
  column('id', 'integer', 'int'),
  column('navn', 'character varying(10)', 'nvarchar(10)'),
  { ...column('land', 'text', 'nvarchar(max)'), ...filled, backfill: `'${DEFAULT}'` },
  { ...column('dag', 'date', 'date'), ...filled, backfill: `'2026-02-01'`, form: 'days' as const },
];

describe('a merge of events without a value for a column with a backfill constant', () => {
  const { run, create, stage, merge } = useMergeDatabase();

  describe.each(['hard', 'soft'] as const)('with %s deletes', (deleteMode) => {
    const isSoft = deleteMode === 'soft';
    const land = table(`land_${deleteMode}`, {
      deleteMode,
      columns: [...COLUMNS, ...METADATA_COLUMNS, ...(isSoft ? [DELETED_AT] : [])],
    });
    beforeAll(() => create(land));
    beforeEach(() =>
      run(
        `TRUNCATE avansas."${land.name}", cdc_management.tombstone, cdc_management.value_position, cdc_management.dead_letter`,
      ),
    );

    const event = (at: number, value: string | null, operation: string): Event => ({
      ...{ at, id: 1, navn: operation === 'd' ? null : `at ${at}`, land: value },
      ...{ dag: value === null ? null : at, __cdc_operation: operation },
    });
    const update = (at: number, value: string | null = null) => event(at, value, 'u');
    const insert = (at: number, value: string | null = null) => event(at, value, 'c');
    const read = (at: number, value: string | null = null) => event(at, value, 'r');
    const remove = (at: number) => event(at, null, 'd');

    async function mergeAll(windows: readonly (readonly Event[])[]) {
      for (const events of windows.filter(({ length }) => length > 0)) {
        await stage(land, events);
        await merge(land);
      }
      expect(await run('SELECT reason FROM cdc_management.dead_letter')).toEqual([]);
      return run(
        `SELECT id, navn, land, dag - DATE '1970-01-01' AS dag FROM avansas."${land.name}"
         WHERE ${isSoft ? '"__deleted_at" IS NULL' : 'true'} ORDER BY id`,
      );
    }

    it.each<[string, readonly Event[], string | null]>([
      ['an insert', [insert(1)], DEFAULT],
      ['an update of a row without a value', [insert(1), update(2)], DEFAULT],
      ['an update of a row with a value', [insert(1, 'SE'), update(2)], 'SE'],
      ['a snapshot of a row with a value', [insert(1, 'SE'), read(2)], 'SE'],
      [
        'an update without a value before one with a value',
        [insert(1, 'SE'), update(2), update(3, 'DK')],
        'DK',
      ],
      ['updates, the last one without a value', [insert(1), update(2, 'SE'), update(3)], 'SE'],
      ['an update whose insert is missing', [update(2)], DEFAULT],
      ['a deleted row', [insert(1), remove(2)], null],
      [
        'an insert after a delete',
        [insert(1, 'SE'), remove(2), insert(3)],
        isSoft ? 'SE' : DEFAULT,
      ],
    ])(
      'gives the same row in every order and every split into windows: %s',
      async (_, events, value) => {
        const ways = permute(events).flatMap(cut);
        const keyed = ways.map((windows, id) =>
          windows.map((window) => window.map((one) => ({ ...one, at: id * 10 + one.at, id }))),
        );
        const windows = events.map((_, index) => keyed.flatMap((way) => way[index] ?? []));
        const rows = await mergeAll(windows);
        const differing = rows.flatMap((row, n) => (row['land'] === value ? [] : [ways[n]]));
        expect(differing).toEqual([]);
        expect(rows).toHaveLength(value === null ? 0 : ways.length);
      },
    );

    it.each([1, 2, 3])('gives the same rows in random order and windows, seed %i', async (seed) => {
      const random = createRandom(seed);
      const histories = Array.from({ length: 60 }, (_, id) => buildHistory(id, random));
      const events = random.shuffle(histories.flat());
      const windows = Array.from({ length: 8 }, (_, window) =>
        events.filter((_one, index) => index % 8 === window),
      );
      expect(await mergeAll(windows)).toEqual(histories.flatMap((each) => buildRow(each)));
    });

    function buildHistory(id: number, random: Random): readonly Event[] {
      let exists = false;
      return Array.from({ length: 10 }, (_, index) => {
        const at = id * 100 + index + 1;
        const operation = exists ? random.pick(['u', 'u', 'u', 'r', 'd']) : 'c';
        exists = operation !== 'd';
        const value = operation !== 'd' && random.chance(0.4) ? `v${at}` : null;
        return { ...event(at, value, operation), id };
      });
    }

    /** Builds the row of the newest event with its newest value. A hard delete removes values. */
    function buildRow(history: readonly Event[]) {
      const last = history.at(-1)!;
      if (last['__cdc_operation'] === 'd') return [];
      const known = history.findLast(
        (one) => one['land'] !== null || (!isSoft && one['__cdc_operation'] === 'd'),
      );
      const value = known?.['land'] ?? null;
      const filledDay = Date.UTC(2026, 1, 1) / 86_400_000;
      return [
        {
          ...{ id: last['id'], navn: last['navn'], land: value ?? DEFAULT },
          dag: value === null ? filledDay : known!['dag'],
        },
      ];
    }
  });

  it('writes the constant into a table without a key', async () => {
    const log = table('land_log', { key: null, columns: [...COLUMNS, ...METADATA_COLUMNS] });
    await create(log);
    await stage(log, [
      { at: 1, id: 1, navn: 'a', land: null, dag: null, __cdc_operation: 'c' },
      { at: 2, id: 1, navn: 'b', land: 'SE', dag: 0, __cdc_operation: 'c' },
    ]);
    await merge(log);
    expect(await run(`SELECT navn, land, dag::text FROM avansas."land_log" ORDER BY navn`)).toEqual(
      [
        { navn: 'a', land: 'NO', dag: '2026-02-01' },
        { navn: 'b', land: 'SE', dag: '1970-01-01' },
      ],
    );
  });

  it('accepts NULL in a superseded event, and refuses it without a constant', async () => {
    const events: readonly Event[] = [
      { at: 1, id: 1, navn: 'a', land: null, dag: null, __cdc_operation: 'c' },
      { at: 2, id: 1, navn: 'much too long for it', land: null, dag: null, __cdc_operation: 'u' },
    ];
    const before = table('land_now', { columns: [...COLUMNS, ...METADATA_COLUMNS] });
    await create(before);
    await stage(before, events);
    await merge(before);
    expect(await run(`SELECT navn, land FROM avansas."land_now"`)).toEqual([
      { navn: 'a', land: 'NO' },
    ]);
    const [deadLetter] = await run(`SELECT reason FROM cdc_management.dead_letter`);
    expect(deadLetter!['reason']).toMatch(/too long/);
    const after = table('land_now', {
      columns: [
        ...COLUMNS.map(({ backfill: _constant, ...rest }: (typeof COLUMNS)[2]) => rest),
        ...METADATA_COLUMNS,
      ],
    });
    await create(after);
    await stage(after, [{ at: 3, id: 2, navn: 'b', land: null, dag: 1, __cdc_operation: 'c' }]);
    await merge(after);
    expect(
      await run(`SELECT reason FROM cdc_management.dead_letter ORDER BY dead_letter_id`),
    ).toMatchObject([{}, { reason: expect.stringMatching(/null value in column "land"/) }]);
  });
});
