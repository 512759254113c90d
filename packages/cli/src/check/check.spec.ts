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

it('reports no differences after apply', async () => {
  const run = await checkAfter('SELECT 1');
  expect(JSON.parse(run.stdout).targets).toEqual([
    { target: 'sink_asma.directory in prod', differences: [] },
  ]);
  expect(run.exitCode).toBe(0);
});

// These rows cover each kind of repair. All kinds of differences are in
// packages/tracker/src/check/check-target.spec.ts.
it.each([
  [
    'a dropped column',
    'ALTER TABLE blue."Actor" DROP COLUMN "__source"',
    'missing',
    'Actor',
    'column "__source"',
  ],
  [
    'a renamed column',
    'ALTER TABLE blue."Actor" RENAME COLUMN "__source" TO "Ny"',
    'different',
    'Actor',
    'column "Ny" looks like "__source", renamed by hand',
  ],
  [
    'a disabled trigger',
    'ALTER TABLE blue."stg_Actor" DISABLE TRIGGER trg_mark_for_merge',
    'different',
    'stg_Actor',
    'trigger "trg_mark_for_merge" is disabled',
  ],
  [
    'a missing registration',
    `DELETE FROM cdc_management.merge_control WHERE (schema_name, table_name) = ('blue', 'Actor')`,
    'missing',
    'stg_Actor',
    'its registration for merges',
  ],
  [
    'a privilege that is granted to PUBLIC',
    'GRANT EXECUTE ON PROCEDURE blue.sp_merge_actor() TO PUBLIC',
    'extra',
    'routine sp_merge_actor()',
    'the privilege of PUBLIC to use it',
  ],
  [
    'a type whose repair could lose values',
    'ALTER TABLE blue."Actor" ALTER COLUMN "__source" TYPE bytea USING NULL',
    'different',
    'Actor',
    'column "__source" is bytea, expected text',
  ],
  [
    'an extra privilege of the role',
    'GRANT EXECUTE ON FUNCTION cdc_management.type_change(text, text) TO cdc_sink',
    'extra',
    'routine type_change(p_from text, p_to text)',
    'the privilege of the role to use it',
    'cdc_management',
  ],
])(
  'reports only %s, with its schema and its repair',
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
    else await query(part.replace(/^look at the values first[^:]*: /, ''));
  }
}

it('accepts a final table that users have partitioned', async () => {
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
      ...{ origin: 'owner postgres', repair: 'this deletes its rows: DROP TABLE blue.mine' },
    },
  ]);
});

/** Another test repairs all differences at once. */
const APPLY_AGAIN = 'cdc manage-migrations apply --env prod --schema blue --again';

const REPAIR_INFRASTRUCTURE = {
  origin: 'infrastructure/cdc-management.sql',
  repair: 'cdc manage-migrations apply --env prod --again',
};

it('reports a dropped view and a revoked privilege in the bookkeeping', async () => {
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

it('reports each table of an empty schema as missing, unless --exclude matches it', async () => {
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
