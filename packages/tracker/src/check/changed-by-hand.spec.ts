import type { ColumnDefinition } from '@cdc-migrations/table-defs';
import { buildTable } from '@cdc-migrations/table-fixture';
import {
  ACTOR,
  buildMigrations,
  column,
  SET,
  stage,
  startTarget,
  type Target,
} from '../target.fixture.ts';

const AGAIN = 'apply its files again: apply --again';
const MIGRATIONS = buildMigrations({ tables: [ACTOR], tenants: ['blue'] });
const OPTIONS = { tenants: ['blue'] };
const STAGED = stage({ keys: [1, 1] });

let target: Target;
beforeAll(async () => {
  target = await startTarget(15);
  await apply();
  await target.query(STAGED);
  await target.merge();
  await target.save();
});
afterAll(() => target?.stop());
beforeEach(() => target.reset());

const apply = (options = {}) => target.apply(MIGRATIONS, { ...OPTIONS, ...options });
const check = () => target.check(MIGRATIONS, OPTIONS);

/** Expects that `apply --again` repairs everything. */
async function expectRepaired(): Promise<void> {
  expect(await apply({ again: true })).toMatchObject({ failures: [], mergeProblems: [] });
  expect(await apply()).toMatchObject({ applied: [], failures: [], mergeProblems: [] });
  expect(await check()).toEqual([]);
}

it.each([
  [
    'the registrations are deleted',
    'DELETE FROM cdc_management.merge_control',
    'is not registered for merges',
    AGAIN,
  ],
  [
    'a staging table is dropped',
    'DROP TABLE blue."stg_Actor"',
    'staging table "stg_Actor" is missing',
    `rename it back, or ${AGAIN}, or CALL cdc_management.clean_up_table('blue', 'Actor') if it was dropped permanently`,
  ],
  [
    'a final table is dropped',
    'DROP TABLE blue."Actor"',
    'the final table is missing',
    `rename it back, or ${AGAIN}`,
  ],
  [
    'a trigger is dropped',
    'DROP TRIGGER trg_mark_for_merge ON blue."stg_Actor"',
    'the trigger of staging table "stg_Actor" is missing',
    AGAIN,
  ],
  [
    'a registration is renamed',
    `UPDATE cdc_management.merge_control SET table_name = 'Other' WHERE table_name = 'Actor'`,
    'is not registered for merges',
    AGAIN,
  ],
  [
    'a primary key is dropped',
    'ALTER TABLE blue."Actor" DROP CONSTRAINT "pk_Actor"',
    'the final table has no primary key over actno',
    AGAIN,
  ],
])(
  '%s: concerns, merge and apply report it, and apply --again repairs it',
  async (_, change, problem, solution) => {
    await target.query(change);
    const expected = expect.arrayContaining([
      { schema: 'blue', table: 'Actor', problem, solution },
    ]);
    expect((await target.concerns()).mergeProblems).toEqual(expected);
    expect((await target.merge()).mergeProblems).toEqual(expected);
    expect(await apply()).toMatchObject({ applied: [], mergeProblems: expected });
    expect(await check()).not.toEqual([]);
    await expectRepaired();
    await target.query(STAGED);
    expect(await target.merge()).toMatchObject({ mergeProblems: [] });
    expect(await target.query('SELECT count(*)::integer AS n FROM blue."Actor"')).toEqual([
      { n: 1 },
    ]);
  },
);

it('concerns list failing merges until they succeed', async () => {
  await target.query('ALTER TABLE blue."Actor" DROP COLUMN "Navn"');
  await target.query(STAGED);
  expect((await target.merge()).tables).toEqual([
    expect.objectContaining({ failure: expect.stringContaining('column "Navn"') }),
  ]);
  expect((await target.concerns()).failingMerges).toEqual([
    { schema: 'blue', table: 'Actor', error: expect.stringContaining('column "Navn"') },
  ]);
  await expectRepaired();
  expect((await target.merge()).tables).toEqual([expect.objectContaining({ failure: null })]);
  expect((await target.concerns()).failingMerges).toEqual([]);
});

const ACTOR_COLUMNS = ACTOR.columns.filter(({ role }) => role !== 'metadata');

