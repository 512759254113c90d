import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type PostgresServer, startPostgres } from '@cdc-migrations/postgres-fixture';
import { edit, emptyFolder, read, write } from '../repo.fixture.ts';
import { finish, runCommand, startCommand } from '../target/cli.fixture.ts';
import { small, type SmallTarget } from '../target/small-target.fixture.ts';
import { generateRollout, openRollout, type Rollout } from './rollout.fixture.ts';

const FILES = 6;
const WAVES = [
  '{ name: first, customers: [c002], pause: 1s }',
  '{ name: second, customers: [c001, c004, c005], jobs: 1, stop_after: 2 }',
  '{ name: rest, jobs: 2 }',
];

let server: PostgresServer;
let target: SmallTarget;

beforeAll(async () => {
  server = await startPostgres({ major: 15 });
  target = await generateRollout(server, 7, WAVES);
}, 120_000);

afterAll(() => server?.stop());

const open = () => openRollout(server, target);

/** Lists schemas with the number of applied files, in order of their first file. */
async function applied({ query }: Rollout): Promise<readonly string[]> {
  const rows =
    await query(`SELECT schema_name, count(*) FILTER (WHERE outcome = 'applied')::int AS n
    FROM cdc_management.migration_history WHERE schema_name <> '' GROUP BY 1 ORDER BY min(applied_at)`);
  return rows.map(({ schema_name: schema, n }) => `${String(schema)} ${String(n)}`);
}

const breakSchema = (schema: string) =>
  `CREATE SCHEMA ${schema}; CREATE TYPE ${schema}."Actor" AS (n integer)`;

it('applies waves in order, pauses between them, and counts customers by wave', async () => {
  const rollout = await open();
  const start = performance.now();
  const run = await rollout.run('apply');
  expect(run.exitCode).toBe(0);
  expect(performance.now() - start).toBeGreaterThan(1000);
  const lines = run.stderr.split('\n').filter((line) => line.includes('wave'));
  expect(lines).toEqual([
    'wave 1 of 3, first: 1 schema',
    'wave first is done; wave second begins in 1 s',
    'wave 2 of 3, second: 3 schemas',
    'wave 3 of 3, rest: 3 schemas',
  ]);
  const order = await applied(rollout);
  expect(order.slice(0, 4)).toEqual(
    ['c002', 'c001', 'c004', 'c005'].map((name) => `${name} ${FILES}`),
  );
  expect(order.slice(4).toSorted()).toEqual(
    ['c003', 'c006', 'c007'].map((name) => `${name} ${FILES}`),
  );
  const status = await rollout.run('status');
  expect(status.stdout).toContain(`
wave    customers  applied  pending  failed
first           1        1        0       0
second          3        3        0       0
rest            3        3        0       0
`);
  const again = await rollout.run('apply');
  expect(again).toMatchObject({ exitCode: 0 });
  expect(again.stderr).not.toContain('begins in');
});

it('stops the rollout after N failed customers of a wave, and continues from there', async () => {
  const rollout = await open();
  await rollout.query(breakSchema('c001'));
  await rollout.query(breakSchema('c004'));
  const stopped = await rollout.run('apply', '--json');
  expect(stopped.exitCode).toBe(3);
  expect(stopped.stderr).toContain(
    'stopped in wave second: 2 schemas failed, stop_after is 2; waves not started: rest\n',
  );
  const [{ waves }] = JSON.parse(stopped.stdout).targets;
  expect(waves).toMatchObject([
    { wave: 'first', failures: [], notBegun: [] },
    { wave: 'second', failures: [{ schema: 'c001' }, { schema: 'c004' }], notBegun: ['c005'] },
    { wave: 'rest', notBegun: ['c003', 'c006', 'c007'] },
  ]);
  const status = await rollout.run('status');
  expect(status.stdout).toContain(`
wave    customers  applied  pending  failed
first           1        1        0       0
second          3        0        1       2
rest            3        0        3       0
`);
  await rollout.query('DROP TYPE c001."Actor"');
  const one = await rollout.run('apply');
  expect(one.exitCode).toBe(3);
  expect(one.stderr).toContain('wave 3 of 3, rest: 3 schemas');
  expect(one.stderr).not.toContain('stopped');
  expect(await applied(rollout)).toContain('c004 0');
  await rollout.query('DROP TYPE c004."Actor"');
  expect(await rollout.run('apply')).toMatchObject({ exitCode: 0 });
  expect((await rollout.run('status')).exitCode).toBe(0);
});

