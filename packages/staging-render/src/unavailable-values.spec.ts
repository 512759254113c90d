import { METADATA_COLUMNS } from '@cdc-migrations/table-defs';
import { createRandom } from '../../../tools/event-model/src/random.ts';
import { column, type Event, table, UNAVAILABLE, useMergeDatabase } from './merge.fixture.ts';
import { buildHistory, buildRow, cut, permute } from './value-history.fixture.ts';

describe('a merge', () => {
  const { run, create, stage, merge, mergeEach } = useMergeDatabase();

  describe.each(['hard', 'soft'] as const)(
    'of an unavailable value with %s deletes',
    (deleteMode) => {
      const doc = table(`doc_${deleteMode}`, {
        deleteMode,
        columns: [
          ...table('doc').columns,
          ...(deleteMode === 'soft'
            ? [
                {
                  name: '__deleted_at',
                  role: 'metadata',
                  type: 'timestamp with time zone',
                  nullable: true,
                } as const,
              ]
            : []),
        ],
      });
      beforeAll(() => create(doc));
      beforeEach(() =>
        run(
          `TRUNCATE avansas."${doc.name}", cdc_management.tombstone, cdc_management.value_position`,
        ),
      );

      const at = (offset: number, notat: string | null = UNAVAILABLE): Event => ({
        at: offset,
        id: 1,
        navn: `at ${offset}`,
        notat,
        data: null,
        __cdc_operation: notat === UNAVAILABLE ? 'u' : 'c',
      });
      const [a, b] = ['A', 'B'] as const;

      it.each<[string, readonly (readonly Event[])[], string, string | null]>([
        ['keeps the stored value', [[at(1, a)], [at(2)]], 'at 2', a],
        ['uses an earlier value in the same window', [[at(1, a), at(2)]], 'at 2', a],
        ['uses the newest value in the window', [[at(2, b), at(3), at(1, a)]], 'at 3', b],
        ['uses the stored value if it is newer', [[at(3, b)], [at(1, a), at(4)]], 'at 4', b],
        ['uses the value of a late event', [[at(4)], [at(3, b)]], 'at 4', b],
        [
          'uses the value of a late event that is newer than the stored value',
          [[at(1, a)], [at(4)], [at(3, b)]],
          'at 4',
          b,
        ],
        [
          'ignores a late event that is older than the stored value',
          [[at(3, b)], [at(4)], [at(1, a)]],
          'at 4',
          b,
        ],
        [
          'ignores a late event that is older than another late event',
          [[at(5)], [at(3, b)], [at(1, a)]],
          'at 5',
          b,
        ],
        ['uses NULL as a value', [[at(1, a)], [at(2, null)], [at(3)]], 'at 3', null],
        ['stores NULL if no event had a value', [[at(4)]], 'at 4', null],
      ])('%s', async (_, windows, navn, notat) => {
        expect(await mergeEach(doc, ...windows)).toEqual([{ id: 1, navn, notat }]);
      });

      it('uses the value of an older event after the final table was truncated', async () => {
        await mergeEach(doc, [at(3, a)], [at(4)]);
        await run(`TRUNCATE avansas."${doc.name}", cdc_management.tombstone`);
        expect(await mergeEach(doc, [at(1, b), at(2)])).toEqual([
          { id: 1, navn: 'at 2', notat: b },
        ]);
      });

      it('removes the noted position when an event has a value', async () => {
        await mergeEach(doc, [at(1, a)], [at(2)]);
        const notes = () => run('SELECT positions FROM cdc_management.value_position');
        expect(await notes()).toEqual([{ positions: { notat: [0, 1] } }]);
        await mergeEach(doc, [at(3, b)]);
        expect(await notes()).toEqual([]);
      });

      const given = (offset: number, notat: string) => ({
        ...at(offset, notat),
        __cdc_operation: 'u',
      });
      const gone = (offset: number) => ({ ...at(offset, null), __cdc_operation: 'd' });
      const inserted = (offset: number) => ({ ...at(offset), __cdc_operation: 'c' });
      it.each<[string, readonly Event[], { hard: string | null; soft: string | null }]>([
        ['an insert after a delete', [at(1, a), gone(2), inserted(3)], { hard: null, soft: null }],
        [
          'an update after an insert after a delete',
          [at(1, a), gone(2), inserted(3), at(4)],
          { hard: null, soft: null },
        ],
        ['a second insert without a delete', [at(1, a), inserted(2)], { hard: null, soft: null }],
        ['an update after a delete', [at(1, a), gone(2), at(3)], { hard: null, soft: a }],
        ['two updates after a delete', [at(1, a), gone(2), at(3), at(4)], { hard: null, soft: a }],
        [
          'an update after two deletes',
          [at(1, a), gone(2), gone(3), at(4)],
          { hard: null, soft: a },
        ],
        [
          'an update without a value after a delete and an update with a value',
          [at(1, a), gone(2), given(3, b), at(4)],
          { hard: b, soft: b },
        ],
        [
          'a delete of a row without a value, before an update with a value',
          [inserted(1), gone(2), given(3, b), at(4)],
          { hard: b, soft: b },
        ],
      ])(
        'gives the same value in every order and every split into windows: %s',
        async (_, events, expected) => {
          const ways = permute(events).flatMap(cut);
          const keyed = ways.map((windows, id) =>
            windows.map((window) =>
              window.map((event) => ({ ...event, at: id * 10 + event.at, id })),
            ),
          );
          const windows = events.map((_, index) => keyed.flatMap((way) => way[index] ?? []));
          const rows = await mergeEach(doc, ...windows.filter(({ length }) => length > 0));
          const notat = expected[deleteMode];
          const differing = rows.flatMap((row, n) => (row['notat'] === notat ? [] : [ways[n]]));
          expect(differing).toEqual([]);
          expect(rows).toHaveLength(ways.length);
        },
      );

      it.each([1, 2, 3, 4, 5])(
        'gives the same rows in random order and windows, seed %i',
        async (seed) => {
          const random = createRandom(seed);
          const histories = Array.from({ length: 60 }, (_, id) => buildHistory(id, random));
          const events = random.shuffle(histories.flat());
          const windows = Array.from({ length: 8 }, (_, window) =>
            events.filter((_, index) => index % 8 === window),
          );
          await mergeEach(doc, ...windows);
          const rows = await run(
            `SELECT id, navn, notat, data #>> '{}' AS data${deleteMode === 'soft' ? ', "__deleted_at" IS NOT NULL AS deleted' : ''}
         FROM avansas."${doc.name}" ORDER BY id`,
          );
          expect(rows).toEqual(
            histories.flatMap((history) => buildRow(history, deleteMode === 'soft')),
          );
        },
      );
    },
  );

  it('keeps the values of more columns than a function can have arguments', async () => {
    const names = Array.from({ length: 120 }, (_, index) => `t${index}`);
    const wide = table('wide', {
      columns: [
        column('id', 'integer', 'integer'),
        ...names.map((name) => column(name, 'text', 'text')),
        ...METADATA_COLUMNS,
      ],
    });
    await create(wide);
    const values = (text: string) => Object.fromEntries(names.map((name) => [name, text]));
    await stage(wide, [
      { at: 1, id: 1, ...values('old') },
      { at: 2, id: 1, ...values(UNAVAILABLE), t7: 'new' },
    ]);
    await merge(wide);
    await stage(wide, [{ at: 3, id: 1, ...values(UNAVAILABLE), t8: 'newer' }]);
    await merge(wide);
    const [row] = await run('SELECT * FROM avansas.wide');
    expect(row).toMatchObject({ id: 1, ...values('old'), t7: 'new', t8: 'newer' });
  });

  it('keeps the values of unavailable arrays', async () => {
    const arrays = table('arrays', {
      columns: [
        column('id', 'integer', 'integer'),
        column('words', 'character varying(9)[]', 'character varying(9)[]'),
        column('numbers', 'integer[]', 'integer[]'),
        column('short', 'character varying(9)', 'character varying(9)'),
        ...METADATA_COLUMNS,
      ],
    });
    await create(arrays);
    const numbers = `{${[...Buffer.from(UNAVAILABLE)].join(',')}}`;
    const unavailable = { words: `{${UNAVAILABLE}}`, numbers, short: UNAVAILABLE };
    await stage(arrays, [
      { at: 1, id: 1, words: '{a,"b, c",NULL}', numbers: '{1}', short: 'a' },
      { at: 2, id: 1, words: '{}', numbers: '{1,2,NULL}', short: 'b' },
      { at: 3, id: 1, ...unavailable },
      { at: 4, id: 2, words: '{"\\"","{"}', numbers: null, short: null },
      { at: 5, id: 2, ...unavailable },
    ]);
    await merge(arrays);
    const rows = await run(
      'SELECT id, words::text, numbers::text, short FROM avansas.arrays ORDER BY id',
    );
    expect(rows).toEqual([
      { id: 1, words: '{}', numbers: '{1,2,NULL}', short: 'b' },
      { id: 2, words: '{"\\"","{"}', numbers: null, short: null },
    ]);
  });

  it('writes the events of 3,000 keys on many pages in at most 16 windows', async () => {
    const many = table('many');
    await create(many);
    // A vacuum would free pages in the middle, which would receive events as separate ranges.
    await run(`ALTER TABLE avansas."${many.names.staging}" SET (autovacuum_enabled = off)`);
    const events = [...Array(3000).keys()].flatMap((id) => [
      { at: 2 * id, id, navn: 'first', notat: `note ${id}` },
      { at: 2 * id + 1, id, navn: 'second', notat: UNAVAILABLE },
    ]);
    for (let from = 0; from < events.length; from += 1000)
      await stage(many, events.slice(from, from + 1000));
    await run(`SET track_functions = 'all'`);
    await merge(many);
    await run('RESET track_functions');
    await run('SELECT pg_stat_force_next_flush()');
    const [written] = await run(`SELECT pg_stat_get_function_calls(oid)::integer AS calls
      FROM pg_proc WHERE proname = '${many.names.mergeWindow}'`);
    expect(written!['calls']).toBeGreaterThan(1);
    // Two windows whose events are at the end of the staging table, and one event on each of the 8 pages after the
    // first window.
    expect(written!['calls']).toBeLessThanOrEqual(16);
    expect(
      await run(`SELECT count(*)::integer AS rows FROM avansas.many
        WHERE (navn, notat) = ('second', 'note ' || id)`),
    ).toEqual([{ rows: 3000 }]);
  });
});
