import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  readAdopusCatalog,
  startMssqlFixture,
  type MssqlDatabase,
  type MssqlFixture,
} from '@cdc-migrations/mssql-fixture';
import { type PostgresServer, startPostgres } from '@cdc-migrations/postgres-fixture';
import type { Sql } from 'postgres';
import { sinkEnv, startCommand } from '../target/cli.fixture.ts';
import { copyRepo, mssqlEnv, type SourceRepo } from './source-repo.fixture.ts';

const PAGE = readFileSync(join(__dirname, '../../../../docs/sources.md'), 'utf8');
const ACTOR = ['--env', 'nonprod', '--customer', 'avansas', '--table', 'Actor'] as const;
const RISKS = ['--accept', 'large-object,collation'] as const;

let server: MssqlFixture;
let database: MssqlDatabase;
let repo: SourceRepo;
let env: Readonly<Record<string, string>>;
beforeEach(async () => {
  server = await startMssqlFixture({ databases: { AdOpusTest: readAdopusCatalog() } });
  database = server.database('AdOpusTest');
  repo = copyRepo('adopus');
  const password = '      password: ${MSSQL_NONPROD_PASSWORD}\n';
  repo.edit('source-groups.yaml', password, `${password}      encrypt: false\n`);
  env = mssqlEnv(server);
  repo.setEnv(env);
});
afterEach(async () => {
  expect(server.internalErrors()).toEqual([]);
  repo.remove();
  await server.close();
});

const rotate = (...args: readonly string[]) =>
  repo.cdc('enable-cdc', ...ACTOR, ...RISKS, '--rotate', ...args);
const instances = () =>
  database.find('cdc.change_tables').map((row) => String(row['capture_instance']));
const startOf = (instance: string) => {
  const [row] = database.find('cdc.change_tables', { capture_instance: instance });
  return `0x${Buffer.from(row!['start_lsn'] as Uint8Array).toString('hex')}`;
};
/** Adds a column to the source, to the snapshot and to the definition. */
async function addColumn(name: string): Promise<void> {
  database.addColumn('dbo.Actor', { name, type: 'nvarchar(10)' });
  expect((await repo.cdc('schema-docs')).exitCode).toBe(0);
  expect((await repo.cdc('generate')).exitCode).toBe(0);
}
async function enableAndAddColumn(): Promise<void> {
  expect((await repo.cdc('enable-cdc', ...ACTOR, ...RISKS)).exitCode).toBe(0);
  await addColumn('Nytt');
}
const captured = (instance: string) => {
  const [row] = database.find('cdc.change_tables', { capture_instance: instance });
  return database
    .find('cdc.captured_columns', { object_id: row!['object_id']! })
    .map((column) => column['column_name']);
};

it('refuses to rotate without change data capture, and reports it in a dry run', async () => {
  const dry = await repo.cdc('enable-cdc', ...ACTOR, ...RISKS, '--dry-run');
  expect(dry.stdout).toContain('AdOpusTest (database would be enabled): ');
  expect(await rotate()).toMatchObject({
    exitCode: 2,
    complaints: [
      expect.stringContaining(
        'change data capture is off in this database; enable it with enable-cdc',
      ),
    ],
  });
  database.update('sys.dm_server_services', { process_id: 1202 }, { status_desc: 'Stopped' });
  const stopped = await repo.cdc('enable-cdc', ...ACTOR, ...RISKS, '--dry-run');
  expect(stopped.exitCode).toBe(3);
  expect(stopped.stderr).toMatch(
    /^risk agent-stopped: AdOpusTest: SQL Server Agent is not running/m,
  );
  expect(stopped.stdout).toContain('(database blocked)');
});

