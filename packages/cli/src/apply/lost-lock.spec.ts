import type { ChildProcess } from 'node:child_process';
import { tryUntil } from '@cdc-migrations/session';
import { type PostgresServer, startPostgres } from '@cdc-migrations/postgres-fixture';
import { BLUE, copyAdopus, finish, sinkEnv, startCommand } from '../target/cli.fixture.ts';

const SET = 'sink_asma.directory';

let server: PostgresServer;
let repo: ReturnType<typeof copyAdopus>;

beforeAll(async () => {
  server = await startPostgres({ major: 15 });
  await server.createDatabase({ name: 'directory' });
  repo = copyAdopus('directory');
});

afterAll(async () => {
  await server?.stop();
  repo?.remove();
});

/** Resolves when the progress of a command contains this text. */
function waitForProgress(command: ChildProcess, text: string): Promise<unknown> {
  return new Promise((resolve) =>
    command.stderr!.on('data', (data: Buffer) => data.includes(text) && resolve(data)),
  );
}

it('ends an apply that lost its lock, while another apply applies each file once', async () => {
  const env = sinkEnv(server);
  const sql = server.connect({ database: 'directory', max: 1 });
  await sql`SELECT pg_advisory_lock(hashtextextended(${`cdc apply ${SET} blue`}, 0))`;
  const first = startCommand(repo.root, ['apply', ...BLUE, '--jobs', '1'], env);
  const firstEnd = finish(first);
  await waitForProgress(first, 'another session applies to this schema');
  const holder = await sql`SELECT pg_terminate_backend(pid) AS ended FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 1
      AND (classid::bigint << 32 | objid::bigint) = hashtextextended(${`cdc apply ${SET}`}, 0)`;
  expect(holder).toEqual([{ ended: true }]);
  const second = startCommand(repo.root, ['apply', ...BLUE, '--jobs', '1'], env);
  const secondEnd = finish(second);
  await waitForProgress(second, 'another session applies to this schema');
  await sql`SELECT pg_advisory_unlock_all()`;
  const [lost, done] = await Promise.all([firstEnd, secondEnd]);
  expect(lost).toMatchObject({
    exitCode: 3,
    stderr: expect.stringContaining(
      `${SET} in prod: the connection that held the lock was lost; applied files are recorded: apply again`,
    ),
  });
  expect(done).toMatchObject({ exitCode: 0, stderr: expect.not.stringContaining('failed') });
  const log = await tryUntil(5000, async () => /CD007|applied meanwhile/.exec(server.log())?.[0]);
  expect(log).toBe('applied meanwhile');
  const rows = await sql`SELECT count(*)::int AS files, count(DISTINCT file)::int AS different
    FROM cdc_management.migration_history`;
  expect(rows).toEqual([{ files: 80, different: 80 }]);
  await sql.end();
});
