import { type PostgresServer, startPostgres } from '@cdc-migrations/postgres-fixture';
import { copyAdopus, runCommand, sinkEnv } from '../target/cli.fixture.ts';

let server: PostgresServer;
let repo: ReturnType<typeof copyAdopus>;

beforeAll(async () => {
  server = await startPostgres({ major: 15 });
  await server.createDatabase({ name: 'directory' });
  await server.createRole('cdc_one');
  await server.createRole('cdc_other');
  repo = copyAdopus('directory');
});

afterAll(async () => {
  await server?.stop();
  repo?.remove();
});

const generate = (role: string) => runCommand(repo.root, ['generate'], { CDC_DB_USER: role });
const apply = (...schemas: readonly string[]) =>
  runCommand(repo.root, ['apply', '--env', 'prod', '--schema', ...schemas], sinkEnv(server));

async function query(text: string): Promise<readonly Record<string, string>[]> {
  const sql = server.connect({ database: 'directory', max: 1, onnotice: () => {} });
  try {
    return await sql.unsafe(text);
  } finally {
    await sql.end();
  }
}

/** Lists schemas without USAGE for the role. */
async function closedTo(role: string): Promise<readonly string[]> {
  const rows = await query(`SELECT nspname AS schema FROM pg_namespace
    WHERE nspname IN ('cdc_management', 'blue', 'briga')
      AND NOT has_schema_privilege('${role}', oid, 'USAGE')
    ORDER BY 1`);
  return rows.map(({ schema }) => schema!);
}

it('a new role may use a schema from the first apply on that reaches it', async () => {
  expect((await generate('cdc_one')).exitCode).toBe(0);
  expect((await apply('blue', 'briga')).exitCode).toBe(0);
  expect(await closedTo('cdc_one')).toEqual([]);
  expect((await generate('cdc_other')).exitCode).toBe(0);
  expect((await apply('blue')).exitCode).toBe(0);
  expect(await closedTo('cdc_other')).toEqual(['briga']);
  expect((await apply('blue', 'briga')).exitCode).toBe(0);
  expect(await closedTo('cdc_other')).toEqual([]);
}, 120_000);

it('so it is with a schema that was made by hand, and then nothing is left to do', async () => {
  await query('DROP SCHEMA blue CASCADE; CREATE SCHEMA blue');
  expect(await closedTo('cdc_other')).toEqual(['blue']);
  const { exitCode, stdout } = await apply('blue');
  expect(exitCode).toBe(1); // the grants exist and the tables do not
  expect(stdout).toContain('blue.Actor: the final table is missing');
  expect(await closedTo('cdc_other')).toEqual([]);
  expect((await apply('blue', 'briga')).stdout).toContain('files: 0 applied');
}, 60_000);

it('and with a right that somebody took away', async () => {
  await query('REVOKE USAGE ON SCHEMA briga FROM cdc_other');
  const { stdout } = await apply('blue', 'briga');
  expect(stdout).toContain('files: 1 applied');
  expect(await closedTo('cdc_other')).toEqual([]);
}, 60_000);
