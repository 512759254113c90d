import { type PostgresServer, startPostgres } from '@cdc-migrations/postgres-fixture';
import { type CommandRun, copyAdopus, runCommand, sinkEnv } from '../target/cli.fixture.ts';

const SOME = ['--env', 'prod', '--schema', 'bl*', 'br*'];

let server: PostgresServer;
let repo: ReturnType<typeof copyAdopus>;
let env: NodeJS.ProcessEnv;
let template: string;

beforeAll(async () => {
  server = await startPostgres({ major: 18 });
  await server.createRole('cdc_sink');
  repo = copyAdopus('directory');
  env = sinkEnv(server);
  await server.createDatabase({ name: 'directory' });
  expect((await runCommand(repo.root, ['generate'], { CDC_DB_USER: 'cdc_sink' })).exitCode).toBe(0);
  const apply = await runCommand(repo.root, ['apply', ...SOME], env);
  expect(apply.exitCode).toBe(0);
  template = await server.createDatabase({ template: 'directory' });
});

afterAll(async () => {
  await server?.stop();
  repo?.remove();
});

beforeEach(async () => {
  const sql = server.connect({ max: 1, onnotice: () => {} });
  await sql.unsafe(`DROP DATABASE directory WITH (FORCE)`);
  await sql.unsafe(`CREATE DATABASE directory TEMPLATE "${template}"`);
  await sql.end();
});

async function query(text: string): Promise<void> {
  const sql = server.connect({ database: 'directory', max: 1 });
  await sql.unsafe(text);
  await sql.end();
}

async function checkAfter(change: string) {
  await query(change);
  return runCommand(repo.root, ['check', ...SOME, '--json'], env);
}

it('finds nothing in what was applied', async () => {
  const run = await checkAfter('SELECT 1');
  expect(JSON.parse(run.stdout).targets).toEqual([
    { target: 'sink_asma.directory in prod', differences: [] },
  ]);
  expect(run.exitCode).toBe(0);
});

