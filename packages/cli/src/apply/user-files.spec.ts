import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type PostgresServer, startPostgres } from '@cdc-migrations/postgres-fixture';
import { copyOf, edit, smallRepo, write } from '../repo.fixture.ts';
import {
  type CommandRun,
  finish,
  runCommand,
  startCommand,
  untilSays,
} from '../target/cli.fixture.ts';

/** Files of a tenant of the small repo: a table and a staging file for each of three tables. */
const OF_TENANT = 6;
const INDEX = 'after/0010-index.sql';
const VIEW = 'repeatable/0010-actors.sql';

describe.each([15, 18] as const)('hand-written files on PostgreSQL %i', (major) => {
  let server: PostgresServer;
  let sql: ReturnType<PostgresServer['connect']>;
  let root: string;
  /** A repo and its database with everything applied. */
  let done: string;
  let template: string;

  beforeAll(async () => {
    server = await startPostgres({ major });
    template = await server.createDatabase();
    root = done = smallRepo();
    const { host, port, password } = server;
    edit(
      root,
      'sink-groups.yaml',
      "{ host: pg.example, port: 5432, user: cdc, password: '${POSTGRES_PASSWORD}' }",
      `{ host: '${host}', port: ${port}, user: postgres, password: '${password}', sslmode: disable }`,
    );
    edit(root, 'sink-groups.yaml', 'directory_dev', template);
    await generate();
    expect(await apply()).toMatchObject({ exitCode: 0 });
  });
  afterAll(async () => {
    await server?.stop();
  });

  beforeEach(async () => {
    const database = await server.createDatabase({ template });
    sql = server.connect({ database, max: 1, onnotice: () => {} });
    root = copyOf(done);
    edit(root, 'sink-groups.yaml', template, database);
  });
  afterEach(async () => {
    await sql.end();
  });

  const run = (...args: readonly string[]) => runCommand(root, args);
  const generate = async () => expect(await run('generate')).toMatchObject({ exitCode: 0 });
  const apply = (...args: readonly string[]) => run('apply', '--env', 'nonprod', ...args);
  const status = () => run('status', '--env', 'nonprod');
  const check = () => run('check', '--env', 'nonprod', '--exclude', 'public.*');

  /** Writes hand-written files and the manifest. */
  async function put(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [path, text] of Object.entries(files)) write(root, `migrations/${path}`, text);
    await generate();
  }

  function addCustomer(name: string): void {
    edit(
      root,
      'source-groups.yaml',
      '  sources:\n',
      `  sources:\n    ${name}:\n      schemas: [dbo]\n      nonprod: { server: default, database: AdOpus_${name} }\n`,
    );
  }

  const applied = ({ stdout }: CommandRun) => Number(/files: (\d+) applied/.exec(stdout)?.[1]);
  const names = async (query: string) =>
    (await sql.unsafe(query)).map((row) => Object.values(row).join(' '));
  const indexes = () =>
    names(`SELECT schemaname FROM pg_indexes WHERE indexname = 'Actor_Navn' ORDER BY 1`);

  /** Expects that nothing is pending and nothing is extra. */
  async function expectSettled(): Promise<void> {
    expect(await check()).toMatchObject({
      exitCode: 0,
      stdout: 'sink_asma.directory in nonprod: matches the definitions\n',
    });
    expect(await apply()).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('files: 0 applied'),
    });
  }

  it('without a transaction report the session that blocks them', async () => {
    await put({
      [INDEX]: `-- cdc: no-transaction\nCREATE INDEX CONCURRENTLY "Actor_Navn" ON "{{SCHEMA}}"."Actor" ("Navn")\n`,
    });
    const reader = await sql.reserve();
    await reader
      .unsafe(`SET application_name = 'report'; BEGIN; UPDATE blue."Actor" SET "Navn" = ''`)
      .simple();
    const child = startCommand(root, ['apply', '--env', 'nonprod']);
    const ended = finish(child);
    await untilSays(
      child,
      /blue after\/0010-index\.sql waits: it runs outside of a transaction.*; held by pid \d+, application "report", .* idle in transaction/,
    );
    await reader.unsafe('COMMIT').simple();
    reader.release();
    expect(await ended).toMatchObject({ exitCode: 0 });
  });

  it('in after/ are applied to old tenants at once, and to a new tenant after its tables', async () => {
    await put({
      [INDEX]: `-- cdc: no-transaction\nCREATE INDEX CONCURRENTLY "Actor_Navn" ON "{{SCHEMA}}"."Actor" ("Navn")\n`,
    });
    expect(await status()).toMatchObject({
      exitCode: 1,
      stdout: expect.stringContaining(`pending hand-written files: ${INDEX}`),
    });
    expect(applied(await apply())).toBe(2);
    addCustomer('cerulean');
    await put({ [VIEW]: 'CREATE OR REPLACE VIEW "{{SCHEMA}}".actors AS SELECT 1 AS a;\n' });
    const { stdout: script } = await apply('--dry-run');
    const titles = script.match(/^-- .*\.sql in cerulean$/gm);
    expect(titles?.slice(-2)).toEqual([`-- ${INDEX} in cerulean`, `-- ${VIEW} in cerulean`]);
    expect(applied(await apply())).toBe(OF_TENANT + 2 + 3);
    expect(await indexes()).toEqual(['avansas', 'blue', 'cerulean']);
    expect((await status()).exitCode).toBe(0);
    await expectSettled();
    for (const text of ['SELECT 1;\n', `SELECT '{{SCHEMA}}';\n`]) {
      await put({ [INDEX]: text });
      expect(await apply()).toMatchObject({
        exitCode: 6,
        stderr: expect.stringContaining(`${INDEX}: changed after it was applied`),
      });
    }
    rmSync(join(root, 'migrations', INDEX));
    await generate();
    expect(await status()).toMatchObject({
      exitCode: 1,
      stdout: expect.stringContaining('missing'),
    });
  });

  it('can be corrected after a failure in one schema, but not after they are applied everywhere', async () => {
    await sql`INSERT INTO blue."Actor" (actno, "Navn", _customer_id)
      SELECT n, 'twice', gen_random_uuid() FROM generate_series(1, 2) AS n`;
    const other = 'CREATE VIEW "{{SCHEMA}}".other AS SELECT 1 AS a;\n';
    await put({
      [INDEX]: `CREATE UNIQUE INDEX "Actor_Navn" ON "{{SCHEMA}}"."Actor" ("Navn");\n${other}`,
      'after/0020-more.sql': 'CREATE TABLE "{{SCHEMA}}".more ();\n',
      [VIEW]: 'CREATE OR REPLACE VIEW "{{SCHEMA}}".actors AS SELECT 1 AS a;\n',
      'repeatable/0020-all.sql': 'CREATE OR REPLACE VIEW public.everything AS SELECT 1 AS a;\n',
    });
    const failed = await apply();
    expect(failed).toMatchObject({
      exitCode: 3,
      stdout: expect.stringContaining(
        `blue skipped: after/0020-more.sql and 1 more file, because of ${INDEX}\n` +
          '(database) skipped: repeatable/0020-all.sql, because of blue\n',
      ),
    });
    expect(applied(failed)).toBe(3);
    await put({ [INDEX]: `CREATE INDEX "Actor_Navn" ON "{{SCHEMA}}"."Actor" ("Navn");\n${other}` });
    expect(applied(await apply())).toBe(4);
    expect(await indexes()).toEqual(['avansas', 'blue']);
    await expectSettled();
    await put({ [INDEX]: `SELECT '{{SCHEMA}}';\n` });
    expect((await apply()).exitCode).toBe(6);
  });

  it('are skipped if they need a refused table, and applied if they do not', async () => {
    await put({
      [VIEW]: '-- after: Actor\nCREATE OR REPLACE VIEW "{{SCHEMA}}".actors AS SELECT 1 AS a;\n',
      'after/0010-fraver.sql': `-- after: Fraver\nSELECT '{{SCHEMA}}';\n`,
      'after/0020-all.sql': `SELECT '{{SCHEMA}}';\n`,
      'repeatable/0020-last.sql': `-- after: 0010-actors\nSELECT '{{SCHEMA}}';\n`,
    });
    await sql`ALTER TABLE blue."Actor" ALTER "Navn" TYPE integer USING 1`;
    const refused = await apply('--again');
    expect(refused.exitCode).toBe(5);
    expect(refused.stdout).toContain(
      'blue skipped: after/0020-all.sql and 1 more file, because of tables/Actor.sql\n' +
        `blue skipped: repeatable/0020-last.sql, because of ${VIEW}\n`,
    );
    expect(
      await names(`SELECT table_name FROM cdc_management.migration_history
        WHERE schema_name = 'blue' AND category IN ('after', 'repeatable') ORDER BY 1`),
    ).toEqual(['0010-fraver']);
    await sql`ALTER TABLE blue."Actor" ALTER "Navn" TYPE character varying(100) USING NULL`;
    expect((await apply()).exitCode).toBe(0);
    await expectSettled();
  });

  it('create objects that follow a renamed customer or table, and are dropped with a customer', async () => {
    const counts = (table: string) => ({
      'repeatable/0020-count.sql': `CREATE OR REPLACE VIEW "{{SCHEMA}}".named AS SELECT "Navn" FROM "{{SCHEMA}}"."${table}";
CREATE OR REPLACE FUNCTION "{{SCHEMA}}".actors() RETURNS bigint LANGUAGE sql
AS 'SELECT count(*) FROM "{{SCHEMA}}"."${table}"';
`,
    });
    await put({
      [INDEX]: 'CREATE INDEX "Actor_Navn" ON "{{SCHEMA}}"."Actor" ("Navn");\n',
      ...counts('Actor'),
    });
    expect((await apply()).exitCode).toBe(0);
    edit(root, 'source-groups.yaml', '    blue:', '    azure:');
    await generate();
    const rename = (...args: readonly string[]) => run('rename', '--env', 'nonprod', ...args);
    expect(await rename('--customer', 'blue', '--to', 'azure')).toMatchObject({ exitCode: 0 });
    expect((await apply()).exitCode).toBe(0);
    await expectSettled();
    expect(await names('SELECT azure.actors()')).toEqual(['0']);

    edit(root, 'services/adopus.yaml', 'adopus.Actor:', 'adopus.Person:');
    await put(counts('Person'));
    expect(await rename('--table', 'Actor', '--to', 'Person')).toMatchObject({ exitCode: 0 });
    expect((await apply()).exitCode).toBe(0);
    await expectSettled();
    expect(await names('SELECT azure.actors()')).toEqual(['0']);

    edit(
      root,
      'source-groups.yaml',
      '    azure:\n      schemas: [dbo]\n      nonprod: { customer_id: 00000000-0000-4000-8000-000000000002, server: default, database: AdOpusBlue }\n',
      '',
    );
    await generate();
    const retire = ['retire', '--env', 'nonprod', '--customer', 'azure'];
    expect(await run(...retire)).toMatchObject({ exitCode: 0 });
    const { stdout: drop } = await run(...retire, '--drop');
    await sql.unsafe(drop).simple();
    expect(
      await names(`SELECT nspname FROM pg_namespace WHERE nspname IN ('azure', 'blue')`),
    ).toEqual([]);
    expect((await apply()).exitCode).toBe(0);
    await expectSettled();
  });

  it('are named by check as the origin of extra objects, with the repair', async () => {
    await put({ [VIEW]: 'CREATE OR REPLACE VIEW "{{SCHEMA}}".actors AS SELECT 1 AS a;\n' });
    expect((await apply()).exitCode).toBe(0);
    rmSync(join(root, 'migrations', VIEW));
    edit(root, 'services/adopus.yaml', '      dbo.Region: {}\n', '');
    edit(
      root,
      'services/adopus.yaml',
      '        adopus.Region:\n          from: dbo.Region\n          target_exists: false\n',
      '',
    );
    await generate();
    await sql`DROP ROLE IF EXISTS reporting`;
    await sql`CREATE ROLE reporting`;
    await sql`CREATE TABLE blue.mine ()`;
    await sql`ALTER TABLE blue.mine OWNER TO reporting`;
    const { exitCode, stdout } = await run('check', '--env', 'nonprod', '--schema', 'blue');
    expect([exitCode, stdout.split('\n').filter((line) => line.startsWith('extra'))]).toEqual([
      1,
      [
        'extra  blue.Region: not in the definitions any more: cdc manage-migrations retire --table Region, or, if it has another name now, cdc manage-migrations rename --table Region --to <name>',
        'extra  blue.Region: table (an earlier table of the repo); repair: cdc manage-migrations retire --env nonprod --table Region',
        `extra  blue.actors: view (${VIEW}, which is not in the repo); repair: DROP VIEW blue.actors`,
        'extra  blue.mine: table (owner reporting); repair: this deletes its rows: DROP TABLE blue.mine',
        'extra  blue.stg_Region: table (an earlier table of the repo); repair: cdc manage-migrations retire --env nonprod --table Region',
      ],
    ]);
    await sql`DROP VIEW blue.actors`;
    await sql`DROP TABLE blue.mine`;
    await sql`DROP VIEW avansas.actors`;
    expect(await run('retire', '--env', 'nonprod', '--table', 'Region')).toMatchObject({
      exitCode: 0,
    });
    await expectSettled();
    await sql`DROP ROLE reporting`;
  });

  it('can be corrected and applied after apply was killed in one of them', async () => {
    await put({
      [INDEX]: 'CREATE TABLE "{{SCHEMA}}".first (); SELECT pg_sleep(60);\n',
      [VIEW]: 'CREATE OR REPLACE VIEW "{{SCHEMA}}".actors AS SELECT 1 AS a;\n',
    });
    const child = startCommand(root, ['apply', '--env', 'nonprod', '--jobs', '1']);
    const end = finish(child);
    const sleepers = () =>
      names(
        `SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()`,
      );
    while ((await sleepers()).length === 0) await sleep(20);
    child.kill('SIGKILL');
    await end;
    for (const pid of await sleepers())
      await sql`SELECT pg_terminate_backend(${pid}::integer, 10000)`;
    await put({ [INDEX]: 'CREATE TABLE "{{SCHEMA}}".first ();\n' });
    expect(applied(await apply())).toBe(4);
    await expectSettled();
  });
});

it('reports an unknown or missing table name after "-- after:"', async () => {
  const root = smallRepo();
  write(root, 'migrations/repeatable/0010-a.sql', '-- Views.\n-- after: Actr\nSELECT 1;\n');
  expect(await runCommand(root, ['generate'])).toMatchObject({
    exitCode: 2,
    stderr:
      'migrations/repeatable/0010-a.sql:2: -- after: expected a table of the set or a file before this one, found "Actr"; did you mean "Actor"?\n',
  });
  write(root, 'migrations/repeatable/0010-a.sql', '-- after:\nSELECT 1;\n');
  expect((await runCommand(root, ['generate'])).stderr).toContain(
    '0010-a.sql:1: expected names of tables after "-- after:", found none; without the line the file needs all of them',
  );
});