it('creates a second instance, waits for the connector and drops the first, even after a kill', async () => {
  await enableAndAddColumn();
  const dry = await rotate('--dry-run');
  expect(dry.stdout).toBe(
    'AdOpusTest dbo.Actor: would be rotated; create the capture instance dbo_Actor_v2\n' +
      'AdOpusTest: 1 table, 1 would be rotated\n',
  );
  expect(instances()).toEqual(['dbo_Actor']);

  // Kills it while it waits. Its progress is stored only in the catalog of the source.
  const child = startCommand(
    repo.root,
    ['enable-cdc', ...ACTOR, ...RISKS, '--rotate', '--wait', '1h'],
    env,
  );
  const ended = new Promise((resolve) => child.once('exit', resolve));
  let reported = '';
  child.stderr!.on('data', (data: Buffer) => (reported += data.toString()));
  while (!reported.includes('wait until') && child.exitCode === null) await sleep(20);
  expect(reported).toContain('rotating dbo.Actor: create the capture instance dbo_Actor_v2\n');
  child.kill('SIGKILL');
  await ended;
  expect(instances()).toEqual(['dbo_Actor', 'dbo_Actor_v2']);
  expect(captured('dbo_Actor_v2')).toContain('Nytt');

  const start = startOf('dbo_Actor_v2');
  const waiting = await rotate();
  expect(waiting.exitCode).toBe(1);
  expect(waiting.stdout).toContain('give commit_lsn of the stored offset of the connector');
  const behind = await rotate('--passed-lsn', startOf('dbo_Actor'));
  expect(behind.exitCode).toBe(1);
  expect(behind.stdout).toContain(`have passed ${start.replace(/[a-f]/g, (x) => x.toUpperCase())}`);
  const beyond = await rotate('--passed-lsn', `0x${'f'.repeat(20)}`);
  expect(beyond.exitCode).toBe(3);
  expect(beyond.stdout).toContain('is later than all that was captured');
  expect(instances()).toHaveLength(2);

  // The drop fails, and the next run continues.
  server.addFault({
    fault: { kind: 'error', number: 1205, message: 'Deadlock.' },
    sql: /sp_cdc_disable_table/,
    times: 1,
  });
  const cut = await rotate('--passed-lsn', start);
  expect(cut.exitCode).toBe(3);
  const script = await rotate('--passed-lsn', start, '--emit-sql');
  expect(script.stdout).toContain("EXEC sys.sp_cdc_disable_table\n    @source_schema = N'dbo'");
  const done = await rotate('--passed-lsn', start, '--json');
  expect(done.exitCode).toBe(0);
  expect(JSON.parse(done.stdout)).toMatchObject({
    databases: [
      {
        tables: [
          { table: 'Actor', state: 'rotated', done: ['drop the capture instance dbo_Actor'] },
        ],
      },
    ],
  });
  expect(instances()).toEqual(['dbo_Actor_v2']);
  expect((await rotate()).stdout).toBe('AdOpusTest: 1 table, 1 kept\n');

  // The name of the first instance is free again.
  await addColumn('Nyere');
  await rotate();
  expect(instances().sort()).toEqual(['dbo_Actor', 'dbo_Actor_v2']);
  await addColumn('Nyest');
  expect((await rotate('--passed-lsn', startOf('dbo_Actor_v2'))).exitCode).toBe(1);
  expect(instances()).toHaveLength(2);
  const both = await rotate('--passed-lsn', startOf('dbo_Actor'));
  expect(both.exitCode).toBe(1);
  expect(both.stdout).toContain(
    'done: drop the capture instance dbo_Actor_v2; done: create the capture instance dbo_Actor_v2;',
  );
  expect(captured('dbo_Actor_v2')).toContain('Nyest');
});

it('does not drop an older instance with all columns if the newer one does not have them', async () => {
  await enableAndAddColumn();
  await rotate();
  const start = startOf('dbo_Actor_v2');
  const [newer] = database.find('cdc.change_tables', { capture_instance: 'dbo_Actor_v2' });
  const [older] = database.find('cdc.change_tables', { capture_instance: 'dbo_Actor' });
  database.update(
    'cdc.change_tables',
    { capture_instance: 'dbo_Actor' },
    { start_lsn: newer!['start_lsn']! },
  );
  database.update(
    'cdc.change_tables',
    { capture_instance: 'dbo_Actor_v2' },
    { start_lsn: older!['start_lsn']! },
  );
  const run = await rotate('--passed-lsn', start);
  expect(run.exitCode).toBe(3);
  expect(run.stdout).toContain(
    'blocked; dbo_Actor is newer than dbo_Actor_v2 and does not capture all columns',
  );
  expect(instances()).toHaveLength(2);
});