/** Builds a set whose `Actor` has these columns. */
const withColumns = (...columns: readonly ColumnDefinition[]) =>
  buildMigrations({
    tables: [buildTable({ set: SET.name, name: 'Actor', key: ['actno'], columns })],
    tenants: ['blue'],
  });

/** Reads the rows of a table with their columns. */
const rowsOf = (name: string) => target.query(`SELECT * FROM blue."${name}"`);

it.each<[string, string, string, string, readonly (readonly [string, string])[]]>([
  [
    'a column',
    'Actor',
    `RENAME COLUMN "Navn" TO "Name"`,
    'table blue."Actor" column "Name": looks like "Navn", renamed by hand',
    [['"Name"', '"Navn"']],
  ],
  [
    'the key',
    'Actor',
    'RENAME COLUMN actno TO nr',
    'table blue."Actor" column nr: looks like actno, renamed by hand',
    [['nr', 'actno']],
  ],
  [
    'a metadata column',
    'Actor',
    'RENAME COLUMN __kafka_offset TO "offset"',
    'table blue."Actor" column "offset": looks like __kafka_offset, renamed by hand',
    [['"offset"', '__kafka_offset']],
  ],
  [
    'two columns of one type',
    'Actor',
    'RENAME COLUMN __source TO a; ALTER TABLE blue."Actor" RENAME COLUMN __source_db TO b',
    'table blue."Actor" column a: looks like __source, renamed by hand',
    [
      ['a', '__source'],
      ['b', '__source_db'],
    ],
  ],
  [
    'a staging column',
    'stg_Actor',
    'RENAME COLUMN "Navn" TO "Name"',
    'table blue."stg_Actor" column "Name": looks like "Navn", renamed by hand',
    [['"Name"', '"Navn"']],
  ],
])(
  'renamed by hand: does not add %s again, and the hint renames it back',
  async (_, name, change, message, back) => {
    await target.query(STAGED);
    const before = await rowsOf(name);
    await target.query(`ALTER TABLE blue."${name}" ${change}`);
    const renamed = await rowsOf(name);
    for (let time = 1; time <= 2; time++) {
      const { failures } = await apply({ again: true });
      expect(failures).toEqual([
        expect.objectContaining({ kind: 'unsafe', code: 'CD005', message }),
      ]);
      const [[from, to]] = back as [(typeof back)[number]];
      expect(failures[0]!.hint).toContain(
        `ALTER TABLE blue."${name}" RENAME COLUMN ${from} TO ${to}`,
      );
    }
    expect(await rowsOf(name)).toEqual(renamed);
    expect((await target.concerns()).columns).toEqual([]);
    expect(await check()).toContainEqual(
      expect.objectContaining({
        kind: 'different',
        name,
        message: expect.stringMatching(/renamed by hand$/),
      }),
    );
    for (const [from, to] of back)
      await target.query(`ALTER TABLE blue."${name}" RENAME COLUMN ${from} TO ${to}`);
    await expectRepaired();
    expect(await rowsOf(name)).toEqual(before);
  },
);

it.each([
  ['a column', ['"Navn"', '"Name"']],
  ['a metadata column', ['__source', 'origin']],
] as const)(
  'renamed by hand in final and staging table: does not add %s again',
  async (_, [name, renamed]) => {
    await target.query(STAGED);
    const before = await rowsOf('Actor');
    const rename = (from: string, to: string) =>
      target.query(
        ['Actor', 'stg_Actor']
          .map((table) => `ALTER TABLE blue."${table}" RENAME COLUMN ${from} TO ${to}`)
          .join(';'),
      );
    await rename(name, renamed);
    for (let time = 1; time <= 2; time++) {
      const { failures } = await apply({ again: true });
      expect(failures).toMatchObject([
        {
          code: 'CD005',
          message: `table blue."Actor" column ${renamed}: looks like ${name}, renamed by hand`,
          hint: expect.stringContaining(
            `Rename it back: ALTER TABLE blue."Actor" RENAME COLUMN ${renamed} TO ${name}`,
          ),
        },
      ]);
    }
    const byHand = (await check()).filter(({ message }) => message.endsWith('renamed by hand'));
    expect(byHand.map(({ name: table, repair }) => ({ table, repair }))).toEqual(
      ['Actor', 'stg_Actor'].map((table) => ({
        table,
        repair: {
          kind: 'sql',
          statement: `ALTER TABLE "blue"."${table}" RENAME COLUMN "${renamed.replaceAll('"', '')}" TO "${name.replaceAll('"', '')}"`,
        },
      })),
    );
    await rename(renamed, name);
    await expectRepaired();
    expect(await rowsOf('Actor')).toEqual(before);
  },
);

