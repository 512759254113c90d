import type { Difference } from './difference.ts';
import {
  buildMigrations,
  column,
  REGION,
  ACTOR,
  FRAVER,
  startTarget,
  TENANTS,
  writeSet,
  type Target,
} from '../target.fixture.ts';

const MIGRATIONS = buildMigrations({ role: 'cdc_sink' });

let target: Target;
beforeAll(async () => {
  target = await startTarget(18);
  await target.server.createRole('cdc_sink');
  await target.apply(MIGRATIONS);
  await target.save();
});
afterAll(() => target?.stop());
beforeEach(() => target.reset());

const check = () => target.check(MIGRATIONS);

it('reports no differences after apply', async () => {
  expect(await check()).toEqual([]);
});

it.each([
  [
    'a dropped column',
    'ALTER TABLE blue."Actor" DROP COLUMN "__source"',
    'missing',
    'Actor',
    'column "__source"',
  ],
  [
    'a changed type',
    'ALTER TABLE blue."Actor" ALTER COLUMN "__source" TYPE varchar(9)',
    'different',
    'Actor',
    'column "__source" is character varying(9), expected text',
  ],
  [
    'a renamed column',
    'ALTER TABLE blue."Actor" RENAME COLUMN "Navn" TO "Ny"',
    'different',
    'Actor',
    'column "Ny" looks like "Navn", renamed by hand',
  ],
  [
    'a renamed column of a staging table',
    'ALTER TABLE blue."stg_Actor" RENAME COLUMN "Navn" TO "Ny"',
    'different',
    'stg_Actor',
    'column "Ny" looks like "Navn", renamed by hand',
  ],
  [
    'a dropped default',
    'ALTER TABLE blue."Actor" ALTER COLUMN "__sync_timestamp" DROP DEFAULT',
    'different',
    'Actor',
    'column "__sync_timestamp" has no default',
  ],
  [
    'a dropped NOT NULL constraint',
    'ALTER TABLE blue."Actor" ALTER COLUMN "__sync_timestamp" DROP NOT NULL',
    'different',
    'Actor',
    'column "__sync_timestamp" can be NULL',
  ],
  [
    'a dropped index',
    'DROP INDEX blue."idx_Actor_sync_timestamp"',
    'missing',
    'Actor',
    'index "idx_Actor_sync_timestamp"',
  ],
  [
    'a dropped primary key',
    'ALTER TABLE blue."Actor" DROP CONSTRAINT "pk_Actor"',
    'missing',
    'Actor',
    'index "pk_Actor"',
  ],
  [
    'an extra foreign key',
    'ALTER TABLE blue."Fraver" ADD CONSTRAINT own FOREIGN KEY ("FraverId") REFERENCES blue."Fraver"',
    'extra',
    'Fraver',
    'constraint "own"',
  ],
  [
    'a changed procedure',
    'CREATE OR REPLACE PROCEDURE blue.sp_merge_actor() LANGUAGE sql AS $$ SELECT 1 $$',
    'different',
    'routine sp_merge_actor()',
    'was changed after the apply',
  ],
  [
    'a dropped procedure',
    'DROP PROCEDURE blue.sp_merge_actor()',
    'missing',
    'routine sp_merge_actor()',
    'created by apply',
  ],
  [
    'a disabled trigger',
    'ALTER TABLE blue."stg_Actor" DISABLE TRIGGER trg_mark_for_merge',
    'different',
    'stg_Actor',
    'trigger "trg_mark_for_merge" is disabled',
  ],
  [
    'a trigger that is enabled as in an earlier version',
    'ALTER TABLE blue."stg_Actor" ENABLE TRIGGER trg_mark_for_merge',
    'different',
    'stg_Actor',
    'trigger "trg_mark_for_merge" does not fire where session_replication_role is replica',
  ],
  [
    'a trigger that fires only during replication',
    'ALTER TABLE blue."stg_Actor" ENABLE REPLICA TRIGGER trg_mark_for_merge',
    'different',
    'stg_Actor',
    'trigger "trg_mark_for_merge" fires only where session_replication_role is replica',
  ],
  [
    'a dropped trigger',
    'DROP TRIGGER trg_mark_for_merge ON blue."stg_Actor"',
    'missing',
    'stg_Actor',
    'trigger "trg_mark_for_merge"',
  ],
  [
    'a missing registration',
    `DELETE FROM cdc_management.merge_control WHERE (schema_name, table_name) = ('blue', 'Actor')`,
    'missing',
    'stg_Actor',
    'its registration for merges',
  ],
  [
    'a changed registration',
    `UPDATE cdc_management.merge_control SET window_function = 'mine' WHERE (schema_name, table_name) = ('blue', 'Actor')`,
    'different',
    'registration Actor',
    'was changed after the apply',
  ],
  [
    'a revoked privilege to insert',
    'REVOKE INSERT ON blue."stg_Actor" FROM cdc_sink',
    'missing',
    'stg_Actor',
    'the privilege of the role to insert',
  ],
  [
    'a revoked privilege to execute',
    'REVOKE EXECUTE ON PROCEDURE blue.sp_merge_actor() FROM cdc_sink',
    'missing',
    'routine sp_merge_actor()',
    'the privilege of the role to use it',
  ],
  [
    'a privilege that is granted to PUBLIC',
    'GRANT EXECUTE ON PROCEDURE blue.sp_merge_actor() TO PUBLIC',
    'extra',
    'routine sp_merge_actor()',
    'the privilege of PUBLIC to use it',
  ],
  ['an extra table', 'CREATE TABLE blue.mine (n integer)', 'extra', 'mine', 'table'],
  ['an extra view', 'CREATE VIEW blue.mine AS SELECT 1 AS n', 'extra', 'mine', 'view'],
  [
    'an extra materialized view',
    'CREATE MATERIALIZED VIEW blue.mine AS SELECT 1 AS n',
    'extra',
    'mine',
    'other',
  ],
  [
    'an extra function',
    `CREATE FUNCTION blue.mine(a text, b integer DEFAULT 1) RETURNS void LANGUAGE sql AS 'SELECT'`,
    'extra',
    'routine mine(a text, b integer)',
    'not created by apply',
  ],
  [
    'an extra index',
    'CREATE INDEX "Mine" ON blue."Actor" ("__source")',
    'extra',
    'Actor',
    'index "Mine"',
  ],
  [
    'an extra trigger',
    `CREATE TRIGGER mine BEFORE UPDATE ON blue."Actor" FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()`,
    'extra',
    'Actor',
    'trigger "mine"',
  ],
  [
    'an index on other columns',
    `DROP INDEX blue."idx_Actor_sync_timestamp"; CREATE INDEX "idx_Actor_sync_timestamp" ON blue."Actor" ("__source")`,
    'different',
    'Actor',
    'index "idx_Actor_sync_timestamp" has columns ["__source"], expected ["__sync_timestamp"]',
  ],
  [
    'another primary key',
    'ALTER TABLE blue."Actor" DROP CONSTRAINT "pk_Actor"; ALTER TABLE blue."Actor" ADD CONSTRAINT "pk_Actor" PRIMARY KEY ("actno", "__sync_timestamp")',
    'different',
    'Actor',
    'index "pk_Actor" has columns ["actno","__sync_timestamp"], expected ["actno"]',
  ],
  [
    'a type whose repair could lose values',
    'ALTER TABLE blue."Actor" ALTER COLUMN "__source" TYPE bytea USING NULL',
    'different',
    'Actor',
    'column "__source" is bytea, expected text',
  ],
  [
    'an unlogged final table',
    'ALTER TABLE blue."Actor" SET UNLOGGED',
    'different',
    'Actor',
    'is unlogged, expected permanent',
  ],
  [
    'an extra privilege of the role',
    'GRANT EXECUTE ON FUNCTION cdc_management.type_change(text, text) TO cdc_sink',
    'extra',
    'routine type_change(p_from text, p_to text)',
    'the privilege of the role to use it',
    'cdc_management',
  ],
  ['a dropped table', 'DROP TABLE blue."Actor"', 'missing', 'Actor', 'table'],
  [
    'a logged staging table',
    'ALTER TABLE blue."stg_Actor" SET LOGGED',
    'different',
    'stg_Actor',
    'is permanent, expected unlogged',
  ],
])(
  'reports only %s, with its schema and a repair that works',
  async (_, change, kind, name, message, schema = 'blue') => {
    await target.query(change);
    const [difference, ...others] = await check();
    expect(others).toEqual([]);
    expect(difference).toEqual({
      ...{ kind, schema, name, message },
      ...(difference!.origin && { origin: expect.any(String) }),
      repair: expect.anything(),
    });
    await repair(difference!);
    expect(await check()).toEqual([]);
  },
);

