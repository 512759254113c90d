import { ACTOR, buildMigrations, stage, startTarget, type Target } from '../target.fixture.ts';

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

/** Expects that files that are applied again repair everything. */
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
    `rename it back, or ${AGAIN}, or CALL cdc_management.forget_table('blue', 'Actor') when it was dropped for good`,
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
  '%s: concerns, merge and apply say so, and files that are applied again repair it',
  async (_, change, problem, wayOut) => {
    await target.query(change);
    const expected = expect.arrayContaining([{ schema: 'blue', table: 'Actor', problem, wayOut }]);
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

it('concerns name merges that fail, until they succeed', async () => {
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

it('a renamed schema is not created again over its bookkeeping', async () => {
  await target.query('ALTER SCHEMA blue RENAME TO away');
  expect((await target.merge()).mergeProblems).toContainEqual({
    ...{ schema: 'blue', table: 'Actor', problem: 'schema blue is missing' },
    wayOut: `rename it back, or CALL cdc_management.forget_schema('blue') when it was dropped for good`,
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
  await target.query('ALTER SCHEMA away RENAME TO blue');
  expect(await apply()).toMatchObject({ applied: [], failures: [] });

  await target.query('DROP SCHEMA blue CASCADE');
  expect((await apply()).failures).toEqual([expect.objectContaining(gone)]);
  await target.query(`CALL cdc_management.forget_schema('blue')`);
  expect(await apply()).toMatchObject({ failures: [] });
  expect(await check()).toEqual([]);
});

it.each([
  ['a view', 'DROP VIEW cdc_management.merge_status', 'view merge_status'],
  ['the view of these', 'DROP VIEW cdc_management.merge_problems', 'view merge_problems'],
  ['a table', 'DROP TABLE cdc_management.stream_coverage CASCADE', 'table stream_coverage'],
  ['the watch', 'DROP TABLE cdc_management.crash_watch', 'table crash_watch'],
  ['a routine', 'DROP ROUTINE cdc_management.merge_step', 'routine merge_step'],
])('a bookkeeping without %s is named, and comes back', async (_, change, table) => {
  await target.query(change);
  const missing = { schema: 'cdc_management', table, problem: 'is missing', wayOut: AGAIN };
  const expected = expect.arrayContaining([missing]);
  expect((await target.concerns()).mergeProblems).toEqual(expected);
  expect(await apply()).toMatchObject({ applied: [], mergeProblems: expected });
  await expectRepaired();
  await target.query(STAGED);
  expect(await target.merge()).toMatchObject({ mergeProblems: [], lost: null });
});

it.each([
  [
    'deletes that are not done',
    `UPDATE cdc_management.merge_control SET facts = facts || '{"deletes": "none"}' WHERE table_name = 'Actor'`,
  ],
  [
    'facts that are gone',
    `UPDATE cdc_management.merge_control SET facts = NULL WHERE table_name = 'Actor'`,
  ],
])('check names a registration with %s', async (_, change) => {
  await target.query(change);
  expect(await check()).toEqual([
    expect.objectContaining({ kind: 'different', schema: 'blue', name: 'registration Actor' }),
  ]);
  await expectRepaired();
});

it('files that are older than the target are refused, and what they leave behind is named', async () => {
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
