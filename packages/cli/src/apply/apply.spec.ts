import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bodyOf, buildGeneratedFile, checksumOf } from '@cdc-migrations/generated-file';
import { type PostgresServer, startPostgres } from '@cdc-migrations/postgres-fixture';
import { copyAdopus, finish, runCommand, sinkEnv, startCommand } from '../target/cli.fixture.ts';
import { countRoundTrips } from './round-trips.fixture.ts';

const TABLES = 39;
const TENANTS = 24;
/** Excludes the example's tables that differ from the definitions. */
const NOT_PUBLIC = ['--exclude', 'public.*'];
/** Four tenants of prod. */
const FEW = ['--schema', 'b*'];

let server: PostgresServer;
let env: NodeJS.ProcessEnv;
/** A database with everything applied. */
let template: string;
const removals: (() => void)[] = [];

function repoFor(database: string): string {
  const repo = copyAdopus(database);
  removals.push(repo.remove);
  return repo.root;
}

async function connect(database: string) {
  return server.connect({ database, max: 1, onnotice: () => {} });
}

beforeAll(async () => {
  server = await startPostgres({ major: 15 });
  env = sinkEnv(server);
  template = await server.createDatabase();
  const sql = await connect(template);
  await sql.unsafe(
    readFileSync(join(__dirname, '../../../../fixtures/adopus/existing/directory.sql'), 'utf8'),
  );
  await sql.end();
  const run = await runCommand(repoFor(template), ['apply', '--env', 'prod'], env);
  expect(run.stderr.split('\n').filter((line) => line.includes('failed'))).toEqual([]);
  expect(run.exitCode).toBe(0);
});

afterAll(async () => {
  await server?.stop();
  for (const remove of removals) remove();
});

it('applies and records every file in every tenant of the environment', async () => {
  const sql = await connect(template);
  const rows = await sql`
    SELECT schema_name, count(*)::int AS files, bool_and(outcome = 'applied' AND statements > 0 AND applied_by = 'postgres') AS good
    FROM cdc_management.migration_history GROUP BY schema_name ORDER BY schema_name`;
  await sql.end();
  expect(rows).toHaveLength(TENANTS + 1);
  expect(rows[0]).toEqual({ schema_name: '', files: 2, good: true });
  for (const row of rows.slice(1)) expect(row).toMatchObject({ files: 2 * TABLES, good: true });
  const status = await runCommand(repoFor(template), ['status', '--env', 'prod', '--json'], env);
  expect(status.exitCode).toBe(0);
  const [target] = JSON.parse(status.stdout).targets;
  const states = target.schemas.flatMap((schema: { files: { state: string }[] }) =>
    schema.files.map(({ state }) => state),
  );
  expect(new Set(states)).toEqual(new Set(['applied']));
  const check = await runCommand(repoFor(template), ['check', '--env', 'prod', ...NOT_PUBLIC], env);
  expect(check).toMatchObject({
    exitCode: 0,
    stdout: 'sink_asma.directory in prod: matches the definitions\n',
  });
});

it('applies nothing the second time, in at most 6 round trips', async () => {
  const proxy = await countRoundTrips(server.port);
  const again = await runCommand(repoFor(template), ['apply', '--env', 'prod'], {
    ...env,
    POSTGRES_PROD_PORT: String(proxy.port),
  });
  proxy.close();
  expect(again.stdout).toBe(
    `sink_asma.directory in prod: ${TENANTS} schemas; files: 0 applied, ${TENANTS * 2 * TABLES + 2} applied before\n`,
  );
  expect(again.exitCode).toBe(0);
  expect(proxy.roundTrips()).toBeLessThanOrEqual(6);
});

