import {
  readAdopusCatalog,
  startMssqlFixture,
  type MssqlFixture,
} from '@cdc-migrations/mssql-fixture';
import { copyRepo, mssqlEnv, type SourceRepo } from './source-repo.fixture.ts';

/** Number of databases of `prod` in fixtures/adopus. */
const CUSTOMERS = 24;

let server: MssqlFixture;
let repo: SourceRepo;
let databases: readonly string[];
beforeAll(async () => {
  repo = copyRepo('adopus');
  const password = '      password: ${MSSQL_PROD_PASSWORD}\n';
  repo.edit('source-groups.yaml', password, `${password}      encrypt: false\n`);
  const groups = repo.read('source-groups.yaml');
  databases = [...groups.matchAll(/^ {6}prod:\n {8}server: prod\n {8}database: (\w+)/gm)].map(
    ([, database]) => database!,
  );
  const catalog = readAdopusCatalog();
  server = await startMssqlFixture({
    databases: Object.fromEntries(databases.map((database) => [database, catalog])),
  });
  const env = Object.entries(mssqlEnv(server));
  repo.setEnv(
    Object.fromEntries(env.map(([name, value]) => [name.replace('NONPROD', 'PROD'), value])),
  );
});
afterAll(async () => {
  expect(server.internalErrors()).toEqual([]);
  repo.remove();
  await server.close();
});

const COMPARE = ['schema-docs', '--compare', '--env', 'prod'] as const;

it('reports 24 equal databases with one query each', async () => {
  expect(databases).toHaveLength(CUSTOMERS);
  server.clearRequests();
  const run = await repo.cdc(...COMPARE, '--all');
  expect(run).toMatchObject({ exitCode: 0 });
  expect(run.stdout.match(/: equal$/gm)).toHaveLength(CUSTOMERS);
  expect(server.roundTrips()).toBe(CUSTOMERS);
});

it('reports which databases differ, how, and whether they match the definitions', async () => {
  const [widened, missing, extra] = databases.map((name) => server.database(name));
  const idOf = (table: string) =>
    widened!.find('sys.tables', { name: table })[0]!['object_id'] as number;
  widened!.update(
    'sys.columns',
    { object_id: idOf('Actor'), name: 'Fornavn' },
    { max_length: 4000 },
  );
  missing!.dropTable('dbo.Ytelse');
  extra!.update(
    'sys.columns',
    { object_id: idOf('Avdeling'), column_id: 1 },
    { system_type_id: 52, user_type_id: 52, max_length: 2 },
  );
  const run = await repo.cdc(...COMPARE, '--json');
  expect(run.exitCode).toBe(1);
  const report = JSON.parse(run.stdout) as {
    databases: { state: string; differences: object[]; mismatches: string[] }[];
  };
  expect(report.databases.map(({ state }) => state)).toEqual([
    ...['does not fit', 'does not fit', 'fits'],
    ...Array.from({ length: CUSTOMERS - 3 }, () => 'equal'),
  ]);
  expect(report.databases.slice(0, 3)).toMatchObject([
    {
      differences: [{ table: 'Actor', column: 'Fornavn', kind: 'column differs' }],
      mismatches: [
        expect.stringMatching(
          /dbo\.Actor\.Fornavn is character varying\(2000\), which does not fit into /,
        ),
      ],
    },
    {
      differences: [{ schema: 'dbo', table: 'Ytelse', kind: 'table missing' }],
      mismatches: [expect.stringMatching(/has no table "Ytelse"/)],
    },
    { differences: [{ table: 'Avdeling', kind: 'column differs' }], mismatches: [] },
  ]);
});

it('continues if one database cannot be read', async () => {
  server.addFault({
    fault: { kind: 'refuse-login', number: 18456 },
    connection: server.connections() + 1,
  });
  const run = await repo.cdc(...COMPARE, '--customer', 'avprod,bkai');
  server.clearFaults();
  expect(run.exitCode).toBe(3);
  expect(run.stdout).toMatch(/the server refused the login/);
  expect(run.stdout.split('\n').filter((line) => /^(avprod|bkai) /.test(line))).toHaveLength(2);
});
