import { setTimeout as sleep } from 'node:timers/promises';
import {
  describeDebian,
  type PostgresServer,
  startDebianPostgres,
} from '@cdc-migrations/postgres-fixture';
import type { Sql } from 'postgres';
import { copyAdopus, finish, runCommand, sinkEnv, startCommand } from './target/cli.fixture.ts';

const FEW = ['--env', 'prod', '--schema', 'blue'];
const SKIPPED =
  /blue[.]Distrikt: skipped while its staging table is locked by process \d+ [(]postgres, /;
describeDebian('a staging table that another session has locked', () => {
  let server: PostgresServer;
  let repo: ReturnType<typeof copyAdopus>;
  let env: NodeJS.ProcessEnv;
  let owner: Sql;
  let locker: Sql;
  beforeAll(async () => {
    server = await startDebianPostgres();
    await server.createRole('cdc_sink');
    await server.createDatabase({ name: 'directory' });
    repo = copyAdopus('directory');
    env = sinkEnv(server);
    await runCommand(repo.root, ['generate'], { CDC_DB_USER: 'cdc_sink' });
    expect((await runCommand(repo.root, ['apply', ...FEW], env)).exitCode).toBe(0);
    const connect = () => server.connect({ database: 'directory', max: 1, onnotice: () => {} });
    [owner, locker] = [connect(), connect()];
    for (const [table, key] of [
      ['Distrikt', 'DistriktID'],
      ['Region', 'RegionNr'],
    ])
      await owner.unsafe(`
        INSERT INTO blue."stg_${table}" ("${key}", "Navn", "_customer_id", "__cdc_operation", "__kafka_partition", "__kafka_offset")
        VALUES (1, 'n', gen_random_uuid(), 'c', 0, 1)`);
    await locker`BEGIN`;
    await locker.unsafe('TRUNCATE blue."stg_Distrikt"');
  });
  afterAll(async () => {
    await server?.stop();
    repo?.remove();
  });

  it('is reported by merge, which merges the other tables', async () => {
    const run = await runCommand(repo.root, ['merge', ...FEW], env);
    expect(run.exitCode).toBe(3);
    expect(run.stdout).toMatch(/^blue[.]Region: 1 event: 1 merged/m);
    expect(run.stdout).toMatch(SKIPPED);
    const inJson = await runCommand(repo.root, ['merge', ...FEW, '--json'], env);
    expect(inJson.exitCode).toBe(3);
    expect(JSON.parse(inJson.stdout)).toMatchObject({
      targets: [{ mergeProblems: [], lockedStaging: [{ schema: 'blue', table: 'Distrikt' }] }],
    });
  });

  it('is reported by status', async () => {
    const { stdout } = await runCommand(repo.root, ['status', ...FEW], env);
    expect(stdout).toMatch(SKIPPED);
  });

  it.each(['status', 'check', 'apply', 'apply --dry-run', 'baseline'])(
    'does not stop %s',
    async (command) => {
      const run = await runCommand(repo.root, [...command.split(' '), ...FEW], env);
      expect(run).toMatchObject({ exitCode: 0, stderr: '' });
    },
  );

  it('is reported by merge --watch, which merges it after the lock is released', async () => {
    const count = async (table: string) =>
      (await owner.unsafe(`SELECT FROM blue."${table}"`)).length;
    expect([await count('Region'), await count('Distrikt')]).toEqual([1, 0]);
    const options = ['--watch', '--interval', '50ms'];
    const watch = startCommand(repo.root, ['merge', ...FEW, ...options], env);
    let output = '';
    const reported = new Promise<void>((resolve) => {
      watch.stderr?.on('data', (data: Buffer) => {
        output += data.toString();
        if (SKIPPED.test(output)) resolve();
      });
    });
    const end = finish(watch);
    await reported;
    await locker`ROLLBACK`;
    while ((await count('Distrikt')) === 0) await sleep(50);
    watch.kill('SIGTERM');
    expect((await end).exitCode).toBe(0);
  });
});
