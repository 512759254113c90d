import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bodyOf, buildGeneratedFile } from '@cdc-migrations/generated-file';
import { type PostgresServer, startPostgres } from '@cdc-migrations/postgres-fixture';
import { copyAdopus, type CommandRun, runCommand, sinkEnv } from '../target/cli.fixture.ts';

/** All special characters of ASCII, and some others. */
const PASSWORD = `Hem!"#$%&'()*+,-./:;<=>?@[\\]^_\`{|}~ æøå €lig`;

let server: PostgresServer;
let repo: ReturnType<typeof copyAdopus>;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  server = await startPostgres({ major: 15 });
  await server.createRole('deployer', { password: PASSWORD, attributes: 'SUPERUSER' });
  await server.createDatabase({ name: 'directory' });
  repo = copyAdopus('directory');
  env = { ...sinkEnv(server), POSTGRES_PROD_USER: 'deployer', POSTGRES_PROD_PASSWORD: PASSWORD };
});

afterAll(async () => {
  await server?.stop();
  repo?.remove();
});

function expectNoSecret({ stdout, stderr }: Pick<CommandRun, 'stdout' | 'stderr'>) {
  for (const secret of [
    PASSWORD,
    encodeURIComponent(PASSWORD),
    encodeURI(PASSWORD),
    JSON.stringify(PASSWORD).slice(1, -1),
    'Hem!',
  ]) {
    expect(stdout + stderr).not.toContain(secret);
  }
}

const BLUE = ['--env', 'prod', '--schema', 'blue'];

it('a password with every special character works, and is in no output, log or history row', async () => {
  for (const command of ['apply', 'status', 'check', 'baseline']) {
    expectNoSecret(await runCommand(repo.root, [command, ...BLUE], env));
    expectNoSecret(await runCommand(repo.root, [command, ...BLUE, '--json'], env));
  }
  const sql = server.connect({ database: 'directory', max: 1 });
  const [row] =
    await sql`SELECT count(*)::int AS n, string_agg(h::text, '|') AS text FROM cdc_management.migration_history AS h`;
  await sql.end();
  expect(row!['n']).toBe(80);
  expectNoSecret({ stdout: String(row!['text']), stderr: server.log() });
});

it.each([
  [
    'a wrong password',
    { POSTGRES_PROD_PASSWORD: `${PASSWORD}!` },
    'cannot be reached at host ${POSTGRES_PROD_HOST}, port ${POSTGRES_PROD_PORT}, database directory: password authentication failed for user "deployer"',
  ],
  [
    'a host that is a URL with an encoded password',
    {
      POSTGRES_PROD_HOST: `postgres://deployer:${encodeURIComponent(PASSWORD)}@localhost/directory`,
    },
    'cannot be reached at host ${POSTGRES_PROD_HOST}, port ${POSTGRES_PROD_PORT}, database directory: ',
  ],
  [
    'a host that is a URL with an unencoded password',
    { POSTGRES_PROD_HOST: `postgres://deployer:${PASSWORD}@localhost/directory` },
    'cannot be reached at host ${POSTGRES_PROD_HOST}, port ${POSTGRES_PROD_PORT}, database directory: ',
  ],
  ['a port that is not a number', { POSTGRES_PROD_PORT: PASSWORD }, 'gives no port'],
  [
    'a port without a listener',
    { POSTGRES_PROD_PORT: '1' },
    'cannot be reached at host ${POSTGRES_PROD_HOST}, port ${POSTGRES_PROD_PORT}, database directory: connection refused; check that it runs, and host and port of its server in sink-groups.yaml (ECONNREFUSED)',
  ],
  [
    'the broadcast address, to which Linux has no route',
    { POSTGRES_PROD_HOST: '255.255.255.255' },
    'cannot be reached at host ${POSTGRES_PROD_HOST}, port ${POSTGRES_PROD_PORT}, database directory: no route to its network (ENETUNREACH)',
  ],
  [
    'an unknown user',
    { POSTGRES_PROD_USER: 'nobody_here' },
    'cannot be reached at host ${POSTGRES_PROD_HOST}, port ${POSTGRES_PROD_PORT}, database directory: password authentication failed',
  ],
])('%s is reported without the password', async (_, change, message) => {
  for (const command of ['apply', 'status', 'check']) {
    const run = await runCommand(repo.root, [command, ...BLUE], { ...env, ...change });
    expect(run.exitCode).toBe(2);
    expect(run.stderr).toContain(message);
    expect(run.stderr).not.toContain('defect');
    expectNoSecret(run);
  }
});

it('a failed statement is reported without the password', async () => {
  const sql = server.connect({ database: 'directory', max: 1, onnotice: () => {} });
  await sql.unsafe('CREATE SCHEMA bkai; CREATE TYPE bkai."Actor" AS (n integer)');
  await sql.end();
  const run = await runCommand(repo.root, ['apply', '--env', 'prod', '--schema', 'bkai'], env);
  expect(run.exitCode).toBe(3);
  expectNoSecret(run);
});

it.each(['Ærlig-Øst Å', 'Order-Linjer', 'select', 'UPPER.Case', 'a%b'])(
  'the schema name %s is applied without drift',
  async (name) => {
    const copy = withTenant(name);
    const args = ['--env', 'prod', '--schema', name];
    const apply = await runCommand(copy.root, ['apply', ...args], env);
    expect(apply).toMatchObject({ exitCode: 0 });
    const check = await runCommand(copy.root, ['check', ...args, '--exclude', 'public.*'], env);
    expect(check.stdout).toContain('matches the definitions');
    copy.remove();
  },
);

it.each([`O"Brien`, `O'Brien`, 'a$b', 'a{{SCHEMA}}b', 'a\\b', 'pg_temp', 'x'.repeat(64)])(
  'the schema name %s is refused with a reason',
  async (name) => {
    const copy = withTenant(name);
    const run = await runCommand(copy.root, ['apply', '--env', 'prod'], env);
    expect(run.exitCode).toBe(2);
    expect(run.stderr).toMatch(/source-groups\.yaml:\d+ .*schema name/);
    copy.remove();
  },
);

it('the schema name of a manifest is refused with a reason too', async () => {
  const copy = copyAdopus('directory');
  const file = join(copy.root, 'migrations/manifest.yaml');
  const body = bodyOf(readFileSync(file, 'utf8')).replace(
    '"scope": "tenant"',
    `"scope": "database", "schema": ${JSON.stringify('a"b')}`,
  );
  writeFileSync(file, buildGeneratedFile('manifest.yaml', {}, body).text);
  for (const command of ['apply', 'status', 'check'])
    expect(await runCommand(copy.root, [command, '--env', 'prod'], env)).toEqual({
      ...{ exitCode: 2, stdout: '' },
      stderr: expect.stringMatching(/^sink_asma\.directory in prod: .*schema name "a\\?"b"/),
    });
  copy.remove();
});

function withTenant(name: string) {
  const copy = copyAdopus('directory');
  const file = join(copy.root, 'source-groups.yaml');
  const tenant = `    ${JSON.stringify(name)}:\n      schemas: [dbo]\n      prod: { server: prod, database: AdOpusNy }\n`;
  writeFileSync(file, `${readFileSync(file, 'utf8').trimEnd()}\n${tenant}`);
  return copy;
}