describe('rotation with pipelines that read by LSN', () => {
  let target: PostgresServer;
  let sql: Sql;
  beforeAll(async () => {
    target = await startPostgres({ major: 15 });
    sql = target.connect({
      database: await target.createDatabase({ name: 'directory_dev' }),
      max: 1,
      onnotice: () => {},
    });
  });
  afterAll(() => target.stop());

  it('waits for the cursors of all targets, and accepts the commands of the page', async () => {
    repo.edit(
      'services/adopus.yaml',
      /^ {8}adopus\.Actor:\n( +)from: dbo\.Actor$/,
      '        adopus.Actor:\n          from: dbo.Actor\n          pipeline: { events: recommended, positions: lsn }',
    );
    repo.edit(
      'sink-groups.yaml',
      /^( +)password: .*$/,
      '      password: ${POSTGRES_NONPROD_PASSWORD}\n      sslmode: disable',
    );
    repo.setEnv(sinkEnv(target) as Record<string, string>);
    await enableAndAddColumn();
    for (const file of ['schemas/create-schemas', 'infrastructure/cdc-management']) {
      await sql.unsafe(repo.read(`migrations/${file}.sql`)).simple();
    }
    const unread = await rotate();
    expect(unread).toMatchObject({ exitCode: 1 });
    expect(unread.stdout).toContain(
      'change_cursor of sink_asma.directory has no row of avansas.Actor from AdOpusTest',
    );
    const cursor = async (lsn: string) => {
      await sql.unsafe(`INSERT INTO cdc_management.change_cursor AS c VALUES ('avansas', 'Actor', 'AdOpusTest', 'Actor',
        '\\x${lsn.slice(2)}', now()) ON CONFLICT (schema_name, table_name, source_db, source_table)
        DO UPDATE SET read_to = excluded.read_to`);
    };
    await cursor(startOf('dbo_Actor'));
    const given = ['--passed-lsn', startOf('dbo_Actor_v2')];
    // The connector of the existing table customer_user counts too.
    expect((await rotate()).stdout).toContain('give commit_lsn of the stored offset');
    const behind = await rotate(...given);
    expect(behind.exitCode).toBe(1);
    expect(behind.stdout).toMatch(
      /wait until the consumers have passed 0x\w+, where dbo_Actor_v2 begins: they are at 0x/,
    );

    const [, line] =
      /^ *npx --no-install cdc manage-migrations (enable-cdc .*--rotate.*--wait.*)$/m.exec(PAGE)!;
    const run = repo.cdc(...line!.split(' '), ...given, ...RISKS);
    await sleep(500);
    expect(instances()).toHaveLength(2);
    await cursor(startOf('dbo_Actor_v2'));
    expect(await run).toMatchObject({ exitCode: 0 });
    expect(instances()).toEqual(['dbo_Actor_v2']);
    const others = [
      ...PAGE.matchAll(/^ *npx --no-install cdc manage-migrations (.* --env nonprod.*)$/gm),
    ]
      .map(([, text]) => text!.split(' '))
      .filter(([command, ...args]) => command !== 'apply' && !args.includes('--wait'));
    expect(others).toHaveLength(4);
    for (const command of others) {
      expect(await repo.cdc(...command)).not.toMatchObject({ exitCode: 2 });
    }
  });
});

it.each([
  [
    ['--passed-lsn', '0x1', '--rotate'],
    '--passed-lsn 0x1: expected an LSN: 0x and 20 hexadecimal digits',
  ],
  [['--wait', '10m'], '--passed-lsn and --wait need --rotate'],
  [['--rotate', '--second-instance'], '--rotate and --second-instance cannot be used together'],
])('refuses %j', async (args, message) => {
  const run = await repo.cdc('enable-cdc', ...ACTOR, ...args);
  expect(run.exitCode).toBe(2);
  expect(run.complaints).toEqual([expect.stringContaining(message)]);
});