it('renamed by hand: does not mistake a dropped and an added source column for a rename', async () => {
  const later = withColumns(
    ...ACTOR_COLUMNS.filter(({ name }) => name !== 'Navn'),
    column('Nyere', 'character varying(100)'),
  );
  expect(await target.apply(later, OPTIONS)).toMatchObject({ failures: [] });
  expect(await target.apply(later, { ...OPTIONS, again: true })).toMatchObject({ failures: [] });
  expect(await target.apply(MIGRATIONS, OPTIONS)).toMatchObject({ failures: [] });
});

it('renamed by hand: refuses a column even if its file is pending', async () => {
  await target.query('ALTER TABLE blue."Actor" RENAME COLUMN "Navn" TO "Name"');
  const more = withColumns(...ACTOR_COLUMNS, column('Ny', 'text'));
  expect((await target.apply(more, OPTIONS)).failures).toMatchObject([{ code: 'CD005' }]);
  expect(await target.check(more, OPTIONS)).toContainEqual({
    ...{ kind: 'different', schema: 'blue', name: 'Actor', origin: 'tables/Actor.sql' },
    message: 'column "Name" looks like "Navn", renamed by hand',
    repair: {
      kind: 'sql',
      statement: 'ALTER TABLE "blue"."Actor" RENAME COLUMN "Name" TO "Navn"',
    },
  });
});

it('renamed by hand: ignores columns of users, new columns and columns that left the source', async () => {
  await target.query(`ALTER TABLE blue."Actor" ADD COLUMN mine varchar(100);
    ALTER TABLE blue."stg_Actor" ADD COLUMN mine text DEFAULT 'x'`);
  const more = withColumns(...ACTOR_COLUMNS, column('Ny', 'character varying(100)'));
  expect(await target.apply(more, OPTIONS)).toMatchObject({ failures: [] });
  const renamed = withColumns(...ACTOR_COLUMNS, column('Nyere', 'character varying(100)'));
  expect(await target.apply(renamed, OPTIONS)).toMatchObject({ failures: [] });
  expect(await target.check(renamed, OPTIONS)).toEqual([]);
  // A user's column counts as the renamed column until the dropped column is added again.
  await target.query(`ALTER TABLE blue."Actor" DROP COLUMN "Navn", ADD COLUMN other varchar(100)`);
  const { failures } = await target.apply(renamed, { ...OPTIONS, again: true });
  const add = 'ALTER TABLE blue."Actor" ADD COLUMN "Navn" character varying(100)';
  expect(failures[0]!.hint).toBe(
    `Rename it back: ALTER TABLE blue."Actor" RENAME COLUMN other TO "Navn". If it is another column, add the missing one: ${add}.`,
  );
  await target.query(add);
  expect(await target.apply(renamed, { ...OPTIONS, again: true })).toMatchObject({ failures: [] });
});

it('a type changed by hand: the hint contains the statement that changes it back', async () => {
  await target.query('ALTER TABLE blue."Actor" ALTER COLUMN "Navn" TYPE integer USING 7');
  const { failures } = await apply({ again: true });
  const back =
    'ALTER TABLE blue."Actor" ALTER COLUMN "Navn" TYPE character varying(100) USING "Navn"::character varying(100)';
  expect(failures[0]!.hint).toContain(
    `If the table was changed by hand, look at the values first: ${back}.`,
  );
  await target.query(back);
  await expectRepaired();
});