it('runs the commands of the documentation page', async () => {
  const page = readFileSync(join(__dirname, '../../../../docs/roll-out.md'), 'utf8');
  expect(page).toContain(WAVES.map((wave) => `    - ${wave}\n`).join(''));
  const rollout = await open();
  const commands = [...page.matchAll(/^npx --no-install cdc manage-migrations (.*)$/gm)].map(
    ([, line]) => line!.split(' '),
  );
  expect(commands.length).toBeGreaterThan(2);
  const plan = join(emptyFolder(), 'plan.json');
  for (const [command, , , ...given] of commands) {
    const args = given.map((word) => (word === 'plan.json' ? plan : word));
    const { exitCode, stderr } = await rollout.run(command!, ...args);
    expect({ command, args, exitCode, stderr }).toMatchObject({ exitCode: 0 });
  }
});

it('applies only the waves of --wave, and refuses an unknown wave and --canary', async () => {
  const rollout = await open();
  const dry = await rollout.run('apply', '--dry-run', '--wave', 'first');
  expect(dry.exitCode).toBe(0);
  expect(dry.stdout).toContain('in c002');
  expect(dry.stdout).not.toContain('in c001');
  expect((await rollout.run('apply', '--wave', 'first')).exitCode).toBe(0);
  expect(await applied(rollout)).toEqual([`c002 ${FILES}`]);
  expect(await rollout.run('apply', '--wave', 'frist')).toMatchObject({
    exitCode: 2,
    stderr: '--wave frist: unknown wave; known: first, second, rest; did you mean "first"?\n',
  });
  expect(await rollout.run('apply', '--canary', '1')).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('sink-groups.yaml has waves, which decide the order'),
  });
});

/** Waits for a condition on the history during an apply. */
async function until({ query }: Rollout, condition: string): Promise<void> {
  for (;;) {
    const rows = await query(
      `SELECT ${condition} AS yes FROM cdc_management.migration_history`,
    ).catch(() => []);
    if (rows[0]?.['yes'] === true) return;
    await sleep(5);
  }
}

const IN_SECOND = `count(*) FILTER (WHERE schema_name = 'c001') > 1`;

it('continues after its process was killed in the middle of a wave', async () => {
  const rollout = await open();
  const child = startCommand(rollout.root, small('apply'), rollout.env);
  const end = finish(child);
  await until(rollout, IN_SECOND);
  child.kill('SIGKILL');
  await end;
  const before = await applied(rollout);
  expect(before.length).toBeLessThan(7);
  const next = await rollout.run('apply', '--lock-timeout', '30s');
  expect(next.exitCode).toBe(0);
  expect((await rollout.run('check')).exitCode).toBe(0);
  expect(await applied(rollout)).toHaveLength(7);
});

