import {
  describeDebian,
  type Pgbouncer,
  type PostgresServer,
  startDebianPostgres,
  startPgbouncer,
} from '@cdc-migrations/postgres-fixture';
import { cdc } from '../cdc.fixture.ts';
import { edit, smallRepo } from '../repo.fixture.ts';
import { type AsmaSource, createAsmaSource } from '../source/asma-source.fixture.ts';
import { copyAdopus, runCommand } from '../target/cli.fixture.ts';
import type { Finding } from './finding.ts';

const SINKS = ['WAREHOUSE', 'PORTAL'];
const TARGETS = ['target sink_portal.search in dev', 'target sink_warehouse.analytics in dev'];

describeDebian('doctor', () => {
  let server: PostgresServer;
  let pool: Pgbouncer;
  let source: AsmaSource;

  beforeAll(async () => {
    server = await startDebianPostgres();
    source = await createAsmaSource(server);
    for (const database of ['analytics_dev', 'search_dev']) {
      await server.createDatabase({ name: database });
    }
    pool = await startPgbouncer(server);
    const { repo } = source;
    repo.edit(
      'sink-groups.yaml',
      /^( +)password: .*$/,
      "      password: '${PG_PASSWORD}'\n      sslmode: disable",
    );
    await run();
  }, 120_000);

  afterAll(async () => {
    await pool?.stop();
    await server?.stop();
    source?.repo.remove();
  });

  /** Runs a command with the sinks at an address and other variables. */
  const run = async (
    args: readonly string[] = ['generate'],
    address: { readonly host: string; readonly port: number } = server,
    env: Readonly<Record<string, string | undefined>> = {},
  ) => {
    const sinks = SINKS.flatMap((sink) => [
      [`${sink}_DEFAULT_HOST`, address.host],
      [`${sink}_DEFAULT_PORT`, String(address.port)],
      [`${sink}_DEFAULT_USER`, 'postgres'],
    ]);
    source.repo.setEnv({
      CDC_DB_USER: undefined,
      ...source.env(server),
      ...Object.fromEntries(sinks),
      ...env,
    });
    return source.repo.cdc(...args);
  };
  const examine = async (
    ...rest: [address?: { host: string; port: number }, env?: Record<string, string | undefined>]
  ) => {
    const { exitCode, stdout } = await run(['doctor', '--env', 'dev', '--json'], ...rest);
    const document = JSON.parse(stdout) as { exitCode: number; findings: Finding[] };
    expect(document.exitCode).toBe(exitCode);
    return { exitCode, stdout, findings: document.findings };
  };
  const change = async (text: string, database = 'postgres') => {
    const sql = server.connect({ database, max: 1, onnotice: () => {} });
    await sql.unsafe(text).simple();
    await sql.end();
  };
  const among = (findings: readonly Finding[], level: Finding['level']) =>
    findings
      .filter((finding) => finding.level === level)
      .map(({ about, says }) => `${about}: ${says}`);

  it('reports the configuration, the sources and the targets, before and after apply', async () => {
    const before = await examine();
    expect(before.exitCode).toBe(0);
    expect(among(before.findings, 'note')).toEqual(
      expect.arrayContaining(TARGETS.map((target) => `${target}: nothing is applied yet`)),
    );
    expect((await run(['apply', '--env', 'dev'])).exitCode).toBe(0);
    const after = await examine();
    expect(after.exitCode).toBe(0);
    expect(among(after.findings, 'ok')).toEqual(
      expect.arrayContaining([
        'configuration: 3 services, 1 source group, 2 sink groups',
        'source asma directory: is reachable and has 7 tables of the services',
        ...TARGETS.map((target) => `${target}: all files are applied`),
        ...TARGETS.map((target) => `${target}: no failing merges, locked tables or dead letters`),
      ]),
    );
    const { stdout } = await run(['doctor', '--env', 'dev', '--sink', 'sink_portal.search']);
    expect(stdout).toMatch(/^ok +configuration /);
    expect(stdout).toMatch(/\n0 errors, 0 warnings, \d notes?\n$/);
  });

  it('detects a pooler in transaction mode, and reports that it is supported', async () => {
    const { exitCode, findings } = await examine(pool);
    expect(exitCode).toBe(0);
    for (const target of TARGETS) {
      expect(among(findings, 'ok')).toContain(
        `${target}: a pooler in transaction mode, which is supported`,
      );
    }
    expect(JSON.stringify((await examine()).findings)).not.toContain('pooler');
  });

  it('names missing variables, and never prints a password', async () => {
    const secret = 'Hemmelig-4711';
    const { exitCode, findings, stdout } = await examine(server, {
      PORTAL_DEFAULT_HOST: undefined,
      PG_PASSWORD: secret,
    });
    expect(exitCode).toBe(2);
    expect(among(findings, 'error')).toContain(`${TARGETS[0]}: PORTAL_DEFAULT_HOST not set`);
    expect(among(findings, 'error').filter((line) => line.includes('password'))).not.toEqual([]);
    expect(stdout).not.toContain(secret);
  });

  it('reports unreachable targets with the host as the YAML defines it', async () => {
    const { exitCode, findings } = await examine({ host: '127.0.0.1', port: 9 });
    expect(exitCode).toBe(2);
    expect(among(findings, 'error')).toEqual(
      TARGETS.map((target) => expect.stringContaining(`${target}: cannot be reached at host \${`)),
    );
  });

  it('reports a missing role', async () => {
    const env = { CDC_DB_USER: 'nobody' };
    expect((await run(['generate'], server, env)).exitCode).toBe(0);
    const { exitCode, findings } = await examine(server, env);
    expect((await run(['generate'], server, { CDC_DB_USER: 'postgres' })).exitCode).toBe(0);
    expect(exitCode).toBe(2);
    expect(among(findings, 'error')).toContain(
      `${TARGETS[0]}: the role "nobody", which files grant privileges to, does not exist`,
    );
  });

  it('reports a user without the privilege to create schemas, and other denied permissions', async () => {
    await server.createRole('reader', { password: server.password });
    const { exitCode, findings } = await examine(server, { PORTAL_DEFAULT_USER: 'reader' });
    expect(exitCode).toBe(2);
    expect(among(findings, 'warning')).toContain(`${TARGETS[0]}: reader may not create schemas`);
    expect(among(findings, 'error').join('\n')).toMatch(/permission denied/);
  });

  it('reports a missing schema and a history entry without a file, even if no file is pending', async () => {
    const apply = async () => expect((await run(['apply', '--env', 'dev'])).exitCode).toBe(0);
    await apply();
    await change('ALTER SCHEMA directory RENAME TO away', 'search_dev');
    const gone = await examine();
    await change('ALTER SCHEMA away RENAME TO directory', 'search_dev');
    expect(gone.exitCode).toBe(2);
    const [portal] = TARGETS as [string];
    expect(among(gone.findings, 'error')).toEqual([
      `${portal}: directory: the schema is missing, and files were applied to it before`,
    ]);
    expect(among(gone.findings, 'ok')).not.toContain(`${portal}: all files are applied`);
    await change(
      `UPDATE cdc_management.migration_history SET table_name = 'Former' WHERE category = 'tables'
       AND table_name = (SELECT min(table_name) FROM cdc_management.migration_history WHERE category = 'tables')`,
      'search_dev',
    );
    await apply();
    const former = await examine();
    await change(
      `DELETE FROM cdc_management.migration_history WHERE table_name = 'Former'`,
      'search_dev',
    );
    expect(former.exitCode).toBe(0);
    expect(among(former.findings, 'note')).toContain(`${portal}: not all files are applied`);
    expect(among((await examine()).findings, 'ok')).toContain(`${portal}: all files are applied`);
  });

  it('warns about a server without autovacuum', async () => {
    await change('ALTER SYSTEM SET autovacuum = off');
    await change('SELECT pg_reload_conf()');
    const { exitCode, findings } = await examine();
    await change('ALTER SYSTEM RESET autovacuum');
    await change('SELECT pg_reload_conf()');
    expect([exitCode, among(findings, 'error')]).toEqual([1, []]);
    expect(among(findings, 'warning')).toEqual(
      TARGETS.map((target) => expect.stringContaining(`${target}: autovacuum = off`)),
    );
  });

  it('reports tables that the source does not have, and a database that is not UTF-8', async () => {
    await change('ALTER TABLE public.users RENAME TO gone', 'directory_dev');
    await change("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'");
    source.repo.edit('sink-groups.yaml', 'database: search_dev', 'database: latin');
    const { exitCode, findings } = await examine();
    source.repo.edit('sink-groups.yaml', 'database: latin', 'database: search_dev');
    await change('ALTER TABLE public.gone RENAME TO users', 'directory_dev');
    expect(exitCode).toBe(2);
    expect(among(findings, 'error').join('\n')).toMatch(/source asma directory: .*users/);
    expect(among(findings, 'error')).toContain(
      `${TARGETS[0]}: encoding LATIN1, which is missing characters of sources`,
    );
  });
});