/** Runs the repair of a difference. */
async function repair({ schema, repair }: Difference): Promise<void> {
  if (repair?.kind === 'sql') await target.query(repair.statement);
  if (repair?.kind !== 'apply again') return;
  if (repair.first !== undefined) await target.query(repair.first);
  const only = schema === 'cdc_management' ? {} : { only: [schema] };
  expect(await target.apply(MIGRATIONS, { again: true, ...only })).toMatchObject({ failures: [] });
}

it.each(['Actor', 'stg_Actor'])(
  'gives advice for an extra column of %s, but no SQL that would lose its values',
  async (name) => {
    await target.query(`ALTER TABLE blue."${name}" ADD COLUMN "Ny" integer`);
    expect(await check()).toEqual([
      {
        ...{ kind: 'extra', schema: 'blue', name, message: 'column "Ny"' },
        repair: { kind: 'advice', advice: expect.stringContaining('apply keeps it') },
      },
    ]);
  },
);

it('warns before SQL that can lose rows or values', async () => {
  await target.query(`CREATE TABLE blue.mine (n integer);
    ALTER TABLE blue."Actor" ALTER COLUMN "actno" TYPE numeric(12,2)`);
  expect((await check()).map(({ repair }) => repair)).toEqual([
    {
      ...{ kind: 'sql', warning: expect.stringContaining('look at the values first') },
      statement:
        'ALTER TABLE "blue"."Actor" ALTER COLUMN "actno" TYPE integer USING "actno"::integer',
    },
    { kind: 'sql', warning: 'this deletes its rows', statement: 'DROP TABLE blue.mine' },
  ]);
});

