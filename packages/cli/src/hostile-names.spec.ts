import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readAdopusCatalog, startMssqlFixture } from '@cdc-migrations/mssql-fixture';
import { startPostgres, type PostgresServer } from '@cdc-migrations/postgres-fixture';
import { cdc, generate } from './cdc.fixture.ts';
import { HOSTILE, obeyedIn } from './printed.fixture.ts';
import { changesSince, edit, smallRepo, treeOf, write } from './repo.fixture.ts';
import { copyRepo, mssqlEnv } from './source/source-repo.fixture.ts';
import { copyAdopus, runCommand, sinkEnv } from './target/cli.fixture.ts';

interface Printed {
  readonly stdout: string;
  readonly stderr: string;
}

/** Expects the name in the output without active control characters. */
function expectShown({ stdout, stderr }: Printed, name: RegExp): void {
  expect(obeyedIn(stdout + stderr)).toEqual([]);
  expect(stdout + stderr).toMatch(name);
}

/** `HOSTILE` in its printed form. */
const SHOWN =
  /x\\u001b\[2K\\u0007\\u000d\\u000a::error::oops\\u202e\\u0023#\[error\]\\u200b\\u0085y/;
/** `HOSTILE` in JSON. */
const IN_JSON = /x\\u001b\[2K\\u0007\\r\\n::error::oops\\u202e\\u0023#\[error\]\\u200b\\u0085y/;

const SNAPSHOT = 'generated/schemas/AdOpusTest.dbo.yaml';
const SERVICE = 'services/adopus.yaml';

/** Makes a process treat its pipe as a terminal. */
const IS_TERMINAL = '--import=data:text/javascript,process.stdout.isTTY=true';

describe('a repo', () => {
  let root: string;
  beforeEach(() => {
    root = smallRepo();
  });

  /** Renames the table Fraver, which is also a final table, and one of its columns. */
  function rename(table: string, column: string): void {
    edit(root, SNAPSHOT, '  Fraver:', `  ${JSON.stringify(table)}:`);
    edit(
      root,
      SNAPSHOT,
      'name: FraDato, type: date',
      `name: ${JSON.stringify(column)}, type: nvarchar, length: 50`,
    );
    edit(root, SERVICE, 'dbo.Fraver: {}', `${JSON.stringify(`dbo.${table}`)}: {}`);
    edit(root, SERVICE, 'adopus.Fraver:', `${JSON.stringify(`adopus.${table}`)}:`);
    edit(
      root,
      SERVICE,
      'from: dbo.Fraver\n          target_exists: false',
      `from: ${JSON.stringify(`dbo.${table}`)}\n          target_exists: false`,
    );
    edit(root, SERVICE, 'from: dbo.Fraver', `from: ${JSON.stringify(`dbo.${table}`)}`);
  }

  it.each(['types', 'diff', 'generate', 'types --json', 'diff --json', 'generate --json'])(
    'with names that a CI log would interpret is printed with escapes: %s',
    (command) => {
      rename('::error::T\u200b', '##[error]::c\u200d');
      const run = cdc(['manage-migrations', ...command.split(' ')], { cwd: root });
      expect(run.code).toBeLessThan(2);
      expectShown(run, /T\\u200b|T%E2%80%8B|##\[error\]::c|%3A%3Aerror/);
    },
  );

  it('with names that a CI log would interpret is printed with escapes in a terminal', () => {
    rename('::error::T\u200b', '##[error]::c\u200d');
    const env = { NO_COLOR: '1', NODE_OPTIONS: IS_TERMINAL };
    const run = cdc(['manage-migrations', 'diff'], { cwd: root, env });
    expect(run.code).toBe(1);
    expectShown(run, /adopus\.::error::T\\u200b/);
  });

  it('has its SQL printed unchanged, and with escapes only in a terminal', () => {
    rename('::error::T\u200b', '##[error]::c\u200d');
    const sql = (env: Readonly<Record<string, string>>) =>
      cdc(['manage-migrations', 'diff', '--sql'], { cwd: root, env });
    expect(sql({}).stdout).toContain('."::error::T\u200b" (\n  "FraverId" integer NOT NULL');
    expectShown(
      sql({ NODE_OPTIONS: IS_TERMINAL }),
      /\."::error::T\\u200b" \(\n {2}"FraverId" integer NOT NULL/,
    );
  });

  it('with control characters in a column name is refused, and the name is printed with escapes', () => {
    const before = treeOf(root);
    edit(root, SNAPSHOT, 'name: FraDato', `name: ${JSON.stringify(HOSTILE)}`);
    const run = generate(root);
    expect(run.code).toBe(2);
    expectShown(run, SHOWN);
    expect(changesSince(before, root)).toEqual([`~ ${SNAPSHOT}`]);
  });

  it('with a hostile name of a hand-written file is refused', () => {
    write(root, `migrations/manual/0001-${HOSTILE}.sql`, 'SELECT 1;\n');
    const run = generate(root);
    expect(run.code).toBe(2);
    expectShown(run, SHOWN);
  });

  it('with a hostile name of a service file is refused', () => {
    write(root, `services/${HOSTILE}.yaml`, 'x: 1\n');
    const run = generate(root);
    expect(run.code).toBe(2);
    expectShown(run, SHOWN);
  });

  it('with a hostile name of an extra file gets a warning with the escaped name', () => {
    write(root, `migrations/${HOSTILE}.sql`, 'SELECT 1;\n');
    const run = generate(root);
    expect(run.code).toBe(0);
    expectShown(run, SHOWN);
    expectShown(generate(root, ['--json']), IN_JSON);
  });
});

describe('a source', () => {
  it('with hostile names and error messages is printed with escapes', async () => {
    const server = await startMssqlFixture({ databases: { AdOpusTest: readAdopusCatalog() } });
    const repo = copyRepo('adopus');
    try {
      repo.setEnv(mssqlEnv(server));
      const password = '      password: ${MSSQL_NONPROD_PASSWORD}\n';
      repo.edit('source-groups.yaml', password, `${password}      encrypt: false\n`);
      server.database('AdOpusTest').addColumn('dbo.Actor', { name: HOSTILE, type: 'int' });
      for (const args of [['diff'], ['diff', '--json'], ['schema-docs', '--compare', '--all']]) {
        const run = await repo.cdc(...args, '--env', 'nonprod');
        expectShown(run, args.includes('--json') ? /u001b/ : SHOWN);
      }
      server.addFault({ fault: { kind: 'error', number: 50000, message: `no ${HOSTILE}` } });
      const failed = await repo.cdc('schema-docs', '--env', 'nonprod');
      expect(failed.exitCode).not.toBe(0);
      expectShown(failed, /no x/);
    } finally {
      repo.remove();
      await server.close();
    }
  });
});

describe('a target', () => {
  const BLUE = ['--env', 'prod', '--schema', 'blue'];
  let server: PostgresServer;
  let repo: ReturnType<typeof copyAdopus>;
  let env: NodeJS.ProcessEnv;
  beforeAll(async () => {
    server = await startPostgres({ major: 18 });
    await server.createDatabase({ name: 'directory' });
    repo = copyAdopus('directory');
    env = sinkEnv(server);
    expect((await runCommand(repo.root, ['apply', ...BLUE], env)).exitCode).toBe(0);
  });
  afterAll(async () => {
    await server?.stop();
    repo?.remove();
  });

  async function run(sql: string): Promise<void> {
    const client = server.connect({ database: 'directory', max: 1, onnotice: () => {} });
    await client.unsafe(sql);
    await client.end();
  }

  it('with hostile names is printed with escapes by check', async () => {
    await run(`ALTER TABLE blue."Actor" ADD COLUMN "${HOSTILE}" integer;
      CREATE TABLE blue."${HOSTILE}" (id integer)`);
    expectShown(await runCommand(repo.root, ['check', ...BLUE], env), SHOWN);
    expectShown(await runCommand(repo.root, ['check', ...BLUE, '--json'], env), IN_JSON);
  });

  it('with hostile error messages is printed without control characters by merge and status', async () => {
    const literal = `E'${HOSTILE.replaceAll('\n', '\\n').replaceAll('\r', '\\r')}'`;
    await run(`CREATE FUNCTION blue.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN RAISE EXCEPTION USING MESSAGE = ${literal}, DETAIL = ${literal}, HINT = ${literal}, ERRCODE = '55006'; END $$;
      CREATE TRIGGER refuse BEFORE INSERT ON blue."Distrikt" FOR EACH STATEMENT EXECUTE FUNCTION blue.refuse();
      INSERT INTO blue."stg_Distrikt" ("DistriktID", "Navn", "_customer_id", "__source_db",
        "__source_table", "__cdc_operation", "__kafka_partition", "__kafka_offset")
      VALUES (1, 'x', '0a827150-1332-5167-993b-68db156438cb', E'::error::\\x1b[2K\\n::error::db', '##[error]', 'c', 0, 1)`);
    for (const command of [['merge'], ['merge', '--json'], ['status'], ['status', '--json']]) {
      const { stdout, stderr } = await runCommand(repo.root, [...command, ...BLUE], env);
      expect(obeyedIn(stdout + stderr)).toEqual([]);
    }
  });

  it('with hostile error messages of a file is printed with escapes by apply and status', async () => {
    mkdirSync(join(repo.root, 'migrations/manual'), { recursive: true });
    // Bidirectional control characters are refused in a file, but can be escapes there.
    const escaped = HOSTILE.replaceAll('\n', '\\n').replaceAll('\r', '\\r');
    const literal = `E'${escaped.replaceAll('\u202e', '\\u202e')}'`;
    writeFileSync(
      join(repo.root, 'migrations/manual/0001-bad.sql'),
      `DO $$ BEGIN RAISE EXCEPTION USING MESSAGE = ${literal}, DETAIL = ${literal}, HINT = ${literal}; END $$;\n`,
    );
    expect((await runCommand(repo.root, ['generate'])).exitCode).toBe(0);
    const applied = await runCommand(repo.root, ['apply', ...BLUE], env);
    expect(applied.exitCode).toBe(3);
    expectShown(applied, SHOWN);
    expectShown(await runCommand(repo.root, ['status', ...BLUE], env), SHOWN);
    expectShown(await runCommand(repo.root, ['status', ...BLUE, '--json'], env), IN_JSON);
  });
});