it.each([
  [
    'a column dropped',
    'ALTER TABLE blue."Actor" DROP COLUMN "__source"',
    'missing',
    'Actor',
    'column "__source"',
  ],
  [
    'a type changed',
    'ALTER TABLE blue."Actor" ALTER COLUMN "__source" TYPE varchar(9)',
    'different',
    'Actor',
    'column "__source" is character varying(9), expected text',
  ],
  [
    'a column added',
    'ALTER TABLE blue."Actor" ADD COLUMN "Ny" integer',
    'extra',
    'Actor',
    'column "Ny"',
  ],
  [
    'a default gone',
    'ALTER TABLE blue."Actor" ALTER COLUMN "__sync_timestamp" DROP DEFAULT',
    'different',
    'Actor',
    'column "__sync_timestamp" has no default',
  ],
  [
    'NOT NULL gone',
    'ALTER TABLE blue."Actor" ALTER COLUMN "__sync_timestamp" DROP NOT NULL',
    'different',
    'Actor',
    'column "__sync_timestamp" can be NULL',
  ],
  [
    'an index gone',
    'DROP INDEX blue."idx_Actor_sync_timestamp"',
    'missing',
    'Actor',
    'index "idx_Actor_sync_timestamp"',
  ],
  [
    'the key gone',
    'ALTER TABLE blue."Actor" DROP CONSTRAINT "pk_Actor"',
    'missing',
    'Actor',
    'index "pk_Actor"',
  ],
  [
    'a foreign key added',
    'ALTER TABLE blue."Avtale" ADD CONSTRAINT own FOREIGN KEY ("AvtaleID") REFERENCES blue."Avtale"',
    'extra',
    'Avtale',
    'constraint "own"',
  ],
  [
    'a procedure edited',
    'CREATE OR REPLACE PROCEDURE blue.sp_merge_actor() LANGUAGE sql AS $$ SELECT 1 $$',
    'different',
    'routine sp_merge_actor()',
    'was changed after the apply',
  ],
  [
    'a procedure dropped',
    'DROP PROCEDURE blue.sp_merge_actor()',
    'missing',
    'routine sp_merge_actor()',
    'created by apply',
  ],
  [
    'a trigger disabled',
    'ALTER TABLE blue."stg_Actor" DISABLE TRIGGER trg_mark_for_merge',
    'different',
    'stg_Actor',
    'trigger "trg_mark_for_merge" is disabled',
  ],
  [
    'a trigger of an earlier version',
    'ALTER TABLE blue."stg_Actor" ENABLE TRIGGER trg_mark_for_merge',
    'different',
    'stg_Actor',
    'trigger "trg_mark_for_merge" does not fire where session_replication_role is replica',
  ],
  [
    'a trigger of replication',
    'ALTER TABLE blue."stg_Actor" ENABLE REPLICA TRIGGER trg_mark_for_merge',
    'different',
    'stg_Actor',
    'trigger "trg_mark_for_merge" fires only where session_replication_role is replica',
  ],
  [
    'a trigger dropped',
    'DROP TRIGGER trg_mark_for_merge ON blue."stg_Actor"',
    'missing',
    'stg_Actor',
    'trigger "trg_mark_for_merge"',
  ],
  [
    'a registration gone',
    `DELETE FROM cdc_management.merge_control WHERE (schema_name, table_name) = ('blue', 'Actor')`,
    'missing',
    'stg_Actor',
    'its registration for merges',
  ],
  [
    'a registration changed',
    `UPDATE cdc_management.merge_control SET window_function = 'mine' WHERE (schema_name, table_name) = ('blue', 'Actor')`,
    'different',
    'registration Actor',
    'was changed after the apply',
  ],
  [
    'a right to insert revoked',
    'REVOKE INSERT ON blue."stg_Actor" FROM cdc_sink',
    'missing',
    'stg_Actor',
    'the privilege of the role to insert',
  ],
  [
    'a right to execute revoked',
    'REVOKE EXECUTE ON PROCEDURE blue.sp_merge_actor() FROM cdc_sink',
    'missing',
    'routine sp_merge_actor()',
    'the privilege of the role to use it',
  ],
  [
    'a right given to everybody',
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
    'an index of other columns',
    `DROP INDEX blue."idx_Actor_sync_timestamp"; CREATE INDEX "idx_Actor_sync_timestamp" ON blue."Actor" ("__source")`,
    'different',
    'Actor',
    'index "idx_Actor_sync_timestamp" has columns ["__source"], expected ["__sync_timestamp"]',
  ],
  [
    'another key',
    'ALTER TABLE blue."Actor" DROP CONSTRAINT "pk_Actor"; ALTER TABLE blue."Actor" ADD CONSTRAINT "pk_Actor" PRIMARY KEY ("actno", "__sync_timestamp")',
    'different',
    'Actor',
    'index "pk_Actor" has columns ["actno","__sync_timestamp"], expected ["actno"]',
  ],
  [
    'a type from which values could be lost',
    'ALTER TABLE blue."Actor" ALTER COLUMN "__source" TYPE bytea USING NULL',
    'different',
    'Actor',
    'column "__source" is bytea, expected text',
  ],
  [
    'a final table that is not logged',
    'ALTER TABLE blue."Actor" SET UNLOGGED',
    'different',
    'Actor',
    'is unlogged, expected permanent',
  ],
  [
    'a right that the role was given',
    'GRANT EXECUTE ON FUNCTION cdc_management.type_change(text, text) TO cdc_sink',
    'extra',
    'routine type_change(p_from text, p_to text)',
    'the privilege of the role to use it',
    'cdc_management',
  ],
  ['a table dropped', 'DROP TABLE blue."Actor"', 'missing', 'Actor', 'table'],
  [
    'staging that is logged',
    'ALTER TABLE blue."stg_Actor" SET LOGGED',
    'different',
    'stg_Actor',
    'is permanent, expected unlogged',
  ],
])(
  'finds %s, in its tenant, and nothing else, and says what repairs it',
  async (_, change, kind, name, message, schema = 'blue') => {
    const run = await checkAfter(change);
    expect(run.exitCode).toBe(1);
    const [difference, ...others] = differencesOf(run);
    expect(others).toEqual([]);
    expect(difference).toEqual({
      ...{ kind, schema, name, message },
      ...(difference!.origin && { origin: expect.any(String) }),
      repair: expect.any(String),
    });
    if (difference!.repair === APPLY_AGAIN) return;
    await repair(difference!.repair!);
    expect(differencesOf(await runCommand(repo.root, ['check', ...SOME, '--json'], env))).toEqual(
      [],
    );
  },
);

interface Reported {
  readonly name: string;
  readonly message: string;
  readonly origin?: string;
  readonly repair?: string;
}

const differencesOf = ({ stdout }: CommandRun): readonly Reported[] =>
  JSON.parse(stdout).targets[0].differences;

/** Runs the repair that check prints: SQL, a command, or several commands. */
async function repair(text: string): Promise<void> {
  for (const part of text.split('; then ')) {
    const args = /^cdc manage-migrations (.*)$/.exec(part)?.[1]?.split(' ');
    if (args) expect(await runCommand(repo.root, args, env)).toMatchObject({ exitCode: 0 });
    else await query(part);
  }
}

it('takes a final table that people have partitioned for a table', async () => {
  const run = await checkAfter(`
    ALTER TABLE blue."Actor" RENAME TO whole;
    CREATE TABLE blue."Actor" (LIKE blue.whole INCLUDING DEFAULTS) PARTITION BY HASH ("actno");
    DROP TABLE blue.whole;
    ALTER TABLE blue."Actor" ADD CONSTRAINT "pk_Actor" PRIMARY KEY ("actno");
    CREATE INDEX "idx_Actor_sync_timestamp" ON blue."Actor" ("__sync_timestamp");
    CREATE TABLE blue.actor_0 PARTITION OF blue."Actor" FOR VALUES WITH (MODULUS 1, REMAINDER 0)`);
  expect(JSON.parse(run.stdout).targets[0].differences).toEqual([]);
  const again = await runCommand(repo.root, ['apply', ...SOME, '--again'], env);
  expect(again.exitCode).toBe(0);
});