it('repairs an integer column that was changed to text', async () => {
  await target.query(`ALTER TABLE blue."Actor" ALTER COLUMN "actno" TYPE text`);
  const [difference] = await check();
  await repair(difference!);
  expect(await check()).toEqual([]);
});

describe('check with pending files', () => {
  const withColumns = (columns: typeof ACTOR.columns) =>
    buildMigrations({ role: 'cdc_sink', tables: [{ ...ACTOR, columns }, FRAVER, REGION] });
  const changed = (
    change: (one: (typeof ACTOR.columns)[number]) => (typeof ACTOR.columns)[number],
  ) => withColumns(ACTOR.columns.map((one) => (one.name === 'Navn' ? change(one) : one)));

  it('reports only that apply renames a column with a declared rename', async () => {
    const renamed = changed((one) => ({ ...one, name: 'Remark', formerly: ['Navn'] }));
    const found = await target.check(renamed, { only: ['blue'] });
    expect(
      found
        .filter(({ message }) => message.startsWith('column'))
        .map(({ origin: _, ...one }) => one),
    ).toEqual(
      ['Actor', 'stg_Actor'].map((name) => ({
        ...{ kind: 'different', schema: 'blue', name, repair: { kind: 'apply' } },
        message: 'column "Navn" is called "Remark" in the definitions, and apply renames it',
      })),
    );
    await target.apply(renamed);
    expect(await target.check(renamed)).toEqual([]);
    // A user renames it back.
    await target.query('ALTER TABLE blue."Actor" RENAME COLUMN "Remark" TO "Navn"');
    expect(await target.check(renamed)).toMatchObject([{ repair: { kind: 'apply again' } }]);
  });

  it('does not count a removed and an added column as a rename by hand', async () => {
    const other = changed((one) => ({ ...one, name: 'Other' }));
    const found = await target.check(other, { only: ['blue'] });
    expect(
      found
        .filter(({ name, message }) => name === 'Actor' && message.startsWith('column'))
        .map(({ kind, message, repair }) => [kind, message, repair?.kind]),
    ).toEqual([
      ['missing', 'column "Other"', 'apply'],
      ['extra', 'column "Navn"', 'advice'],
    ]);
  });

  it('points to a manual file for a change that apply refuses', async () => {
    const shorter = changed(() => column('Navn', 'character varying(9)'));
    const [difference] = await target.check(shorter, { only: ['blue'] });
    expect(difference).toMatchObject({
      message: 'column "Navn" is character varying(100), expected character varying(9)',
      repair: { kind: 'advice', advice: expect.stringContaining('migrations/manual/') },
    });
  });
});

