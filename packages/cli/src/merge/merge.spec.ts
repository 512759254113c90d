import { setTimeout as sleep } from 'node:timers/promises';
import { type PostgresServer, startPostgres } from '@cdc-migrations/postgres-fixture';
import {
  copyAdopus,
  type CommandRun,
  finish,
  runCommand,
  sinkEnv,
  startCommand,
} from '../target/cli.fixture.ts';

const BLUE = ['--env', 'prod', '--schema', 'blue'];

let server: PostgresServer;
let repo: ReturnType<typeof copyAdopus>;
let env: NodeJS.ProcessEnv;
let sql: ReturnType<PostgresServer['connect']>;

beforeAll(async () => {
  server = await startPostgres({ major: 15 });
  await server.createDatabase({ name: 'directory' });
  repo = copyAdopus('directory');
  env = sinkEnv(server);
  sql = server.connect({ database: 'directory', max: 1, onnotice: () => {}, fetch_types: false });
}, 120_000);

afterAll(async () => {
  await server?.stop();
  repo?.remove();
});

const merge = (...args: readonly string[]) => runCommand(repo.root, ['merge', ...args], env);

/** Stages events of `Distrikt` or `Avdeling`. Keys and offsets run from `first` to `last`. */
async function stage(
  table: 'Distrikt' | 'Avdeling',
  [first, last]: readonly [number, number],
  name = "'navn'",
): Promise<void> {
  const [key, columns, values] =
    table === 'Distrikt' ? ['DistriktID', '', ''] : ['AvdID', '"Aktiv", ', 'true, '];
  await sql.unsafe(`INSERT INTO blue."stg_${table}" ("${key}", "Navn", ${columns}"_customer_id", "__source_db",
      "__source_table", "__cdc_operation", "__kafka_partition", "__kafka_offset")
    SELECT n, ${name}, ${values}'0a827150-1332-5167-993b-68db156438cb', 'AdOpus', '${table}', 'c', 0, n
    FROM generate_series(${first}, ${last}) AS n`);
}

async function countOf(table: string): Promise<number> {
  const [row] = await sql.unsafe(`SELECT count(*)::int AS n FROM blue."${table}"`);
  return row!['n'] as number;
}

async function until(table: string, count: number): Promise<void> {
  await waitFor(async () => (await countOf(table)) >= count);
}

async function waitFor(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error('it did not happen in 30 s');
    await sleep(20);
  }
}

/** Runs `merge --watch` during `work`, then asks it to end. */
async function watching(
  work: (output: () => string) => Promise<void>,
  signal: NodeJS.Signals = 'SIGTERM',
): Promise<CommandRun> {
  const child = startCommand(
    repo.root,
    ['merge', ...BLUE, '--watch', '--interval', '50ms', '--jobs', '2'],
    env,
  );
  let output = '';
  child.stderr?.on('data', (data: Buffer) => (output += data.toString()));
  const end = finish(child);
  try {
    await work(() => output);
  } finally {
    child.kill(signal);
  }
  return end;
}

it('merge refuses a target without the bookkeeping, and names the files to apply first', async () => {
  expect(await merge(...BLUE)).toEqual({
    exitCode: 2,
    stdout: '',
    stderr:
      'sink_asma.directory in prod: the bookkeeping does not exist; apply migrations/schemas and migrations/infrastructure first\n',
  });
});

