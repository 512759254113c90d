import { METADATA_COLUMNS, type ColumnDefinition } from '@cdc-migrations/table-defs';
import type { ReplicatedTable } from '@cdc-migrations/table-defs';
import { renderTable } from '../../ddl-render/src/render-table.ts';
import {
  applyText,
  type ManagedDatabase,
  startManagedDatabase,
} from '../../ddl-render/src/management.fixture.ts';
import { renderStaging } from './render-staging.ts';

const UNAVAILABLE = '__debezium_unavailable_value';

const column = (name: string, type: string, source: string): ColumnDefinition => ({
  name,
  role: 'source',
  type,
  nullable: name !== 'id',
  source: { name, type: source },
});

function table(name: string, more: Partial<ReplicatedTable> = {}): ReplicatedTable {
  return {
    kind: 'replicated',
    set: 'sink_asma.directory',
    service: 'adopus',
    source: { database: 'AdOpusTest', schema: 'dbo', table: name },
    schema: { scope: 'tenant' },
    name,
    names: {
      staging: `stg_${name}`,
      trigger: 'trg_mark_for_merge',
      mergeProcedure: `sp_merge_${name}`,
      mergeWindow: `fn_merge_window_${name}`,
      primaryKey: `pk_${name}`,
      syncIndex: `idx_${name}`,
      positionIndex: `uq_${name}`,
    },
    columns: [
      column('id', 'integer', 'int'),
      column('navn', 'character varying(10)', 'nvarchar(10)'),
      column('notat', 'text', 'ntext'),
      column('data', 'jsonb', 'json'),
      ...METADATA_COLUMNS,
    ],
    key: { columns: ['id'], origin: 'primary key' },
    deleteMode: 'hard',
    staging: 'unlogged',
    transforms: [],
    ...more,
  };
}

type Event = Readonly<Record<string, string | number | null>> & { readonly at: number };