it('accepts a final table that users have partitioned', async () => {
  await target.query(`
    ALTER TABLE blue."Actor" RENAME TO whole;
    CREATE TABLE blue."Actor" (LIKE blue.whole INCLUDING DEFAULTS) PARTITION BY HASH ("actno");
    DROP TABLE blue.whole;
    ALTER TABLE blue."Actor" ADD CONSTRAINT "pk_Actor" PRIMARY KEY ("actno");
    CREATE INDEX "idx_Actor_sync_timestamp" ON blue."Actor" ("__sync_timestamp");
    CREATE TABLE blue.actor_0 PARTITION OF blue."Actor" FOR VALUES WITH (MODULUS 1, REMAINDER 0)`);
  expect(await check()).toEqual([]);
  expect(await target.apply(MIGRATIONS, { again: true })).toMatchObject({ failures: [] });
});

it('reports a dropped view and a revoked privilege in the bookkeeping', async () => {
  await target.query(
    'REVOKE SELECT ON cdc_management.merge_lag FROM cdc_sink; DROP VIEW cdc_management.silent_tenants',
  );
  const of = {
    ...{ kind: 'missing', schema: 'cdc_management', origin: 'infrastructure/cdc-management.sql' },
    repair: { kind: 'apply again' },
  };
  expect(await check()).toEqual([
    { ...of, name: 'view merge_lag', message: 'the privilege of the role to use it' },
    { ...of, name: 'view silent_tenants', message: 'created by apply' },
  ]);
});

it('reports each table of an empty schema as missing, unless `exclude` matches it', async () => {
  const found = await target.check(MIGRATIONS, {
    ...{ tenants: [...TENANTS, 'osloprod'], only: ['oslo*'], exclude: ['*.stg_*'] },
  });
  expect(found.map(({ kind, schema, name, message }) => [kind, schema, name, message])).toEqual(
    [ACTOR, FRAVER, REGION].map(({ name }) => ['missing', 'osloprod', name, 'table']),
  );
  expect(found[0]).toMatchObject({ origin: 'tables/Actor.sql', repair: { kind: 'apply again' } });
});

it.each([
  ['only selected schemas', { only: ['avansas'] }, []],
  ['schemas that match a pattern', { only: ['bl*'] }, ['blue.Actor', 'blue.stg_Actor']],
  ['everything except names that match a pattern', { exclude: ['blue.stg_*'] }, ['blue.Actor']],
  ['everything except a schema', { exclude: ['blue.*'] }, []],
])('checks %s', async (_, options, expected) => {
  await target.query('DROP TABLE blue."Actor"; ALTER TABLE blue."stg_Actor" SET LOGGED');
  const found = await target.check(MIGRATIONS, options);
  expect(found.map(({ schema, name }) => `${schema}.${name}`)).toEqual(expected);
});

it('compares with the current definitions, not with the applied ones', async () => {
  const wider = ACTOR.columns.map((one) =>
    one.name === 'Navn' ? column('Navn', 'character varying(200)') : one,
  );
  const newer = buildMigrations({
    role: 'cdc_sink',
    tables: [{ ...ACTOR, columns: wider }, FRAVER, REGION],
  });
  const found = await target.check(newer, { only: ['blue'] });
  expect(found.map(({ name, message }) => [name, message])).toEqual([
    ['Actor', 'column "Navn" is character varying(100), expected character varying(200)'],
  ]);
  await target.apply(newer);
  expect(await target.check(newer)).toEqual([]);
});

it('names the hand-written file that created an object, even if the file was removed', async () => {
  const view = 'CREATE OR REPLACE VIEW "{{SCHEMA}}".actors AS SELECT 1 AS a;\n';
  const withView = writeSet({
    ...{ role: 'cdc_sink', files: { 'repeatable/0010-actors.sql': view } },
  }).read();
  await target.apply(withView);
  expect(await target.check(withView)).toEqual([]);
  await target.query('DROP VIEW avansas.actors');
  expect(await target.check(withView)).toEqual([
    {
      ...{ kind: 'missing', schema: 'avansas', name: 'actors' },
      message: 'view, which repeatable/0010-actors.sql made',
      ...{ origin: 'repeatable/0010-actors.sql', repair: { kind: 'apply again' } },
    },
  ]);
  expect(await check()).toEqual([
    {
      ...{ kind: 'extra', schema: 'blue', name: 'actors', message: 'view' },
      origin: 'repeatable/0010-actors.sql, which is not in the repo',
      repair: { kind: 'sql', statement: 'DROP VIEW blue.actors' },
    },
  ]);
});