it('starts no other wave after its connections were terminated', async () => {
  const rollout = await open();
  const child = startCommand(rollout.root, small('apply'), rollout.env);
  const end = finish(child);
  await until(rollout, IN_SECOND);
  await rollout.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE 'cdc apply%'`);
  const cut = await end;
  expect([2, 3]).toContain(cut.exitCode);
  expect(cut.stderr).toContain('waves not started: rest');
  expect(await rollout.run('apply')).toMatchObject({ exitCode: 0 });
  expect(await applied(rollout)).toHaveLength(7);
});

it('applies a repeatable file of the whole database only after all waves are done', async () => {
  const rollout = await open();
  write(
    rollout.root,
    'migrations/repeatable/0001-all.sql',
    `CREATE OR REPLACE VIEW public.everybody AS SELECT actno FROM c001."Actor" UNION ALL SELECT actno FROM c007."Actor";\n`,
  );
  expect(await runCommand(rollout.root, ['generate'])).toMatchObject({ exitCode: 0 });
  const run = (wave: string) => rollout.run('apply', '--wave', wave);
  const isThere = async () =>
    (await rollout.query(`SELECT to_regclass('public.everybody') IS NOT NULL AS yes`))[0]!['yes'];
  expect([(await run('first')).exitCode, await isThere()]).toEqual([0, false]);
  expect([(await run('rest')).exitCode, await isThere()]).toEqual([0, false]);
  expect([(await run('second')).exitCode, await isThere()]).toEqual([0, true]);
  expect((await rollout.run('status')).exitCode).toBe(0);
});

it('applies a file of the whole database once with --again, not in each wave', async () => {
  const rollout = await open();
  const view = 'migrations/repeatable/0001-all.sql';
  write(rollout.root, view, 'CREATE OR REPLACE VIEW public.one AS SELECT 1 AS one;\n');
  expect(await runCommand(rollout.root, ['generate'])).toMatchObject({ exitCode: 0 });
  expect(await rollout.run('apply')).toMatchObject({ exitCode: 0 });
  const again = await rollout.run('apply', '--again', '--json');
  expect(again.exitCode).toBe(0);
  const [{ waves }] = JSON.parse(again.stdout).targets;
  const applied = (waves as { applied: { schema: string; path: string }[] }[]).map((wave) =>
    wave.applied.filter(({ schema }) => !/^c\d/.test(schema)).map(({ path }) => path),
  );
  expect(applied).toEqual([
    ['schemas/create-schemas.sql', 'infrastructure/cdc-management.sql'],
    [],
    ['repeatable/0001-all.sql'],
  ]);
  for (const { applied: all } of waves) expect(all.length).toBeGreaterThanOrEqual(FILES);
  const one = await rollout.run('apply', '--again', '--wave', 'second', '--json');
  expect(one.stdout).toContain('infrastructure/cdc-management.sql');
  expect(one.stdout).toContain('repeatable/0001-all.sql');
});

it('completes a wave in all databases of the sink group before the next wave starts', async () => {
  const rollout = await open();
  const reports = await server.createDatabase();
  edit(rollout.root, 'sink-groups.yaml', 'database: reports_dev', `database: ${reports}`);
  write(
    rollout.root,
    'services/adopus.yaml',
    `${read(rollout.root, 'services/adopus.yaml').trimEnd()}
    sink_asma.reports:
      tables:
        adopus.Region:
          from: dbo.Region
          target_exists: false
`,
  );
  expect(await runCommand(rollout.root, ['generate'])).toMatchObject({ exitCode: 0 });
  const sql = server.connect({ database: reports, max: 1, onnotice: () => {} });
  await sql.unsafe('CREATE SCHEMA c002; CREATE TYPE c002."Region" AS (n integer)').simple();
  const stopped = await rollout.run('apply');
  expect(stopped.exitCode).toBe(3);
  expect(stopped.stderr).toContain('wave 1 of 3, first: 2 schemas\n');
  expect(stopped.stderr).toContain(
    'stopped in wave first: 1 schema failed, stop_after is 1; waves not started: second, rest\n',
  );
  expect(await applied(rollout)).toEqual([`c002 ${FILES}`]);
  await sql.unsafe('DROP TYPE c002."Region"');
  expect(await rollout.run('apply')).toMatchObject({ exitCode: 0 });
  const [end] = await sql`SELECT max(applied_at)::text AS at FROM cdc_management.migration_history
    WHERE schema_name = 'c002'`;
  await sql.end();
  const [begin] = await rollout.query(`SELECT min(applied_at) > '${String(end!['at'])}' AS later
    FROM cdc_management.migration_history WHERE schema_name = 'c001'`);
  expect(begin).toEqual({ later: true });
});

it('applies the files of the whole database in an environment without customers', async () => {
  const { root, env, query } = await open();
  edit(
    root,
    'sink-groups.yaml',
    '      nonprod: ',
    '      empty: { server: default, database: none }\n      nonprod: ',
  );
  edit(
    root,
    'sink-groups.yaml',
    'database: none',
    `database: ${/nonprod: .*database: (\S+)/.exec(read(root, 'sink-groups.yaml'))![1]!}`,
  );
  const run = (...args: readonly string[]) => runCommand(root, [...args, '--env', 'empty'], env);
  const first = await run('apply');
  expect(first).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('2 applied') });
  expect(await query('SELECT count(*)::int AS n FROM cdc_management.migration_history')).toEqual([
    { n: 2 },
  ]);
  expect(await run('status')).toMatchObject({ exitCode: 0 });
  expect(await run('apply')).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('0 applied'),
  });
});
