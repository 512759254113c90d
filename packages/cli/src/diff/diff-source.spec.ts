import {
  readAdopusCatalog,
  startMssqlFixture,
  type MssqlFixture,
} from '@cdc-migrations/mssql-fixture';
import { changesSince, treeOf } from '../repo.fixture.ts';
import { copyRepo, mssqlEnv, type SourceRepo } from '../source/source-repo.fixture.ts';

let source: MssqlFixture;
let repo: SourceRepo;
beforeEach(async () => {
  source = await startMssqlFixture({ databases: { AdOpusTest: readAdopusCatalog() } });
  repo = copyRepo('adopus');
  const password = '      password: ${MSSQL_NONPROD_PASSWORD}\n';
  repo.edit('source-groups.yaml', password, `${password}      encrypt: false\n`);
  repo.setEnv(mssqlEnv(source));
});
afterEach(async () => {
  expect(source.internalErrors()).toEqual([]);
  repo.remove();
  await source.close();
});

const diff = (...args: readonly string[]) => repo.cdc('diff', ...args);

it('compares with the snapshot, or with --env with the database, and writes no files', async () => {
  const before = treeOf(repo.root);
  source.database('AdOpusTest').addColumn('dbo.Distrikt', { name: 'Sone', type: 'nvarchar(20)' });
  expect((await diff()).exitCode).toBe(0);
  for (const env of ['nonprod', 'local']) {
    const run = await diff('--env', env);
    expect(run).toMatchObject({ exitCode: 1, complaints: [] });
    expect(run.stdout).toContain('1 change in 1 table: 1 free');
  }
  expect(changesSince(before, repo.root)).toEqual([]);
});

it('reports removed tables and ignored columns together with all other changes', async () => {
  const database = source.database('AdOpusTest');
  database.dropTable('dbo.Ytelse');
  database.dropColumn('dbo.Actor', 'Døv');
  database.dropColumn('dbo.Distrikt', 'Enhet');
  const run = await diff('--env', 'nonprod');
  expect(run.exitCode).toBe(1);
  expect(run.complaints).toEqual([
    expect.stringMatching(
      /^services\/adopus\.yaml:7 .*\.ignore_columns\.0: dbo\.Actor has no column "Døv"/,
    ),
    expect.stringMatching(
      /^services\/adopus\.yaml:\d+ adopus\.source\.tables\.dbo\.Ytelse: .* no table "Ytelse"/,
    ),
    'warning: adopus.Distrikt: column "Enhet" removed; it stays in every target with its values',
    'warning: adopus.Ytelse is no longer merged; its tables stay in every target, with their rows',
  ]);
  expect(run.stdout).toMatch(
    /^2 changes in 2 tables: 2 informational; fix the configuration first, in 2 places$/m,
  );
});

it.each([
  ['an unknown environment', ['--env', 'test'], /in the environment "test"/],
  [
    'an environment without the validation database',
    ['--env', 'prod'],
    /in the environment "prod"/,
  ],
  ['an invalid timeout', ['--env', 'nonprod', '--timeout', 'soon'], /expected a number of seconds/],
  ['two output formats at once', ['--json', '--sql'], /cannot be used with option '--sql'/],
])('refuses %s', async (_, args, message) => {
  const run = await diff(...args);
  expect(run.exitCode).toBe(2);
  expect(run.stderr).toMatch(message);
});

it('exits with 2, not with 1, if the database refuses the login', async () => {
  source.addFault({ fault: { kind: 'refuse-login', number: 18456, message: 'no' } });
  const run = await diff('--env', 'nonprod', '--json');
  expect(run.exitCode).toBe(2);
  expect(JSON.parse(run.stdout)).toMatchObject({ exitCode: 2, errors: [expect.any(String)] });
});