it('does not recreate a renamed or dropped schema that still has bookkeeping', async () => {
  await target.query('ALTER SCHEMA blue RENAME TO away');
  expect((await target.merge()).mergeProblems).toContainEqual({
    ...{ schema: 'blue', table: 'Actor', problem: 'schema blue is missing' },
    solution: `rename it back, or CALL cdc_management.clean_up_schema('blue') if it was dropped permanently`,
  });
  const gone = {
    kind: 'unsafe',
    schema: 'blue',
    message: expect.stringMatching(/the schema is missing, and files were applied to it before/),
  };
  for (const options of [{}, { again: true }])
    expect((await apply(options)).failures).toEqual([expect.objectContaining(gone)]);
  expect(await target.query(`SELECT to_regnamespace('blue') AS schema`)).toEqual([
    { schema: null },
  ]);
  const missing = {
    ...{ kind: 'missing', schema: 'blue', name: '' },
    message: 'the schema is missing, and files were applied to it before',
  };
  expect(await check()).toEqual([
    {
      ...missing,
      repair: { kind: 'sql', statement: 'ALTER SCHEMA "away" RENAME TO "blue"' },
    },
  ]);
  await target.query('ALTER SCHEMA away RENAME TO blue');
  expect(await apply()).toMatchObject({ applied: [], failures: [] });

  await target.query('DROP SCHEMA blue CASCADE');
  expect((await apply()).failures).toEqual([expect.objectContaining(gone)]);
  expect(await check()).toEqual([
    {
      ...missing,
      repair: {
        kind: 'advice',
        advice: `Rename it back. If it was dropped permanently: CALL cdc_management.clean_up_schema('blue'), and apply again.`,
      },
    },
  ]);
  await target.query(`CALL cdc_management.clean_up_schema('blue')`);
  expect(await apply()).toMatchObject({ failures: [] });
  expect(await check()).toEqual([]);
});

it.each([
  ['the view merge_status', 'DROP VIEW cdc_management.merge_status', 'view merge_status'],
  ['the view merge_problems', 'DROP VIEW cdc_management.merge_problems', 'view merge_problems'],
  [
    'the table stream_coverage',
    'DROP TABLE cdc_management.stream_coverage CASCADE',
    'table stream_coverage',
  ],
  ['the table crash_watch', 'DROP TABLE cdc_management.crash_watch', 'table crash_watch'],
  ['the routine merge_step', 'DROP ROUTINE cdc_management.merge_step', 'routine merge_step'],
])('reports a bookkeeping without %s, and apply --again restores it', async (_, change, table) => {
  await target.query(change);
  const missing = { schema: 'cdc_management', table, problem: 'is missing', solution: AGAIN };
  const expected = expect.arrayContaining([missing]);
  expect((await target.concerns()).mergeProblems).toEqual(expected);
  expect(await apply()).toMatchObject({ applied: [], mergeProblems: expected });
  await expectRepaired();
  await target.query(STAGED);
  expect(await target.merge()).toMatchObject({ mergeProblems: [], lost: null });
});

it.each([
  [
    'changed facts',
    `UPDATE cdc_management.merge_control SET facts = facts || '{"deletes": "none"}' WHERE table_name = 'Actor'`,
  ],
  [
    'missing facts',
    `UPDATE cdc_management.merge_control SET facts = NULL WHERE table_name = 'Actor'`,
  ],
])('check reports a registration with %s', async (_, change) => {
  await target.query(change);
  expect(await check()).toEqual([
    expect.objectContaining({ kind: 'different', schema: 'blue', name: 'registration Actor' }),
  ]);
  await expectRepaired();
});

it('refuses files older than the target unless allowOlder is set, and check reports extra routines', async () => {
  await target.query(`CREATE OR REPLACE FUNCTION cdc_management.infrastructure_version()
      RETURNS integer LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp RETURN 1000000;
    CREATE FUNCTION cdc_management.merge_table(p_schema text, p_table text, p_added integer DEFAULT 1)
      RETURNS void LANGUAGE sql AS 'SELECT'`);
  expect((await apply({ again: true })).failures).toEqual([
    expect.objectContaining({
      message: expect.stringMatching(
        /expected a database of version \d+ or older, found version 1000000/,
      ),
    }),
  ]);
  expect((await check()).map(({ name }) => name)).toContain(
    'routine merge_table(p_schema text, p_table text, p_added integer)',
  );
  expect(await apply({ again: true, allowOlder: true })).toMatchObject({ failures: [] });
  expect(await check()).toEqual([]);
});