describe('a merge', () => {
  let database: ManagedDatabase;
  beforeAll(async () => {
    database = await startManagedDatabase();
  });
  afterAll(() => database.server.stop());

  const run = (statement: string) => database.sql.unsafe(statement);

  async function create(of: ReplicatedTable): Promise<void> {
    await applyText(database.sql, renderTable(of, 'tables/t.sql').text);
    const options = { path: 'staging/t.sql', role: 'postgres' };
    await applyText(database.sql, renderStaging(of, options).text);
  }

  /** Stages events whose offset is `at`, of partition 0 and operation `u` unless they say so. */
  async function stage({ names }: ReplicatedTable, events: readonly Event[]): Promise<void> {
    const rows = events.map(({ at, ...values }) => ({
      __kafka_partition: 0,
      __kafka_offset: at,
      __cdc_operation: 'u',
      ...values,
    }));
    await database.sql`
      INSERT INTO ${database.sql(`avansas.${names.staging}`)}
      ${database.sql(rows, ...(Object.keys(rows[0]!) as [keyof (typeof rows)[0]]))}`;
  }

  const merge = ({ names }: ReplicatedTable) =>
    run(`CALL avansas."${names.mergeProcedure}"()`).simple();

  async function mergeEach(of: ReplicatedTable, ...windows: readonly (readonly Event[])[]) {
    for (const events of windows) {
      await stage(of, events);
      await merge(of);
    }
    return run(`SELECT id, navn, notat FROM avansas."${of.name}" ORDER BY id`);
  }

  describe.each(['hard', 'soft'] as const)(
    'of a large value that did not change (%s)',
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
        ['keeps what is stored', [[at(1, a)], [at(2)]], 'at 2', a],
        ['takes what the same window has', [[at(1, a), at(2)]], 'at 2', a],
        ['takes the newest of it', [[at(2, b), at(3), at(1, a)]], 'at 3', b],
        ['takes the stored one where that is newer', [[at(3, b)], [at(1, a), at(4)]], 'at 4', b],
        ['takes it from an event that comes late', [[at(4)], [at(3, b)]], 'at 4', b],
        [
          'does so between what is stored and the row',
          [[at(1, a)], [at(4)], [at(3, b)]],
          'at 4',
          b,
        ],
        ['not from one that is older still', [[at(3, b)], [at(4)], [at(1, a)]], 'at 4', b],
        ['not from one older than a late one', [[at(5)], [at(3, b)], [at(1, a)]], 'at 5', b],
        ['takes NULL for a value', [[at(1, a)], [at(2, null)], [at(3)]], 'at 3', null],
        ['knows no value where none came', [[at(4)]], 'at 4', null],
      ])('%s', async (_what, windows, navn, notat) => {
        expect(await mergeEach(doc, ...windows)).toEqual([{ id: 1, navn, notat }]);
      });

      it('takes the value of a row that people removed for lost', async () => {
        await mergeEach(doc, [at(3, a)], [at(4)]);
        await run(`TRUNCATE avansas."${doc.name}", cdc_management.tombstone`);
        expect(await mergeEach(doc, [at(1, b), at(2)])).toEqual([
          { id: 1, navn: 'at 2', notat: b },
        ]);
      });

      it('forgets what it noted when a value comes with its row', async () => {
        await mergeEach(doc, [at(1, a)], [at(2)]);
        const notes = () => run('SELECT positions FROM cdc_management.value_position');
        expect(await notes()).toEqual([{ positions: { notat: [0, 1] } }]);
        await mergeEach(doc, [at(3, b)]);
        expect(await notes()).toEqual([]);
      });

      it.each([1, 2, 3, 4, 5])('ends the same in any order and windows, seed %i', async (seed) => {
        const random = seededRandom(seed);
        const histories = Array.from({ length: 60 }, (_, id) => buildHistory(id, random));
        const events = shuffle(histories.flat(), random);
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
      });
    },
  );

  it('at another default isolation level loses nothing', async () => {
    const busy = table('busy');
    await create(busy);
    await run(`SET default_transaction_isolation = 'repeatable read'`);
    await expect(
      mergeEach(busy, [{ at: 1, id: 1, navn: 'a', notat: null, __cdc_operation: 'c' }]),
    ).resolves.toHaveLength(1);
    await stage(busy, [{ at: 2, id: 2, navn: 'b', notat: null, __cdc_operation: 'c' }]);
    await run('CALL cdc_management.run_pending_merges()').simple();
    await expect(
      run(`SELECT * FROM cdc_management.merge_batch('avansas', 'busy', 0, 64, NULL)`),
    ).rejects.toMatchObject({ code: '25000' });
    await run('RESET default_transaction_isolation');
    expect(await run('SELECT id FROM avansas.busy ORDER BY id')).toEqual([{ id: 1 }, { id: 2 }]);
  });

  it('keeps a bad event whole, of a table with columns named as the merge names things', async () => {
    const names = ['event', 'newest', 'stored', 'staged', 'picked', 'known_1', 'partial', 'held'];
    const odd = table('odd', {
      columns: [
        column('id', 'integer', 'int'),
        ...names.map((name) => column(name, 'text', 'ntext')),
        column('kort', 'character varying(3)', 'nvarchar(3)'),
        ...METADATA_COLUMNS,
      ],
    });
    await create(odd);
    const values = Object.fromEntries(names.map((name) => [name, name]));
    await stage(odd, [
      { at: 1, id: 1, ...values, kort: 'abc' },
      { at: 2, id: 2, ...values, kort: 'too long' },
      { at: 3, id: null, ...values, kort: 'abc' },
      { at: 4, id: 1, ...values, newest: UNAVAILABLE, kort: 'new' },
    ]);
    await merge(odd);
    expect(await run('SELECT id, kort, newest, event FROM avansas.odd')).toEqual([
      { id: 1, kort: 'new', newest: 'newest', event: 'event' },
    ]);
    const letters = await run(
      `SELECT reason, payload ->> 'kort' AS kort, payload ->> 'event' AS event
       FROM cdc_management.dead_letter WHERE table_name = 'odd' ORDER BY kafka_offset`,
    );
    expect(letters).toEqual([
      {
        reason: 'value too long for type character varying(3) (SQLSTATE 22001)',
        kort: 'too long',
        event: 'event',
      },
      { reason: 'missing key column "id"', kort: 'abc', event: 'event' },
    ]);
  });

  it('of more columns that can be left out than a function takes arguments', async () => {
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

  it('of arrays that can be left out, of any length', async () => {
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
    const left = { words: `{${UNAVAILABLE}}`, numbers, short: UNAVAILABLE };
    await stage(arrays, [
      { at: 1, id: 1, words: '{a,"b, c",NULL}', numbers: '{1}', short: 'a' },
      { at: 2, id: 1, words: '{}', numbers: '{1,2,NULL}', short: 'b' },
      { at: 3, id: 1, ...left },
      { at: 4, id: 2, words: '{"\\"","{"}', numbers: null, short: null },
      { at: 5, id: 2, ...left },
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

  /** Two values that the final column takes for one, and one that it does not. */
  it.each<[string, string, string, string]>([
    ['smallint', '1', '1', '2'],
    ['numeric(5,2)', '1.001', '1', '1.01'],
    ['numeric', '1.0', '1.00', '1.001'],
    ['real', '1.00000001', '1', '1.1'],
    ['double precision', '-0', '0', '1'],
    ['character(4)', 'a', 'a  ', 'b'],
    ['bpchar', 'a', 'a  ', 'b'],
    ['character varying(4)', 'a', 'a', 'a '],
    ['text', 'a,b', 'a,b', 'a'],
    ['bytea', '\\x01', '\\x01', '\\x02'],
    ['boolean', 'true', 't', 'false'],
    [
      'uuid',
      'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11',
      'a0eebc999c0b4ef8bb6d6bb9bd380a11',
      '{b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}',
    ],
    ['date', '2026-01-01', '2026-1-1', '2026-01-02'],
    ['time(0) without time zone', '10:00:00.4', '10:00:00', '10:00:01'],
    [
      'timestamp(3) without time zone',
      '2026-01-01 10:00:00.0001',
      '2026-01-01 10:00',
      '2026-01-01 10:00:00.001',
    ],
    [
      'timestamp(0) with time zone',
      '2026-01-01 10:00:00+01',
      '2026-01-01 09:00:00.3Z',
      '2026-01-01 10:00Z',
    ],
    ['bit(3)', '101', '101', '100'],
    ['bit varying(3)', '10', '10', '100'],
    ['inet', '10.0.0.1', '10.0.0.1/32', '10.0.0.0/8'],
    ['macaddr', '08:00:2b:01:02:03', '08002b010203', '08:00:2b:01:02:04'],
    ['int4range', '[1,3)', '[1,2]', '[1,4)'],
  ])('takes keys of type %s for one as the final table does', async (type, one, same, other) => {
    const keyed = table(`key_${type.replace(/\W+/g, '_')}`, {
      columns: [column('id', type, 'int'), column('navn', 'text', 'ntext'), ...METADATA_COLUMNS],
    });
    await create(keyed);
    const key = (id: string, at: number, operation = 'u') => ({
      at,
      id,
      navn: `at ${at}`,
      __cdc_operation: operation,
    });
    const navn = async (...windows: readonly (readonly Event[])[]) => {
      for (const events of windows) {
        const values = events.map(
          (event) =>
            `('${event['id']}', '${event['navn']}', '${event['__cdc_operation']}', 0, ${event.at})`,
        );
        await run(`INSERT INTO avansas."${keyed.names.staging}"
          (id, navn, "__cdc_operation", "__kafka_partition", "__kafka_offset") VALUES ${values.join()}`);
        await merge(keyed);
      }
      const rows = await run(`SELECT navn FROM avansas."${keyed.name}" ORDER BY navn`);
      return rows.map((row) => row['navn'] as string);
    };
    expect(await navn([key(one, 2), key(same, 1), key(other, 3)])).toEqual(['at 2', 'at 3']);
    expect(await navn([key(same, 4)])).toEqual(['at 3', 'at 4']);
    expect(await navn([key(one, 7, 'd')], [key(same, 6)])).toEqual(['at 3']);
    const letters = await run(
      `SELECT reason FROM cdc_management.dead_letter WHERE table_name = '${keyed.name}'`,
    );
    expect(letters).toEqual([]);
  });
});

interface Row {
  readonly id: number;
  readonly navn: string;
  readonly notat: string | null;
  readonly data: string | null;
  readonly deleted?: boolean;
}

/** Events of one key as a source makes them: a value is left out only of a row that is there. */
function buildHistory(id: number, random: () => number): readonly Event[] {
  let isThere = false;
  return Array.from({ length: 12 }, (_, index) => {
    const at = id * 100 + index + 1;
    const isDelete = isThere && random() < 0.15;
    const value = (name: string) =>
      isDelete ? null : isThere && random() < 0.6 ? UNAVAILABLE : `${name} ${at}`;
    const event = {
      at,
      id,
      navn: isDelete ? null : `${at}`,
      notat: value('notat'),
      data: jsonText(value('data')),
      __cdc_operation: isDelete ? 'd' : isThere ? 'u' : 'c',
    };
    isThere = !isDelete;
    return event;
  });
}

function jsonText(value: string | null): string | null {
  return value === null || value === UNAVAILABLE ? value : JSON.stringify(value);
}

/** What must be stored of a key: the newest event, and of each large column the newest value. */
function buildRow(history: readonly Event[], soft: boolean): readonly Row[] {
  const upserts = history.filter(({ __cdc_operation: operation }) => operation !== 'd');
  const last = upserts.at(-1);
  const deleted = history.at(-1) !== last;
  if (!last || (deleted && !soft)) return [];
  const value = (name: string) => {
    const found = upserts.findLast((event) => event[name] !== UNAVAILABLE)?.[name] as string;
    return found;
  };
  return [
    {
      id: last['id'] as number,
      navn: last['navn'] as string,
      notat: value('notat'),
      data: JSON.parse(value('data')) as string,
      ...(soft && { deleted }),
    },
  ];
}

function shuffle<Item>(items: readonly Item[], random: () => number): readonly Item[] {
  return items
    .map((item) => ({ item, order: random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}

/** Numbers between 0 and 1, the same for the same seed. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