it('apply --again repairs missing and different objects, and keeps extra tables', async () => {
  const sql = server.connect({ database: 'directory', max: 1 });
  await sql.unsafe(`
    ALTER TABLE blue."Actor" DROP COLUMN "__source";
    ALTER TABLE blue."Actor" ALTER COLUMN "__sync_timestamp" DROP DEFAULT;
    DROP INDEX blue."idx_Actor_sync_timestamp";
    CREATE OR REPLACE PROCEDURE blue.sp_merge_actor() LANGUAGE sql AS $$ SELECT 1 $$;
    ALTER TABLE blue."stg_Actor" DISABLE TRIGGER trg_mark_for_merge;
    DROP TRIGGER trg_mark_for_merge ON blue."stg_Avtale";
    REVOKE INSERT ON blue."stg_Actor" FROM cdc_sink;
    REVOKE EXECUTE ON PROCEDURE blue.sp_merge_avtale() FROM cdc_sink;
    GRANT EXECUTE ON PROCEDURE blue.sp_merge_avtale() TO PUBLIC;
    REVOKE SELECT ON cdc_management.merge_lag FROM cdc_sink;
    DROP VIEW cdc_management.silent_tenants;
    ALTER TABLE blue."Avtale" DROP CONSTRAINT "pk_Avtale";
    ALTER TABLE blue."Avtale" ALTER COLUMN "__source" TYPE varchar(9);
    ALTER TABLE blue."Avtale" ALTER COLUMN "__sync_timestamp" DROP NOT NULL;
    DROP PROCEDURE briga.sp_merge_actor();
    ALTER TABLE blue."stg_Avtale" SET LOGGED;
    ALTER TABLE blue."stg_Address" ENABLE REPLICA TRIGGER trg_mark_for_merge;
    UPDATE cdc_management.merge_control SET window_function = 'mine' WHERE (schema_name, table_name) = ('blue', 'Actor');
    DELETE FROM cdc_management.merge_control WHERE (schema_name, table_name) = ('blue', 'Avtale');
    CREATE TABLE blue.mine (n integer)`);
  await sql.end();
  const apply = ['apply', ...SOME, '--again'];
  const again = await runCommand(repo.root, apply, env);
  expect(again).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining(' 0 applied before'),
  });
  const check = await runCommand(repo.root, ['apply', ...SOME, '--check', '--json'], env);
  expect(check.exitCode).toBe(1);
  const { differences } = JSON.parse(check.stdout).targets[0];
  expect(differences).toEqual([
    {
      ...{ kind: 'extra', schema: 'blue', name: 'mine', message: 'table' },
      ...{ origin: 'owner postgres', repair: 'DROP TABLE blue.mine' },
    },
  ]);
});

/** The repair of all differences at once has its own test. */
const APPLY_AGAIN = 'cdc manage-migrations apply --env prod --schema blue --again';

const REPAIR_INFRASTRUCTURE = {
  origin: 'infrastructure/cdc-management.sql',
  repair: 'cdc manage-migrations apply --env prod --again',
};

it('finds an edited view and a lost right in the bookkeeping', async () => {
  const run = await checkAfter(
    'REVOKE SELECT ON cdc_management.merge_lag FROM cdc_sink; DROP VIEW cdc_management.silent_tenants',
  );
  expect(JSON.parse(run.stdout).targets[0].differences).toEqual([
    {
      kind: 'missing',
      schema: 'cdc_management',
      name: 'view merge_lag',
      message: 'the privilege of the role to use it',
      ...REPAIR_INFRASTRUCTURE,
    },
    {
      kind: 'missing',
      schema: 'cdc_management',
      name: 'view silent_tenants',
      message: 'created by apply',
      ...REPAIR_INFRASTRUCTURE,
    },
  ]);
});

it('says of a schema without tables that they are missing, and excludes what it is told', async () => {
  const run = await runCommand(
    repo.root,
    ['check', ...SOME, '--json', '--schema', 'osloprod', '--exclude', '*.stg_*'],
    env,
  );
  const { differences } = JSON.parse(run.stdout).targets[0];
  expect(differences).toHaveLength(39);
  expect(differences[0]).toEqual({
    kind: 'missing',
    schema: 'osloprod',
    name: 'Actor',
    message: 'table',
    origin: 'tables/Actor.sql',
    repair: 'cdc manage-migrations apply --env prod --schema osloprod --again',
  });
});