it('prints a script with --dry-run that applies and records the files when it runs', async () => {
  const database = await server.createDatabase();
  const root = repoFor(database);
  const { stdout, exitCode } = await runCommand(
    root,
    ['apply', '--env', 'prod', '--dry-run', '--schema', 'blue'],
    env,
  );
  expect(exitCode).toBe(0);
  const sql = await connect(database);
  expect(await sql`SELECT to_regnamespace('blue') AS schema`).toEqual([{ schema: null }]);
  await sql.unsafe(stdout.replace('\\set ON_ERROR_STOP on', '')).simple();
  await sql.end();
  const after = await runCommand(root, ['apply', '--env', 'prod', '--schema', 'blue'], env);
  expect(after.stdout).toContain(`files: 0 applied, ${2 * TABLES + 2} applied before`);
});

it('migrates the other tenants if one fails, and migrates only that one in the next run', async () => {
  const database = await server.createDatabase();
  const root = repoFor(database);
  const sql = await connect(database);
  await sql.unsafe(`CREATE SCHEMA blue; CREATE TYPE blue."Avtale" AS (n integer)`);
  const run = await runCommand(root, ['apply', '--env', 'prod', ...FEW], env);
  expect(run.exitCode).toBe(3);
  expect(run.stdout).toMatch(
    /^blue tables\/Avtale\.sql: .*\(SQLSTATE \w+\)\n {2}statement at line \d+: CALL cdc_management\.converge_table\('blue', 'Avtale'/m,
  );
  const files = () => sql`
    SELECT schema_name, count(*) FILTER (WHERE outcome = 'applied')::int AS applied, max(error) AS error, max(xmin::text::int) AS version
    FROM cdc_management.migration_history WHERE schema_name <> '' GROUP BY 1 ORDER BY 1`;
  const before = await files();
  expect(before.map(({ schema_name, applied }) => [schema_name, applied])).toEqual([
    ['bkai', 2 * TABLES],
    ['blue', 11],
    ['briga', 2 * TABLES],
    ['bufar', 2 * TABLES],
  ]);
  const status = await runCommand(root, ['status', '--env', 'prod', ...FEW], env);
  expect(status.exitCode).toBe(1);
  expect(status.stdout).toContain(`blue tables/Avtale.sql: ${before[1]!['error'].split('\n')[0]}`);
  await sql.unsafe('DROP TYPE blue."Avtale"');
  const again = await runCommand(root, ['apply', '--env', 'prod', ...FEW], env);
  expect(again.exitCode).toBe(0);
  const after = await files();
  await sql.end();
  expect(after.map(({ applied }) => applied)).toEqual([78, 78, 78, 78]);
  for (const n of [0, 2, 3]) expect(after[n]).toEqual(before[n]);
});

it('refuses an unsafe table change and its staging file, and applies the other files of the schema', async () => {
  const database = await server.createDatabase();
  const root = repoFor(database);
  const sql = await connect(database);
  await sql.unsafe(
    `CREATE SCHEMA blue; CREATE TABLE blue."Avtale" AS SELECT 'x'::text AS "AvtaleId"`,
  );
  const run = await runCommand(root, ['apply', '--env', 'prod', ...FEW], env);
  expect(run.exitCode).toBe(5);
  const rows = await sql`
    SELECT category, table_name, outcome FROM cdc_management.migration_history WHERE schema_name = 'blue' AND outcome <> 'applied'`;
  expect(rows).toEqual([{ category: 'tables', table_name: 'Avtale', outcome: 'unsafe' }]);
  const [staging] =
    await sql`SELECT count(*)::int AS n FROM cdc_management.migration_history WHERE schema_name = 'blue'`;
  await sql.end();
  expect(staging).toEqual({ n: 2 * TABLES - 1 });
});

it('applies each file once if three applies run at once and wait or exit with code 4', async () => {
  const database = await server.createDatabase();
  const root = repoFor(database);
  const sql = await connect(database);
  const few = ['apply', '--env', 'prod', ...FEW];
  const first = finish(startCommand(root, few, env));
  const others = [
    finish(startCommand(root, [...few, '--lock-timeout', '60s'], env)),
    finish(startCommand(root, [...few, '--lock-timeout', '0'], env)),
  ];
  const runs = await Promise.all([first, ...others]);
  const codes = runs.map(({ exitCode }) => exitCode);
  expect(codes.filter((code) => code === 0).length).toBeGreaterThanOrEqual(2);
  expect(codes.filter((code) => code !== 0 && code !== 4)).toEqual([]);
  const left = runs.find(({ exitCode }) => exitCode === 4);
  if (left)
    expect(left.stderr).toMatch(
      /another apply is running on sink_asma\.directory: pid \d+, application "cdc apply", user postgres, since \d{4}-/,
    );
  const applied = runs.map(({ stdout }) => Number(/files: (\d+) applied,/.exec(stdout)?.[1] ?? 0));
  expect(applied.reduce((sum, one) => sum + one)).toBe(4 * 2 * TABLES + 2);
  const [row] = await sql`SELECT count(*)::int AS n FROM cdc_management.migration_history`;
  await sql.end();
  expect(row).toEqual({ n: 4 * 2 * TABLES + 2 });
});

it('refuses an edited generated file before it runs the first statement', async () => {
  const database = await server.createDatabase();
  const root = repoFor(database);
  const file = join(root, 'migrations/tables/Actor.sql');
  writeFileSync(file, readFileSync(file, 'utf8').replace('CREATE TABLE', 'CREATE  TABLE'));
  const run = await runCommand(root, ['apply', '--env', 'prod'], env);
  expect(run.exitCode).toBe(6);
  expect(run.stderr).toContain('migrations/tables/Actor.sql: this generated file was edited');
  const sql = await connect(database);
  expect(await sql`SELECT to_regnamespace('cdc_management') AS schema`).toEqual([{ schema: null }]);
  await sql.end();
});

it('reports a missing database in one message with the solution', async () => {
  const run = await runCommand(repoFor('none_of_this_name'), ['apply', '--env', 'prod'], env);
  expect(run).toMatchObject({
    exitCode: 2,
    stdout: '',
    stderr:
      'sink_asma.directory in prod: cannot be reached at host ${POSTGRES_PROD_HOST}, port ${POSTGRES_PROD_PORT}, database none_of_this_name: database "none_of_this_name" does not exist (create it, or set another under sources of its group in sink-groups.yaml)\n',
  });
});

it('reports a missing role once, with exit code 2', async () => {
  const database = await server.createDatabase();
  const root = repoFor(database);
  const generated = await runCommand(root, ['generate'], { CDC_DB_USER: 'nobody_here' });
  expect(generated.exitCode).toBe(0);
  const run = await runCommand(root, ['apply', '--env', 'prod'], env);
  expect(run).toMatchObject({ exitCode: 2, stdout: '' });
  expect(run.stderr).toMatch(
    /^sink_asma\.directory in prod: role "nobody_here" does not exist[^\n]*\n$/,
  );
});

it('refuses a database that is not UTF-8, and reports how to create it', async () => {
  const sql = await connect('postgres');
  await sql.unsafe(`CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'`);
  await sql.end();
  const run = await runCommand(repoFor('latin'), ['apply', '--env', 'prod'], env);
  expect(run).toMatchObject({
    exitCode: 2,
    stdout: '',
    stderr:
      'sink_asma.directory in prod: the encoding of the database is LATIN1, which cannot store every text of a source: ' +
      `expected UTF8; create it with TEMPLATE template0 ENCODING 'UTF8'\n`,
  });
});

it('stops after a failure with --on-error stop, and after a failed canary', async () => {
  const database = await server.createDatabase();
  const root = repoFor(database);
  const sql = await connect(database);
  await sql.unsafe(`CREATE SCHEMA bkai; CREATE TYPE bkai."Actor" AS (n integer)`);
  const canary = await runCommand(root, ['apply', '--env', 'prod', ...FEW, '--canary', '1'], env);
  expect(canary.exitCode).toBe(3);
  expect(canary.stdout).toContain('not started: blue, briga, bufar');
  const stopped = await runCommand(
    root,
    ['apply', '--env', 'prod', ...FEW, '--on-error', 'stop', '--jobs', '1', '--json'],
    env,
  );
  expect(stopped.exitCode).toBe(3);
  expect(JSON.parse(stopped.stdout).targets[0].notBegun).toEqual(['blue', 'briga', 'bufar']);
  await sql.end();
});

it('records matching files with baseline, and lists the differences', async () => {
  const database = await server.createDatabase({ template });
  const root = repoFor(database);
  const sql = await connect(database);
  await sql.unsafe(`DELETE FROM cdc_management.migration_history WHERE schema_name <> '';
    ALTER TABLE blue."Actor" ADD COLUMN "Ny" integer;
    CREATE OR REPLACE PROCEDURE blue.sp_merge_avtale() LANGUAGE sql AS $$ SELECT 1 $$`);
  await sql.end();
  const run = await runCommand(root, ['baseline', '--env', 'prod', ...FEW, '--json'], env);
  expect(run.exitCode).toBe(1);
  const [{ recorded, differences }] = JSON.parse(run.stdout).targets;
  expect(recorded).toHaveLength(4 * 2 * TABLES - 2);
  expect(differences.filter(({ schema }: { schema: string }) => schema !== 'public')).toEqual([
    {
      kind: 'extra',
      schema: 'blue',
      name: 'Actor',
      message: 'column "Ny"',
      repair: { kind: 'advice', advice: expect.stringContaining('apply keeps it') },
    },
    {
      kind: 'different',
      schema: 'blue',
      name: 'stg_Avtale',
      message: 'its routines differ from its file',
    },
  ]);
  const apply = await runCommand(root, ['apply', '--env', 'prod', ...FEW], env);
  expect(apply.stdout).toContain('files: 2 applied');
});

it('applies all files to a new tenant, and skips a tenant without this environment', async () => {
  const database = await server.createDatabase({ template });
  const root = repoFor(database);
  const file = join(root, 'source-groups.yaml');
  writeFileSync(
    file,
    `${readFileSync(file, 'utf8').trimEnd()}\n    Ny-Kunde Øst:\n      schemas: [dbo]\n      prod: { server: prod, database: AdOpusNy }\n`,
  );
  expect((await runCommand(root, ['generate'])).exitCode).toBe(0);
  const run = await runCommand(root, ['apply', '--env', 'prod'], env);
  expect(run.exitCode).toBe(0);
  expect(run.stdout).toContain(`files: ${2 * TABLES + 1} applied`);
  const sql = await connect(database);
  expect(
    await sql`SELECT to_regclass('"Ny-Kunde Øst"."stg_Actor"') IS NOT NULL AS there, to_regnamespace('avansas') AS other`,
  ).toEqual([{ there: true, other: null }]);
  await sql.end();
  const check = await runCommand(root, ['check', '--env', 'prod', ...NOT_PUBLIC], env);
  expect(check.exitCode).toBe(0);
});

it('runs a hand-written file once per schema, without a transaction if the file asks for none', async () => {
  const database = await server.createDatabase({ template });
  const root = repoFor(database);
  const manual = join(root, 'migrations/manual');
  mkdirSync(manual, { recursive: true });
  const write = (name: string, text: string) => writeFileSync(join(manual, name), text);
  write(
    '0001-index.sql',
    `-- cdc: no-transaction\nCREATE INDEX CONCURRENTLY "Actor_Navn" ON "{{SCHEMA}}"."Actor" ("Navn")\n`,
  );
  write('0002-two.sql', `-- cdc: no-transaction\nDROP INDEX a;\nDROP INDEX b;\n`);
  expect((await runCommand(root, ['generate'])).exitCode).toBe(0);
  expect(await runCommand(root, ['apply', '--env', 'prod', ...FEW], env)).toEqual({
    exitCode: 2,
    stdout: '',
    stderr:
      'manual/0002-two.sql: only one statement can run outside of a transaction (-- cdc: no-transaction); put each into a file of its own\n',
  });
  // A driver would wait for or send COPY data, which hangs the connection.
  const copies = ['COPY public.x FROM STDIN;', '-- cdc: no-transaction\nCOPY public.x TO STDOUT;'];
  for (const copy of copies) {
    write('0002-two.sql', 'SELECT 1;\n');
    expect((await runCommand(root, ['generate'])).exitCode).toBe(0);
    write('0002-two.sql', copy);
    const manifest = join(root, 'migrations/manifest.yaml');
    const body = bodyOf(readFileSync(manifest, 'utf8'));
    const listed = body.replace(checksumOf('SELECT 1;\n'), checksumOf(copy));
    writeFileSync(manifest, buildGeneratedFile('manifest.yaml', {}, listed).text);
    expect(await runCommand(root, ['apply', '--env', 'prod', ...FEW], env)).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: expect.stringMatching(
        /^manual\/0002-two\.sql:\d: expected SQL that PostgreSQL runs by itself, found COPY (?:FROM STDIN|TO STDOUT);/,
      ),
    });
  }
  write('0002-two.sql', `-- cdc: no-transaction\nDROP INDEX CONCURRENTLY "{{SCHEMA}}"."none"\n`);
  expect((await runCommand(root, ['generate'])).exitCode).toBe(0);
  const run = await runCommand(root, ['apply', '--env', 'prod', ...FEW], env);
  expect(run.exitCode).toBe(3);
  expect(run.stdout).toMatch(
    / manual\/0002-two\.sql: index "none" does not exist \(SQLSTATE 42704\)\n {2}the same in 3 more: /,
  );
  // status and check also print a common cause once. --json lists every customer.
  const shown = async (...args: readonly string[]) =>
    (await runCommand(root, [...args, '--env', 'prod', ...FEW], env)).stdout;
  const status = await shown('status');
  expect(status.match(/0002-two\.sql: index "none" does not exist/g)).toHaveLength(1);
  expect(status).toMatch(/^ {2}the same in 3 more: \S+, \S+, \S+$/m);
  const [{ schemas }] = JSON.parse(await shown('status', '--json')).targets;
  const failed = (schemas as { files: { error?: string }[] }[]).filter(({ files }) =>
    files.some(({ error }) => error?.includes('"none"')),
  );
  expect(failed).toHaveLength(4);
  const sql = await connect(database);
  const history = () => sql`
    SELECT table_name AS file, outcome, count(*)::int AS schemas
    FROM cdc_management.migration_history WHERE category = 'manual' GROUP BY 1, 2 ORDER BY 1`;
  expect(await history()).toEqual([
    { file: '0001-index', outcome: 'applied', schemas: 4 },
    { file: '0002-two', outcome: 'failed', schemas: 4 },
  ]);
  expect(
    await sql`SELECT count(*)::int AS n FROM pg_indexes WHERE indexname = 'Actor_Navn'`,
  ).toEqual([{ n: 4 }]);
  await sql.unsafe(`DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT schemaname FROM pg_indexes WHERE indexname = 'Actor_Navn' LOOP
      EXECUTE format('DROP INDEX %I."idx_Actor_sync_timestamp"', name);
    END LOOP; END $$`);
  const differences = await shown('check');
  expect(differences.match(/^missing .*index "idx_Actor_sync_timestamp"/gm)).toHaveLength(1);
  expect(differences).toMatch(/^ {2}the same in 3 more: \S+, \S+, \S+$/m);
  write(
    '0002-two.sql',
    `-- cdc: no-transaction\nDROP INDEX CONCURRENTLY IF EXISTS "{{SCHEMA}}"."none"\n`,
  );
  expect((await runCommand(root, ['generate'])).exitCode).toBe(0);
  const again = await runCommand(root, ['apply', '--env', 'prod', ...FEW], env);
  expect(again.stdout).toContain('files: 4 applied');
  expect((await history()).map(({ outcome }) => outcome)).toEqual(['applied', 'applied']);
  await sql.end();
});