describe('merge', () => {
  beforeAll(async () => {
    expect((await runCommand(repo.root, ['apply', ...BLUE], env)).exitCode).toBe(0);
  }, 120_000);
  beforeEach(async () => {
    await sql`TRUNCATE blue."Distrikt", blue."Avdeling", blue."stg_Distrikt", blue."stg_Avdeling",
      cdc_management.pending_merge, cdc_management.dead_letter`;
  });

  it('reports that no events were merged', async () => {
    expect(await merge(...BLUE)).toEqual({
      exitCode: 0,
      stdout: 'sink_asma.directory in prod: nothing merged\n',
      stderr: '',
    });
  });

  it('merges staged events, and reports the counts of each table', async () => {
    await stage('Distrikt', [1, 100]);
    await stage('Avdeling', [1, 10]);
    await stage('Avdeling', [1, 10]);
    const { exitCode, stdout, stderr } = await merge(...BLUE);
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: `sink_asma.directory in prod: 2 tables, 120 events: 110 merged, 0 deleted, 10 stale, 0 dead
blue.Avdeling: 20 events: 10 merged, 0 deleted, 10 stale, 0 dead
blue.Distrikt: 100 events: 100 merged, 0 deleted, 0 stale, 0 dead
`,
    });
    expect(stderr).toMatch(/^blue\.Distrikt: 100 events: 100 merged.*, \d+\.\d s$/m);
    expect([await countOf('Distrikt'), await countOf('Avdeling')]).toEqual([100, 10]);
  });

  it.each([
    [['--schema', 'red'], /no schema red is merged here; known: blue$/m],
    [['--table', 'Avdeling', 'Avdleing'], /no table Avdleing is merged here; known: .*Avdeling/],
    [['--jobs', '0'], /expected a whole number of at least 1/],
    [['--interval', '0'], /expected 500ms, 30s, 2m or 1h/],
  ])('refuses %j', async (args, message) => {
    expect(await merge('--env', 'prod', ...args)).toMatchObject({
      exitCode: 2,
      stdout: '',
      stderr: expect.stringMatching(message),
    });
  });

  it('reports a table that fails, and merges the others', async () => {
    await stage('Distrikt', [1, 5]);
    await stage('Avdeling', [1, 5]);
    await sql`ALTER TABLE blue."Avdeling" RENAME TO away`;
    const { exitCode, stdout, stderr } = await merge(...BLUE, '--json');
    await sql`ALTER TABLE blue.away RENAME TO "Avdeling"`;
    expect(exitCode).toBe(3);
    expect(stderr).toContain('blue.Avdeling failed: relation "blue.Avdeling" does not exist');
    const counts = { events: 5, merged: 5, deleted: 0, stale: 0, dead: 0, failure: null };
    expect(JSON.parse(stdout)).toMatchObject({
      targets: [
        {
          target: 'sink_asma.directory in prod',
          tables: [
            { table: 'Avdeling', events: 0, failure: expect.stringMatching(/42P01/) },
            { schema: 'blue', table: 'Distrikt', ...counts },
          ],
          lost: null,
        },
      ],
    });
  });

  it('replays dead letters: merges the fixed ones, and keeps the others', async () => {
    const name = "CASE WHEN n > 3 THEN repeat('x', 500) ELSE 'navn' END";
    await stage('Avdeling', [1, 10], name);
    const reasons =
      'sink_asma.directory in prod: the reasons of dead letters are in cdc_management.recent_errors; fix the cause, then run merge --replay-dead-letters\n';
    const first = await merge(...BLUE);
    expect(first.stdout).toContain('10 events: 3 merged, 0 deleted, 0 stale, 7 dead');
    expect(first.stdout).toContain(reasons);
    await sql`UPDATE cdc_management.dead_letter SET payload = jsonb_set(payload, '{Navn}', '"mended"')
      WHERE kafka_offset < 8`;
    const { exitCode, stdout } = await merge(...BLUE, '--replay-dead-letters');
    expect(stdout).toContain(
      'blue.Avdeling: 7 dead letters replayed: 4 merged, 0 deleted, 0 stale, 3 failed again\n',
    );
    expect(stdout).toContain('nothing else merged\n');
    expect(stdout).toContain(reasons);
    expect(exitCode).toBe(1);
    expect(await countOf('Avdeling')).toBe(7);
    await sql`UPDATE cdc_management.dead_letter SET payload = jsonb_set(payload, '{Navn}', '"mended"')`;
    const last = await merge(...BLUE, '--replay-dead-letters');
    expect([last.exitCode, last.stdout.includes(reasons)]).toEqual([0, false]);
    expect(await countOf('Avdeling')).toBe(10);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('watches until %s', async (signal) => {
    const { exitCode, stdout, stderr } = await watching(async () => {
      await stage('Distrikt', [1, 50]);
      await until('Distrikt', 50);
      await stage('Avdeling', [1, 20]);
      await until('Avdeling', 20);
    }, signal);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('2 tables, 70 events: 70 merged');
    expect(stderr).toContain('stopping after the current batches\n');
  });

  it('waits for a session that merges a table, and reports a session that blocks the merge', async () => {
    const claim = `BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT cdc_management.claim_merge('blue', 'Distrikt', NULL)`;
    const holder = server.connect({
      ...{ database: 'directory', max: 1, connection: { application_name: 'other' } },
    });
    await stage('Distrikt', [1, 3]);
    await holder.unsafe(claim).simple();
    const ended = merge(...BLUE);
    await sleep(1500);
    await holder.unsafe('ROLLBACK');
    expect(await ended).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('3 merged') });
    expect(await countOf('Distrikt')).toBe(3);
    await stage('Distrikt', [4, 5]);
    await holder.unsafe(claim).simple();
    const held = await merge(...BLUE);
    await holder.unsafe('ROLLBACK');
    await holder.end();
    expect(held.stdout).toMatch(
      /nothing merged\nblue\.Distrikt: not merged: process \d+ \(postgres, other\) merges it, or keeps it from being merged\n/,
    );
    expect(held.exitCode).toBe(3);
  });

  it('retries a failing table while it watches, and reports it only if it fails until the end', async () => {
    await stage('Avdeling', [1, 5]);
    await sql`ALTER TABLE blue."Avdeling" RENAME TO away`;
    const failing = await watching(async (output) => {
      await waitFor(() => output().split('blue.Avdeling failed').length > 2);
    });
    expect(failing).toMatchObject({
      exitCode: 3,
      stdout: expect.stringContaining('blue.Avdeling failed'),
    });
    const fixed = await watching(async (output) => {
      await waitFor(() => output().includes('blue.Avdeling failed'));
      await sql`ALTER TABLE blue.away RENAME TO "Avdeling"`;
      await until('Avdeling', 5);
    });
    expect(fixed.exitCode).toBe(0);
  });
});
