import { type PostgresServer, startPostgres } from '@cdc-migrations/postgres-fixture';
import { copyAdopus, runCommand, sinkEnv } from '../target/cli.fixture.ts';

const BLUE = ['--env', 'prod', '--schema', 'blue'];
const AGAIN = 'apply its files again: apply --again';

let server: PostgresServer;
let repo: ReturnType<typeof copyAdopus>;
let env: NodeJS.ProcessEnv;
let template: string;

beforeAll(async () => {
  server = await startPostgres({ major: 15 });
  repo = copyAdopus('directory');
  env = sinkEnv(server);
  await server.createDatabase({ name: 'directory' });
  expect((await run('apply')).exitCode).toBe(0);
  await query(STAGED);
  expect((await run('merge')).exitCode).toBe(0);
  template = await server.createDatabase({ template: 'directory' });
}, 120_000);

afterAll(async () => {
  await server?.stop();
  repo?.remove();
});

beforeEach(async () => {
  const sql = server.connect({ max: 1, onnotice: () => {} });
  await sql.unsafe('DROP DATABASE directory WITH (FORCE)');
  await sql.unsafe(`CREATE DATABASE directory TEMPLATE "${template}"`);
  await sql.end();
});

const STAGED = `INSERT INTO blue."stg_Distrikt" ("DistriktID", "Navn", "_customer_id", "__source_db", "__source_table",
    "__cdc_operation", "__kafka_partition", "__kafka_offset")
  VALUES (1, 'navn', '0a827150-1332-5167-993b-68db156438cb', 'AdOpus', 'Distrikt', 'c', 0, 1)`;

const run = (command: string, ...args: readonly string[]) =>
  runCommand(repo.root, [command, ...BLUE, ...args], env);

async function query(text: string): Promise<readonly Record<string, unknown>[]> {
  const sql = server.connect({
    database: 'directory',
    max: 1,
    fetch_types: false,
    onnotice: () => {},
  });
  const rows = await sql.unsafe(text).simple();
  await sql.end();
  return rows as never;
}

// Other changes by hand are in packages/tracker/src/check/changed-by-hand.spec.ts.
it.each([
  [
    'a staging table is dropped',
    'DROP TABLE blue."stg_Distrikt"',
    `blue.Distrikt: staging table "stg_Distrikt" is missing; rename it back, or ${AGAIN}, or CALL cdc_management.clean_up_table('blue', 'Distrikt') if it was dropped permanently\n`,
  ],
])(
  '%s: merge, status, apply and check report it, and apply --again repairs it',
  async (_, change, line) => {
    await query(change);
    const merge = await run('merge');
    expect(merge).toMatchObject({ exitCode: 3, stdout: expect.stringContaining(line) });
    const status = await run('status');
    expect(status).toMatchObject({ exitCode: 1, stdout: expect.stringContaining(line) });
    const apply = await run('apply');
    expect(apply).toMatchObject({ exitCode: 1, stdout: expect.stringContaining(line) });
    expect((await run('check')).exitCode).toBe(1);

    expect(await run('apply', '--again')).toMatchObject({ exitCode: 0 });
    expect(await run('apply')).toMatchObject({ exitCode: 0 });
    expect(await run('check')).toMatchObject({ exitCode: 0 });
    await query(STAGED);
    expect(await run('merge')).toMatchObject({ exitCode: 0 });
    expect((await query('SELECT count(*)::integer AS n FROM blue."Distrikt"'))[0]).toEqual({
      n: 1,
    });
  },
);

it('status reports a failed merge until it succeeds', async () => {
  await query('ALTER TABLE blue."Distrikt" DROP COLUMN "Navn"');
  await query(STAGED);
  expect((await run('merge')).exitCode).toBe(3);
  const line = 'blue.Distrikt: last merge failed: column "Navn"';
  expect((await run('status')).stdout).toContain(line);
  expect((await run('apply', '--again')).exitCode).toBe(0);
  expect((await run('merge')).exitCode).toBe(0);
  expect((await run('status')).stdout).not.toContain(line);
});

it('apply refuses to create a missing schema again until its bookkeeping is cleaned up', async () => {
  await query('ALTER SCHEMA blue RENAME TO away');
  const merge = await run('merge');
  expect(merge.exitCode).toBe(3);
  expect(merge.stdout).toContain(
    `blue.Distrikt: schema blue is missing; rename it back, or CALL cdc_management.clean_up_schema('blue') if it was dropped permanently\n`,
  );
  expect((await run('status')).exitCode).toBe(1);
  expect((await run('check')).exitCode).toBe(1);
  for (const how of [[], ['--again'], ['--dry-run']]) {
    const apply = await run('apply', ...how);
    expect(apply.exitCode).toBe(5);
    expect(apply.stdout + apply.stderr).toMatch(
      /blue.*the schema is missing, and files were applied to it before/,
    );
  }
  expect(await query(`SELECT to_regnamespace('blue') AS schema`)).toMatchObject([{ schema: null }]);
  await query('ALTER SCHEMA away RENAME TO blue');
  expect(await run('apply')).toMatchObject({ exitCode: 0 });

  await query('DROP SCHEMA blue CASCADE');
  expect((await run('apply')).exitCode).toBe(5);
  await query(`CALL cdc_management.clean_up_schema('blue')`);
  expect(await run('apply')).toMatchObject({ exitCode: 0 });
  expect(await run('check')).toMatchObject({ exitCode: 0 });
});

it.each([['a routine', 'DROP ROUTINE cdc_management.merge_step', 'routine merge_step']])(
  'status and apply report that %s of the bookkeeping is missing, and apply --again creates it',
  async (_, change, name) => {
    await query(change);
    const line = `cdc_management.${name}: is missing; ${AGAIN}\n`;
    for (const command of ['status', 'apply']) {
      expect(await run(command)).toMatchObject({
        exitCode: 1,
        stdout: expect.stringContaining(line),
      });
    }
    expect(await run('apply', '--again')).toMatchObject({ exitCode: 0 });
    expect(await run('check')).toMatchObject({ exitCode: 0 });
    await query(STAGED);
    expect(await run('merge')).toMatchObject({ exitCode: 0 });
  },
);

it('apply refuses older files without --allow-older, and check reports routines of newer files', async () => {
  const newer = `CREATE OR REPLACE FUNCTION cdc_management.infrastructure_version()
      RETURNS integer LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp RETURN 1000000;
    CREATE FUNCTION cdc_management.merge_table(p_schema text, p_table text, p_added integer DEFAULT 1)
      RETURNS void LANGUAGE sql AS 'SELECT'`;
  await query(newer);
  const refused = await run('apply', '--again');
  expect(refused.exitCode).not.toBe(0);
  expect(refused.stdout).toMatch(
    /expected a database of version \d+ or older, found version 1000000/,
  );
  expect(refused.stdout).toContain('--allow-older');
  const check = await run('check');
  expect(check.exitCode).toBe(1);
  expect(check.stdout).toContain('merge_table(p_schema text, p_table text, p_added integer)');
  expect(await run('apply', '--again', '--allow-older')).toMatchObject({ exitCode: 0 });
  expect(await run('check')).toMatchObject({ exitCode: 0 });
});
