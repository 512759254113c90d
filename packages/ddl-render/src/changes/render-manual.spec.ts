import {
  buildStagingColumns,
  classifyTypeChange,
  diffTables,
  stagingType,
  type ReplicatedTable,
} from '@cdc-migrations/table-defs';
import { quoteIdentifier } from '@cdc-migrations/sql-text';
import { applyText, startManagedDatabase, type ManagedDatabase } from '../management.fixture.ts';
import { renderTable } from '../render-table.ts';
import { column, ID, table } from './changes.fixture.ts';
import { manualChanges, renderManual, type ManualHints } from './render-manual.ts';

const NO_HINTS: ManualHints = { using: new Map(), beforeNotNull: new Map() };

describe('a rendered manual file', () => {
  let database: ManagedDatabase;
  beforeAll(async () => {
    database = await startManagedDatabase();
  });
  beforeEach(async () => {
    await database.sql`DROP TABLE IF EXISTS avansas."T", avansas."stg_T" CASCADE`;
  });
  afterAll(() => database.server.stop());

  const run = (statement: string) => database.sql.unsafe(statement);
  const applyTable = (definition: ReplicatedTable) =>
    applyText(database.sql, renderTable(definition, 'tables/T.sql').text);

  /** Creates the tables of a definition: the final table from its file, the staging table from its columns. */
  async function create(definition: ReplicatedTable): Promise<void> {
    await applyTable(definition);
    const columns = buildStagingColumns(definition).map(
      ({ name, type }) => `${quoteIdentifier(name)} ${type}`,
    );
    await run(`CREATE TABLE avansas."stg_T" (${columns.join(', ')})`);
  }

  const manual = (before: ReplicatedTable, after: ReplicatedTable, hints = NO_HINTS) =>
    applyText(database.sql, renderManual(after, diffTables([before], [after]), hints));

  const types = async (relation: string) => {
    const rows = await database.sql<{ name: string; type: string }[]>`
      SELECT attname AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute
      WHERE attrelid = ${`avansas."${relation}"`}::regclass AND attnum > 0 AND NOT attisdropped`;
    return new Map(rows.map(({ name, type }) => [name, type]));
  };

  const TYPES = [
    ...['smallint', 'bigint', 'numeric(5,0)', 'numeric', 'real', 'boolean', 'character(4)'],
    ...['character varying(4)', 'bytea', 'uuid', 'date', 'time(0) without time zone'],
    ...['timestamp(3) without time zone', 'timestamp(0) with time zone', 'jsonb', 'xml'],
    ...['bit(3)', 'integer[]', 'character varying(4)[]'],
  ];

  it.each(TYPES)(
    'changes %s into every other type, in the final and the staging table',
    async (from) => {
      const others = TYPES.filter((to) => classifyTypeChange(from, to) === 'unsafe');
      const before = table([ID, ...others.map((to) => column(to, from))]);
      const after = table([ID, ...others.map((to) => column(to, to))]);
      await create(before);
      await run(
        `INSERT INTO avansas."T" (id) VALUES (1); INSERT INTO avansas."stg_T" (id) VALUES (1)`,
      );
      await manual(before, after);
      const [final, staging] = [await types('T'), await types('stg_T')];
      for (const to of others) {
        expect([to, final.get(to), staging.get(to)]).toEqual([
          to,
          to,
          stagingType({ role: 'source', type: to }),
        ]);
      }
      await manual(before, after);
      await applyTable(after);
    },
  );

  it.each<[string, string, string, string]>([
    ['a shorter text', 'character varying(10)', 'character varying(3)', 'abc'],
    ['a number', 'text', 'integer', '17'],
    ['a smaller number', 'bigint', 'smallint', '17'],
    ['fewer digits', 'numeric(10,4)', 'numeric(10,2)', '1.5000'],
    ['a date', 'timestamp(3) without time zone', 'date', '2026-01-01 00:00'],
    [
      'a timestamp with a time zone',
      'timestamp without time zone',
      'timestamp with time zone',
      '2026-03-29 02:30',
    ],
    ['a boolean', 'integer', 'boolean', '1'],
    ['a UUID', 'character varying(36)', 'uuid', '0a827150-1332-5167-993b-68db156438cb'],
  ])(
    'keeps a value that becomes %s, in rows and in staged events',
    async (_what, from, to, value) => {
      const [before, after] = [table([ID, column('a', from)]), table([ID, column('a', to)])];
      await create(before);
      for (const name of ['T', 'stg_T'])
        await run(`INSERT INTO avansas."${name}" (id, a) VALUES (1, '${value}')`);
      await run(`SET timezone = 'Europe/Oslo'`);
      await manual(before, after);
      await applyTable(after);
      for (const name of ['T', 'stg_T']) {
        const [row] = await run(`SELECT a IS NOT NULL AS kept FROM avansas."${name}"`);
        expect(row?.['kept']).toBe(true);
      }
      await run('RESET timezone');
    },
  );

  it.each<[string, string, string, string, string]>([
    [
      'is too long',
      'character varying(10)',
      'character varying(3)',
      'abcd',
      'have a value in "a" that character varying(3)',
    ],
    ['is not a number', 'text', 'integer', 'x', 'invalid input syntax for type integer: "x"'],
    [
      'loses leading zeros',
      'text',
      'integer',
      '007',
      '1 rows of "avansas"."T" have a value in "a" that integer',
    ],
    ['is out of range', 'bigint', 'smallint', '70000', 'out of range'],
    [
      'loses decimals',
      'numeric(10,4)',
      'numeric(10,2)',
      '1.2345',
      'have a value in "a" that numeric(10,2)',
    ],
    [
      'loses its time of day',
      'timestamp without time zone',
      'date',
      '2026-01-01 10:00',
      'have a value in "a" that date',
    ],
  ])('stops at a value that %s, and changes no column', async (_what, from, to, value, message) => {
    const [before, after] = [table([ID, column('a', from)]), table([ID, column('a', to)])];
    await create(before);
    await run(`INSERT INTO avansas."T" (id, a) VALUES (1, '${value}')`);
    await expect(manual(before, after)).rejects.toMatchObject({
      message: expect.stringContaining(message) as unknown,
    });
    expect([(await types('T')).get('a'), (await types('stg_T')).get('a')]).toEqual([
      from,
      stagingType({ role: 'source', type: from }),
    ]);
  });

  it.each([
    ['a view', 'CREATE VIEW avansas.names AS SELECT a FROM avansas."T"', 'view avansas.names'],
    [
      'a view on the staging table',
      'CREATE VIEW avansas.staged AS SELECT a FROM avansas."stg_T"',
      'view avansas.staged',
    ],
  ])(
    'stops at %s that uses the column, and names it and the statement that drops it',
    async (_what, sql, name) => {
      const [before, after] = [
        table([ID, column('a', 'text')]),
        table([ID, column('a', 'bigint')]),
      ];
      await create(before);
      await run(sql);
      await expect(manual(before, after)).rejects.toMatchObject({
        code: 'CD005',
        message: expect.stringContaining(`text to bigint is forbidden by ${name}`) as unknown,
        hint: expect.stringContaining(`DROP VIEW ${name.slice('view '.length)}`) as unknown,
      });
    },
  );

  it('does not set the new default of a column, which the table file sets', async () => {
    const before = table([ID, column('a', 'text', { default: `'none'` })]);
    const after = table([ID, column('a', 'integer', { default: '0' })]);
    await create(before);
    await manual(before, after);
    await applyTable(after);
    await run(`INSERT INTO avansas."T" (id) VALUES (1)`);
    expect(await run('SELECT a FROM avansas."T"')).toEqual([{ a: 0 }]);
  });

  it('stops at a staged event with an invalid value, with a hint to merge it first', async () => {
    const [before, after] = [table([ID, column('a', 'text')]), table([ID, column('a', 'bigint')])];
    await create(before);
    await run(`INSERT INTO avansas."stg_T" (id, a) VALUES (1, '007')`);
    await expect(manual(before, after)).rejects.toMatchObject({
      message: '1 rows of "avansas"."stg_T" have a value in "a" that bigint cannot store',
      hint: 'Merge them first: CALL "avansas"."sp_merge_t"().',
    });
  });

  it('uses the expression of the configuration, and stops if it returns no value', async () => {
    const [before, after] = [table([ID, column('a', 'text')]), table([ID, column('a', 'integer')])];
    const using = new Map([['a', `nullif(regexp_replace("a", '\\D', '', 'g'), '')`]]);
    await create(before);
    await run(`INSERT INTO avansas."T" (id, a) VALUES (1, 'nr 17')`);
    await manual(before, after, { ...NO_HINTS, using });
    expect(await run('SELECT a FROM avansas."T"')).toEqual([{ a: 17 }]);
    await run(`DROP TABLE avansas."T", avansas."stg_T"`);
    await create(before);
    await run(`INSERT INTO avansas."T" (id, a) VALUES (1, 'none')`);
    await expect(manual(before, after, { ...NO_HINTS, using })).rejects.toThrow(
      '1 rows of "avansas"."T" have a value in "a" that integer cannot store',
    );
  });

  it('makes a column NOT NULL if the configuration defines how to fill it', async () => {
    const before = table([ID, column('a', 'text')]);
    const after = table([ID, column('a', 'text', { nullable: false })]);
    const fill = `UPDATE "{{SCHEMA}}"."T" SET a = '' WHERE a IS NULL;`;
    expect(manualChanges(after, diffTables([before], [after]), NO_HINTS)).toEqual([]);
    await create(before);
    await run(`INSERT INTO avansas."T" (id) VALUES (1)`);
    const incomplete = { ...NO_HINTS, beforeNotNull: new Map([['a', 'NULL']]) };
    await expect(manual(before, after, incomplete)).rejects.toThrow(
      '1 rows of "avansas"."T" have no "a"',
    );
    await manual(before, after, { ...NO_HINTS, beforeNotNull: new Map([['a', fill]]) });
    await applyTable(after);
    expect(await database.sql`SELECT * FROM cdc_management.column_note`).toEqual([]);
  });

  describe('for a changed key', () => {
    const NR = column('nr', 'integer', { nullable: false });
    const key = (...columns: readonly string[]) => ({
      key: columns.length === 0 ? null : { columns, origin: 'primary key' as const },
    });

    it.each<[string, ReplicatedTable, ReplicatedTable]>([
      ['that gets more columns', table([ID, NR]), table([ID, NR], key('id', 'nr'))],
      ['that gets fewer columns', table([ID, NR], key('nr', 'id')), table([ID, NR], key('id'))],
      ['that is added', table([ID, NR], key()), table([ID, NR])],
      ['that is removed', table([ID, NR]), table([{ ...ID, nullable: true }, NR], key())],
      [
        'with a renamed column',
        table([ID, NR]),
        table([{ ...ID, name: 'no', formerly: ['id'] }, NR], key('no', 'nr')),
      ],
      [
        'with a column whose type changes',
        table([ID, column('nr', 'text', { nullable: false })]),
        table([ID, NR], key('nr')),
      ],
    ])('migrates a key %s', async (_what, before, after) => {
      await create(before);
      for (const name of ['T', 'stg_T'])
        await run(
          `INSERT INTO avansas."${name}" (id, nr, __kafka_offset) VALUES (1, 1, 1), (2, 2, 2)`,
        );
      for (let time = 1; time <= 2; time++) await manual(before, after);
      await applyTable(after);
      const plan = renderTable(after, 'tables/T.sql').text;
      await applyText(database.sql, plan);
      expect(await run('SELECT count(*)::int AS n FROM avansas."T"')).toEqual([{ n: 2 }]);
    });

    it('stops at rows with duplicates of the key, or with NULL in it', async () => {
      const before = table([ID, column('nr', 'integer')]);
      const after = table([ID, NR], key('nr'));
      await create(before);
      await run(`INSERT INTO avansas."T" (id, nr) VALUES (1, 1), (2, 1), (3, NULL)`);
      await expect(manual(before, after)).rejects.toThrow(
        '1 rows of "avansas"."T" have NULL in the key ("nr")',
      );
      await run(`DELETE FROM avansas."T" WHERE nr IS NULL`);
      await expect(manual(before, after)).rejects.toThrow(
        '1 keys ("nr") of "avansas"."T" are duplicates',
      );
    });

    it('stops at a new key column until it is filled', async () => {
      const [before, after] = [table([ID]), table([ID, NR], key('id', 'nr'))];
      await create(before);
      await run(`INSERT INTO avansas."T" (id) VALUES (1)`);
      await expect(manual(before, after)).rejects.toThrow('have NULL in the key ("id", "nr")');
      const text = renderManual(after, diffTables([before], [after]), NO_HINTS);
      await applyText(database.sql, text.replace('-- UPDATE', 'UPDATE').replace('…', '1'));
      await applyTable(after);
    });
  });

  it('does nothing in a schema that does not have the table yet', async () => {
    const [before, after] = [table([ID, column('a', 'text')]), table([ID, column('a', 'bigint')])];
    await expect(manual(before, after)).resolves.toBeUndefined();
    const other = table([ID, column('a', 'bigint')], { key: null });
    await expect(manual(before, other)).resolves.toBeUndefined();
  });

  it('quotes special characters of names, also in comments', async () => {
    const odd = `O'Brien "$manual$" \\\n DROP`;
    const before = table([ID, column(odd, 'text')]);
    const after = table([ID, column(odd, 'integer')]);
    await create(before);
    await manual(before, after);
    expect((await types('T')).get(odd)).toBe('integer');
  });
});