describe('doctor in a repo', () => {
  const doctor = (root: string) => {
    const args = ['manage-migrations', 'doctor', '--env', 'nonprod', '--timeout', '1', '--json'];
    const { code, stdout } = cdc(args, { cwd: root });
    return { code, findings: (JSON.parse(stdout) as { findings: Finding[] }).findings };
  };

  it('reports only the problems of an invalid configuration, with their lines', () => {
    const root = smallRepo();
    edit(root, 'services/adopus.yaml', 'ignore_columns', 'ignored');
    const { code, findings } = doctor(root);
    expect(code).toBe(2);
    expect(findings).toEqual([
      expect.objectContaining({
        level: 'error',
        about: 'configuration',
        says: expect.stringMatching(/^services\/adopus\.yaml:7 .*unknown key "ignored"/),
      }),
    ]);
  });

  it('warns if files must be generated, and reports an edited file', () => {
    const root = smallRepo();
    const generatedFiles = () =>
      doctor(root).findings.filter(({ about }) => about === 'generated files');
    expect(generatedFiles()).toContainEqual(
      expect.objectContaining({ level: 'warning', solution: 'cdc manage-migrations generate' }),
    );
    expect(cdc(['generate'], { cwd: root }).code).toBe(0);
    expect(generatedFiles()).toContainEqual(expect.objectContaining({ level: 'ok' }));
    edit(root, 'migrations/tables/Actor.sql', 'CREATE', 'create');
    expect(generatedFiles()).toContainEqual(
      expect.objectContaining({ level: 'error', says: 'migrations/tables/Actor.sql was edited' }),
    );
  });

  it('reports no error for the settings of the embedded PostgreSQL', async () => {
    const { root, remove } = copyAdopus();
    const { exitCode, stdout } = await runCommand(root, ['doctor', '--env', 'embedded']);
    remove();
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining('nothing is applied yet')]);
  });
});
