import { setTimeout as sleep } from 'node:timers/promises';
import {
  describeDebian,
  type PostgresServer,
  type Standby,
  startDebianPostgres,
} from '@cdc-migrations/postgres-fixture';
import { runCommand } from '../target/cli.fixture.ts';
import {
  EXISTING,
  generateSmall,
  small,
  type SmallTarget,
  stageActors,
} from '../target/small-target.fixture.ts';

describeDebian('a hot standby', () => {
  let primary: PostgresServer;
  let standby: Standby;
  let target: SmallTarget;
  beforeAll(async () => {
    primary = await startDebianPostgres();
    await primary.createDatabase({ name: 'directory_dev' });
    target = await generateSmall(primary);
    const sql = primary.connect({ database: 'directory_dev', max: 1, onnotice: () => {} });
    await sql.unsafe(EXISTING);
    expect((await at(primary, 'apply')).exitCode).toBe(0);
    await sql.unsafe(stageActors('blue', [1, 3], `repeat('x', 90 + 10 * n)`));
    expect((await at(primary, 'merge')).exitCode).toBe(0);
    standby = await primary.startStandby();
    const [{ lsn }] = await sql<[{ lsn: string }]>`SELECT pg_current_wal_lsn() AS lsn`;
    const copy = standby.connect({ max: 1 });
    for (let isThere = false; !isThere; await sleep(20)) {
      const [row] = await copy`SELECT pg_last_wal_replay_lsn() >= ${lsn}::pg_lsn AS there`;
      isThere = row?.['there'] === true;
    }
  });
  afterAll(async () => {
    await standby?.stop();
    await primary?.stop();
  });

  const at = (server: PostgresServer, args: string) =>
    runCommand(target.root, small(...(args.split(' ') as [string])), target.env(server));

  it('has a status, which reports that it is a standby', async () => {
    const { exitCode, stdout, stderr } = await at(standby, 'status');
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^sink_asma.directory in nonprod: all applied, 2 dead letters\n/);
    expect(stdout).toContain('blue.Actor: 2 dead letters');
    expect(stdout).toContain(
      'this is a standby: it does not know of a loss of staged events until its primary has detected it',
    );
    expect(exitCode).toBe(1);
    const [found] = JSON.parse((await at(standby, 'status --json')).stdout).targets;
    expect(found).toMatchObject({
      isStandby: true,
      lostStaging: [],
      deadLetters: [{ schema: 'blue', count: 2 }],
    });
  });

  it('can be checked for drift', async () => {
    expect(await at(standby, 'check')).toEqual({
      exitCode: 0,
      stdout: 'sink_asma.directory in nonprod: matches the definitions\n',
      stderr: '',
    });
  });

  it('accepts apply --dry-run', async () => {
    expect((await at(standby, 'apply --dry-run --again')).exitCode).toBe(0);
  });

  it.each([
    'apply',
    'apply --again',
    'baseline',
    'merge',
    'merge --watch',
    'merge --replay-dead-letters',
  ])('refuses %s', async (command) => {
    const first = command.endsWith('--watch')
      ? 'merging staged events every 1 s until Ctrl-C or SIGTERM\n'
      : '';
    expect(await at(standby, command)).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: `${first}sink_asma.directory in nonprod: the target is a standby, which is read-only; connect to its primary\n`,
    });
  });
});
