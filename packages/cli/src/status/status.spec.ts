import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PostgresServer } from '@cdc-migrations/postgres-fixture';
import { BLUE, copyAdopus, runCommand, startBlue } from '../target/cli.fixture.ts';

let repo: Awaited<ReturnType<typeof startBlue>>;
let server: PostgresServer;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  repo = await startBlue();
  ({ server, env } = repo);
}, 120_000);

afterAll(async () => {
  await repo?.stop();
});

/** Stages events of `Distrikt`, one per offset. An event with a too long name cannot be merged. */
async function stage(partition: number, offsets: readonly number[], name = 'navn'): Promise<void> {
  const sql = server.connect({ database: 'directory', max: 1, fetch_types: false });
  await sql`INSERT INTO blue."stg_Distrikt" ("DistriktID", "Navn", "_customer_id", "__source_db",
      "__source_table", "__cdc_operation", "__kafka_partition", "__kafka_offset")
    SELECT n, ${name}, '0a827150-1332-5167-993b-68db156438cb', 'AdOpus', 'Distrikt', 'c', ${partition}, n
    FROM unnest(${`{${offsets.join()}}`}::integer[]) AS n`;
  await sql.end();
}

const merge = () => runCommand(repo.root, ['merge', ...BLUE], env);
const status = (...args: readonly string[]) =>
  runCommand(repo.root, ['status', ...BLUE, ...args], env);

it('reports the replay positions of streams after a crash, and the number of dead letters', async () => {
  await stage(0, [1, 2, 3]);
  await stage(1, [10, 11, 20]);
  await stage(1, [12], 'x'.repeat(200));
  await merge();
  await stage(0, [4]);
  await server.kill('SIGKILL');
  await server.restart();
  const { stdout, exitCode } = await status();
  expect(exitCode).toBe(1);
  expect(stdout).toMatch(
    /^sink_asma.directory in prod: all applied, 2 streams to replay after a possible loss, 1 dead letter\n/,
  );
  expect(stdout).toContain(`
staging of blue.Distrikt was emptied: replay AdOpus.Distrikt partition 0 (generation 0) from offset 4
staging of blue.Distrikt was emptied: replay AdOpus.Distrikt partition 1 (generation 0) from offset 13
blue.Distrikt: 1 dead letter; see cdc_management.recent_errors; fix the cause, then run merge --replay-dead-letters
`);
  const stream = { database: 'AdOpus', table: 'Distrikt', generation: 0 };
  expect(JSON.parse((await status('--json')).stdout)).toMatchObject({
    targets: [
      {
        lostStaging: [
          {
            schema: 'blue',
            table: 'Distrikt',
            stream: { ...stream, partition: 0 },
            replayFrom: '4',
          },
          {
            schema: 'blue',
            table: 'Distrikt',
            stream: { ...stream, partition: 1 },
            replayFrom: '13',
          },
        ],
        deadLetters: [{ schema: 'blue', table: 'Distrikt', count: 1 }],
      },
    ],
  });
  await stage(0, [4, 5]);
  await stage(1, [13, 14]);
  await merge();
  expect((await status()).stdout).not.toContain('was emptied');
}, 60_000);

it('counts refused events by topic', async () => {
  const sql = server.connect({ database: 'directory', max: 1, fetch_types: false });
  await sql`INSERT INTO cdc_management.refused_event (schema_name, table_name, topic, error)
    VALUES ('blue', 'Distrikt', 'adopus.dbo.Distrikt', 'a'), ('blue', 'Distrikt', 'adopus.dbo.Distrikt', 'b'), (NULL, NULL, NULL, 'c')`;
  expect((await status()).stdout).toContain(`
blue.Distrikt: 2 refused events of topic adopus.dbo.Distrikt; see cdc_management.recent_errors; fix the cause, then run merge --replay-dead-letters
?.?: 1 refused event of topic ?; see cdc_management.recent_errors
`);
  expect(JSON.parse((await status('--json')).stdout)).toMatchObject({
    targets: [
      { refusedEvents: [{ schema: 'blue', table: 'Distrikt', count: 2 }, { topic: null }] },
    ],
  });
  const replay = ['merge', ...BLUE, '--table', 'Distrikt', '--replay-dead-letters'];
  const { exitCode, stdout } = await runCommand(repo.root, replay, env);
  expect(stdout).toContain(
    'blue.Distrikt: 2 refused events replayed: 0 merged, 0 deleted, 0 stale, 2 failed again\n',
  );
  expect(exitCode).toBe(1);
  await sql`TRUNCATE cdc_management.refused_event`;
  await sql.end();
}, 60_000);

it('reports a session that has blocked a merge for over a minute', async () => {
  const connect = () => server.connect({ database: 'directory', max: 1, fetch_types: false });
  const [holder, other] = [connect(), connect()];
  await holder`BEGIN ISOLATION LEVEL REPEATABLE READ`;
  await holder`SELECT cdc_management.merge_step('blue', 'Distrikt', '{}')`;
  const [{ pid }] = await holder<[{ pid: number }]>`SELECT pg_backend_pid() AS pid`;
  await stage(3, [1]);
  const held = async () => JSON.parse((await status('--json')).stdout).targets[0].heldMerges;
  expect(await held()).toEqual([]);
  await other`UPDATE cdc_management.pending_merge SET marked_at = '2026-01-31T12:00:00Z'`;
  const process = `process ${pid} (postgres, postgres.js)`;
  expect((await status()).stdout).toContain(
    `blue.Distrikt: has waited since 2026-01-31T12:00:00Z for ${process}, which merges it or has locked its staging table; end that session if it is idle`,
  );
  expect(await held()).toEqual([
    { schema: 'blue', table: 'Distrikt', since: '2026-01-31T12:00:00Z', holder: process },
  ]);
  await holder`ROLLBACK`;
  expect(await held()).toEqual([]);
  await merge();
  await Promise.all([holder.end(), other.end()]);
});

it('reports the replay position of a stream that was never merged', async () => {
  await stage(2, [7, 8]);
  await server.kill('SIGKILL');
  await server.restart();
  expect((await status()).stdout).toContain(
    'staging of blue.Distrikt was emptied: replay AdOpus.Distrikt partition 2 (generation 0) from offset 7\n',
  );
}, 60_000);

it('reports a failed file of the whole database as "(database)"', async () => {
  mkdirSync(join(repo.root, 'migrations/manual'), { recursive: true });
  writeFileSync(join(repo.root, 'migrations/manual/0001-bad.sql'), 'SELECT 1 / 0;\n');
  expect((await runCommand(repo.root, ['generate'])).exitCode).toBe(0);
  expect((await runCommand(repo.root, ['apply', ...BLUE], env)).exitCode).toBe(3);
  expect((await status()).stdout).toContain(
    '\n(database) manual/0001-bad.sql: division by zero (SQLSTATE 22012)\n',
  );
}, 60_000);

it('--offline counts files and schemas without a target or its variables', async () => {
  const untouched = copyAdopus();
  const run = await runCommand(untouched.root, ['status', '--env', 'prod', '--offline']);
  untouched.remove();
  expect(run).toMatchObject({ exitCode: 0, stderr: '' });
  expect(run.stdout).toBe(
    `sink_asma.directory in prod: ${2 * 39 + 2} files for 24 schemas; applied files are unknown offline\n`,
  );
});
