import {
  describeDebian,
  logPlans,
  type PostgresServer,
  readPlans,
  startDebianPostgres,
} from '@cdc-migrations/postgres-fixture';
import { copyAdopus, runCommand, sinkEnv } from '../target/cli.fixture.ts';

describeDebian('a server with JIT compilation of expensive queries', () => {
  let server: PostgresServer;
  let repo: ReturnType<typeof copyAdopus>;
  let env: NodeJS.ProcessEnv;
  beforeAll(async () => {
    server = await startDebianPostgres();
    await server.createRole('cdc_sink');
    await server.createDatabase({ name: 'directory' });
    repo = copyAdopus('directory');
    env = sinkEnv(server);
    const generate = await runCommand(repo.root, ['generate'], { CDC_DB_USER: 'cdc_sink' });
    expect(generate.exitCode).toBe(0);
    expect((await runCommand(repo.root, ['apply', '--env', 'prod'], env)).exitCode).toBe(0);
    await logPlans(server, ['postgres']);
  });
  afterAll(async () => {
    await server?.stop();
    repo?.remove();
  });

  it.each<readonly [string, string, ...string[]]>([
    ['check', 'pg_class', '--json'],
    ['status', 'migration_history'],
    ['apply', 'migration_history'],
    ['merge', 'passes_to_begin'],
    ['baseline', 'pg_class'],
  ])('compiles no query of %s with 24 tenants', async (command, read, ...options) => {
    const before = server.log().length;
    const run = await runCommand(repo.root, [command, '--env', 'prod', ...options], env);
    expect(run.stderr).not.toContain('error');
    const plans = readPlans(server.log().slice(before));
    expect(plans.filter(({ query }) => query.includes(read))).not.toEqual([]);
    expect(plans.filter(({ isCompiled }) => isCompiled).map(({ query }) => query)).toEqual([]);
  });
});
