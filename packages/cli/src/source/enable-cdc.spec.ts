import {
  readAdopusCatalog,
  startMssqlFixture,
  type MssqlFixture,
} from '@cdc-migrations/mssql-fixture';
import { copyRepo, mssqlEnv, type SourceRepo } from './source-repo.fixture.ts';

const SNAPSHOT = 'generated/schemas/AdOpusTest.dbo.yaml';
const AVANSAS = ['--env', 'nonprod', '--customer', 'avansas'] as const;
const ENABLE = ['enable-cdc', ...AVANSAS, '--accept', 'large-object,collation'] as const;

let server: MssqlFixture;
let repo: SourceRepo;
beforeEach(async () => {
  server = await startMssqlFixture({ databases: { AdOpusTest: readAdopusCatalog() } });
  repo = copyRepo('adopus');
  const password = '      password: ${MSSQL_NONPROD_PASSWORD}\n';
  repo.edit('source-groups.yaml', password, `${password}      encrypt: false\n`);
  repo.setEnv(mssqlEnv(server));
});
afterEach(async () => {
  expect(server.internalErrors()).toEqual([]);
  repo.remove();
  await server.close();
});

const trackedTables = () =>
  server.database('AdOpusTest').find('sys.tables', { is_tracked_by_cdc: true }).length;

it('enables the 39 tables, which schema-docs records, and changes nothing in a second run', async () => {
  const dry = await repo.cdc(...ENABLE, '--dry-run');
  expect(dry.exitCode).toBe(0);
  expect(dry.stdout).toMatch(
    /AdOpusTest \(database would be enabled\): 39 tables, 39 would be enabled\n$/,
  );
  expect(trackedTables()).toBe(0);

  const first = await repo.cdc(...ENABLE);
  expect(first.exitCode).toBe(0);
  expect(first.stdout).toContain('AdOpusTest dbo.Actor: enabled, capture instance dbo_Actor, ');
  expect(first.stdout).toMatch(/AdOpusTest \(database enabled\): 39 tables, 39 enabled\n$/);
  expect(trackedTables()).toBe(39);

  expect(await repo.cdc('schema-docs')).toMatchObject({
    exitCode: 0,
    stdout: `changed ${SNAPSHOT}\n`,
  });
  expect(repo.read(SNAPSHOT).match(/^ {4}tracked: true$/gm)).toHaveLength(39);
  // The captured columns are not part of the definitions.
  expect((await repo.cdc('generate', '--check')).exitCode).toBe(0);

  server.clearRequests();
  const second = await repo.cdc(...ENABLE);
  expect(second).toMatchObject({ exitCode: 0, stdout: 'AdOpusTest: 39 tables, 39 kept\n' });
  expect(server.requests().filter(({ kind }) => kind === 'procedure')).toEqual([]);
  expect(server.roundTrips()).toBe(3);
});

it('captures only the columns of the definition and of the key', async () => {
  await repo.cdc(...ENABLE, '--table', 'Actor', 'dbo.DocReg');
  const database = server.database('AdOpusTest');
  const instances = database.find('cdc.change_tables');
  expect(instances.map((row) => row['capture_instance'])).toEqual(['dbo_Actor', 'dbo_DocReg']);
  expect(instances.map((row) => row['supports_net_changes'])).toEqual([0, 0]);
  const captured = (at: number) =>
    database
      .find('cdc.captured_columns', { object_id: instances[at]!['object_id']! })
      .map((row) => row['column_name']);
  expect(captured(0)).toContain('actno');
  expect(captured(0)).not.toContain('Døv');
  expect(captured(1)).not.toContain('Innhold');
});

it('prints a script for all tables with --emit-sql, and changes nothing', async () => {
  const { exitCode, stdout } = await repo.cdc(...ENABLE, '--emit-sql');
  expect(exitCode).toBe(0);
  expect(trackedTables()).toBe(0);
  expect(stdout).toMatch(/^-- Change data capture for AdOpusTest: 39 tables\.\n/);
  expect(stdout.match(/^GO$/gm)).toHaveLength(42);
  expect(stdout).toContain(`  EXEC sys.sp_cdc_enable_table
    @source_schema = N'dbo',
    @source_name = N'AdgangLinjer',
    @role_name = NULL,
    @capture_instance = N'dbo_AdgangLinjer',
    @supports_net_changes = 0,
    @captured_column_list = N'[`);
});

it('refuses several databases without --customer or --all', async () => {
  const { exitCode, complaints } = await repo.cdc('enable-cdc', '--env', 'prod');
  expect(exitCode).toBe(2);
  expect(complaints).toEqual([
    expect.stringMatching(
      /^the environment "prod" has \d+ databases; choose databases with --customer <a,b>, or use --all \(arbeidogvekst, /,
    ),
  ]);
});

it('refuses an unknown risk in --accept', async () => {
  expect(await repo.cdc('enable-cdc', ...AVANSAS, '--accept', 'all')).toMatchObject({
    exitCode: 2,
    complaints: [
      '--accept all: unknown risk; known: agent-stopped, computed-column, collation, large-object, slot-lost, no-replication, no-free-slot, no-free-sender, no-select, row-security, extra-table',
    ],
  });
});

it('reports all findings at once, and enables the tables without findings', async () => {
  const { exitCode, stdout, stderr } = await repo.cdc('enable-cdc', ...AVANSAS);
  expect(exitCode).toBe(3);
  expect(stderr).toMatch(/^risk large-object: AdOpusTest dbo\.\w+: .*--accept large-object$/m);
  expect(stderr).toMatch(/^note no-key: AdOpusTest dbo\.Region: /m);
  expect(stdout).toMatch(/ blocked by large-object$/m);
  expect(trackedTables()).toBeGreaterThan(0);
  expect(trackedTables()).toBeLessThan(39);
});

it.each([['enable-cdc'], ['clean-cdc', '--days', '7']])(
  '%s prints one JSON document if no database can be reached',
  async (...command) => {
    repo.setEnv({ MSSQL_NONPROD_PASSWORD: 'wrong' });
    const { exitCode, stdout, complaints } = await repo.cdc(...command, ...AVANSAS, '--json');
    expect(exitCode).toBe(2);
    expect(JSON.parse(stdout)).toEqual({ exitCode: 2, errors: complaints });
  },
);

it('one failing table does not stop the others', async () => {
  server.addFault({
    fault: { kind: 'error', number: 22832, message: 'Could not update the metadata.' },
    sql: /sp_cdc_enable_table/,
    times: 1,
  });
  const { exitCode, stdout } = await repo.cdc(...ENABLE);
  expect(exitCode).toBe(3);
  expect(stdout).toMatch(
    /: failed, AdOpusTest on .*: the server reports 22832: Could not update the metadata\.$/m,
  );
  expect(stdout).toMatch(/39 tables, 38 enabled, 1 failed\n$/);
});

it('clean-cdc counts rows in a dry run, and never cleans past the position of --not-past', async () => {
  await repo.cdc(...ENABLE, '--table', 'Actor', 'Avtale');
  const database = server.database('AdOpusTest');
  const day = 86_400_000;
  const lsns = [10, 8, 2].map((days) => database.advanceLog(new Date(Date.now() - days * day)));
  const clean = ['clean-cdc', ...AVANSAS, '--days', '5'] as const;

  const dry = await repo.cdc(...clean, '--dry-run');
  expect(dry).toMatchObject({
    exitCode: 0,
    stdout: ['Actor', 'Avtale']
      .map((table) => `AdOpusTest dbo_${table}: would be cleaned before ${lsns[1]}, 0 rows\n`)
      .join(''),
  });

  repo.write('positions.yaml', `dbo_Actor: "${lsns[0]}"\n`);
  const held = await repo.cdc(...clean, '--not-past', `${repo.root}/positions.yaml`, '--dry-run');
  expect(held.stdout).toContain(
    `dbo_Actor: would be cleaned before ${lsns[0]}, as far as its consumer has read`,
  );
  expect(held.stdout).toContain('dbo_Avtale: kept, --not-past names no position of this instance');

  const done = await repo.cdc(...clean, '--not-past', lsns[0]!);
  expect(done).toMatchObject({ exitCode: 0 });
  expect(done.stdout.match(/: cleaned before /g)).toHaveLength(2);
  const starts = database.find('cdc.change_tables').map((row) => row['start_lsn']);
  expect(
    starts.map(
      (lsn) =>
        `0x${Buffer.from(lsn as Uint8Array)
          .toString('hex')
          .toUpperCase()}`,
    ),
  ).toEqual([lsns[0], lsns[0]]);

  const again = await repo.cdc(...clean, '--not-past', lsns[0]!);
  expect(again.stdout.match(/: kept, nothing is older than its first change/g)).toHaveLength(2);
});
