import { rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  readAdopusCatalog,
  startMssqlFixture,
  type MssqlFixture,
} from '@cdc-migrations/mssql-fixture';
import { startPostgres, type PostgresServer } from '@cdc-migrations/postgres-fixture';
import { changesSince, treeOf } from '../repo.fixture.ts';
import { copyRepo, mssqlEnv, type SourceRepo } from '../source/source-repo.fixture.ts';
import { sinkEnv } from '../target/cli.fixture.ts';

const TABLES = 39;
/** Tests all 26 tenants, which takes a minute more, or three of them. */
const ALL_TENANTS = process.env['CDC_ALL_TENANTS'] === '1';
const TENANTS = ALL_TENANTS ? 26 : 3;
const TARGET = ['--env', 'prod', ...(ALL_TENANTS ? [] : ['--schema', 'a*'])];
/** A value that does not survive the unsafe change. */
const LONG_NAME = 'Distrikt i nordre del av fylket';

let source: MssqlFixture;
let server: PostgresServer;
let repo: SourceRepo;
let sql: ReturnType<PostgresServer['connect']>;

beforeAll(async () => {
  source = await startMssqlFixture({ databases: { AdOpusTest: readAdopusCatalog() } });
  server = await startPostgres({ major: 15 });
  const database = await server.createDatabase();
  sql = server.connect({ database, max: 1, onnotice: () => {} });
  repo = copyRepo('adopus');
  const password = '      password: ${MSSQL_NONPROD_PASSWORD}\n';
  repo.edit('source-groups.yaml', password, `${password}      encrypt: false\n`);
  repo.edit('source-groups.yaml', 'target_sink_env: nonprod', 'target_sink_env: prod');
  repo.edit('sink-groups.yaml', /database: \w+/, `database: ${database}`);
  const secret = '      password: ${POSTGRES_PROD_PASSWORD}\n';
  repo.edit('sink-groups.yaml', secret, `${secret}      sslmode: disable\n`);
  repo.setEnv({ ...mssqlEnv(source), ...sinkEnv(server) });
  expect(await repo.cdc('apply', ...TARGET)).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining(
      `${TENANTS} schemas; files: ${2 * TABLES * TENANTS + 2} applied`,
    ),
  });
}, 180_000);
afterAll(async () => {
  repo?.remove();
  await source?.close();
  await server?.stop();
});

const diff = (...args: readonly string[]) => repo.cdc('diff', '--env', 'nonprod', ...args);

async function tenants(): Promise<readonly string[]> {
  const rows = await sql<{ name: string }[]>`
    SELECT schema_name AS name FROM cdc_management.merge_control WHERE table_name = 'Distrikt' ORDER BY 1`;
  return rows.map(({ name }) => name);
}

/** Stages an event for every tenant, like the sink pipeline. */
async function stage(offset: number, values: Readonly<Record<string, string>>) {
  const names = Object.keys(values).map((name) => `"${name}"`);
  const literals = Object.values(values).map((value) => `'${value}'`);
  for (const tenant of await tenants()) {
    await sql.unsafe(`INSERT INTO "${tenant}"."stg_Distrikt" (${names.join(', ')}, "_customer_id", "__source_db",
        "__source_table", "__cdc_operation", "__kafka_partition", "__kafka_offset")
      VALUES (${literals.join(', ')}, gen_random_uuid(), 'AdOpusTest', 'Distrikt', 'c', 0, ${offset})`);
  }
}

const merge = () => sql.unsafe('CALL cdc_management.run_pending_merges()');

/** Returns the rows of the table in every tenant, each as one text. */
async function rowsEverywhere(columns: string): Promise<readonly string[]> {
  const texts: string[] = [];
  for (const tenant of await tenants()) {
    const rows = await sql.unsafe(
      `SELECT concat_ws(' ', ${columns}) AS row FROM "${tenant}"."Distrikt" ORDER BY "DistriktID"`,
    );
    texts.push(rows.map(({ row }) => row as string).join(', '));
  }
  return texts;
}

it('adds a new source column to the definition, two files and every schema, and merges its events', async () => {
  await stage(1, { DistriktID: '1', Navn: 'Nord' });
  await merge();
  expect(await diff()).toMatchObject({
    exitCode: 0,
    stdout: 'no changes in the definitions; generate --check also finds new customers\n',
  });
  source.database('AdOpusTest').addColumn('dbo.Distrikt', { name: 'Sone', type: 'nvarchar(20)' });

  const shown = await diff();
  expect(shown).toMatchObject({ exitCode: 1, complaints: [] });
  expect(shown.stdout).toMatch(
    /^adopus\.Distrikt +new column "Sone": character varying\(20\) +free +ACCESS EXCLUSIVE for a moment +ADD COLUMN "Sone" character varying\(20\)$/m,
  );

  const before = treeOf(repo.root);
  expect((await repo.cdc('generate', '--refresh')).exitCode).toBe(0);
  expect(changesSince(before, repo.root)).toEqual([
    '~ generated/schemas/AdOpusTest.dbo.yaml',
    '~ generated/table-definitions/Distrikt.yaml',
    '~ migrations/manifest.yaml',
    '~ migrations/staging/Distrikt-staging.sql',
    '~ migrations/tables/Distrikt.sql',
  ]);
  expect(await repo.cdc('apply', ...TARGET)).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining(`files: ${2 * TENANTS} applied`),
  });

  await stage(2, { DistriktID: '2', Navn: 'Sør', Sone: 'A' });
  await merge();
  expect(await rowsEverywhere('"Navn", "Sone"')).toEqual(Array(TENANTS).fill('Nord, Sør A'));
  expect((await diff()).exitCode).toBe(0);
}, 120_000);

it('keeps the merged and staged values of a column that was renamed in the source', async () => {
  source.database('AdOpusTest').renameColumn('dbo.Distrikt', 'Sone', 'Område');
  const from = '          from: dbo.Distrikt\n';
  repo.edit('services/adopus.yaml', from, `${from}          renames: { Sone: Område }\n`);
  const shown = await diff();
  expect(shown).toMatchObject({ exitCode: 1, complaints: [] });
  expect(shown.stdout).toMatch(
    /^adopus\.Distrikt +column "Sone" renamed to "Område" +free +ACCESS EXCLUSIVE for a moment +RENAME COLUMN "Sone" TO "Område"$/m,
  );
  expect((await repo.cdc('generate', '--refresh')).exitCode).toBe(0);
  await stage(3, { DistriktID: '3', Navn: 'Øst', Sone: 'B' });
  expect((await repo.cdc('apply', ...TARGET)).exitCode).toBe(0);
  await stage(4, { DistriktID: '4', Navn: 'Midt', Område: 'C' });
  await merge();
  const rows = 'Nord, Sør A, Øst B, Midt C';
  expect(await rowsEverywhere('"Navn", "Område"')).toEqual(Array(TENANTS).fill(rows));
  expect((await diff()).exitCode).toBe(0);
  const check = await repo.cdc('check', ...TARGET, '--exclude', 'public.*');
  expect(check).toMatchObject({ exitCode: 0, complaints: [] });
}, 120_000);

it('refuses only the table of an unsafe change until a manual file makes it in every schema', async () => {
  const database = source.database('AdOpusTest');
  const definitions = await repo.cdc('diff', '--env', 'nonprod', '--json');
  expect(JSON.parse(definitions.stdout).changes).toEqual([]);
  const names = database.find('sys.tables').map((row) => `dbo.${String(row['name'])}`);
  const wanted = names.filter((name) =>
    repo.read('services/adopus.yaml').includes(`from: ${name}\n`),
  );
  for (const name of new Set(wanted)) database.addColumn(name, { name: 'Merke', type: 'int' });
  database.alterColumn('dbo.Distrikt', { name: 'Navn', type: 'nvarchar(30)', isNullable: false });

  const shown = await diff('--scaffold-manual');
  expect(shown.exitCode).toBe(1);
  expect(shown.stdout).toMatch(
    /^adopus\.Distrikt +column "Navn": character varying\(60\) to character varying\(30\) +unsafe +none, because it is refused /m,
  );
  const path = 'migrations/manual/0001-Distrikt-Navn.sql';
  expect(shown.complaints).toEqual([`${path}: created; review and edit it, then generate`]);
  const scaffolded = repo.read(path);
  rmSync(join(repo.root, path));

  expect((await repo.cdc('generate', '--refresh')).exitCode).toBe(0);
  const refused = await repo.cdc('apply', ...TARGET);
  expect(refused.exitCode).toBe(5);
  const schemas = await tenants();
  expect(schemas).toHaveLength(TENANTS);
  const [, reported, message, others] = refused.stdout.match(
    /^(\S+) tables\/Distrikt\.sql: table (.*)\n(?: {2}.*\n)*? {2}the same in \d+ more: (.*)$/m,
  )!;
  expect([reported!, ...others!.split(', ')].sort()).toEqual([...schemas].sort());
  expect(message).toContain(
    '."Distrikt" column "Navn": character varying(60) to character varying(30) could lose values',
  );
  expect(refused.stdout).toContain('migrations/manual/<NNNN>-<name>.sql');
  expect(refused.stdout).toContain(`files: ${2 * (TABLES - 1) * TENANTS} applied`);

  const [tenant] = schemas;
  await sql.unsafe(
    `UPDATE "${tenant}"."Distrikt" SET "Navn" = '${LONG_NAME}' WHERE "DistriktID" = 1`,
  );
  repo.write(path, scaffolded);
  expect((await repo.cdc('generate')).exitCode).toBe(0);
  const failed = await repo.cdc('apply', ...TARGET);
  expect(failed.exitCode).toBe(3);
  expect(failed.stdout).toContain(
    `${tenant} ${path.slice('migrations/'.length)}: 1 rows of "${tenant}"."Distrikt" have a value in "Navn" that character varying(30) cannot store`,
  );
  await sql.unsafe(`UPDATE "${tenant}"."Distrikt" SET "Navn" = 'Nord' WHERE "DistriktID" = 1`);
  expect((await repo.cdc('apply', ...TARGET)).exitCode).toBe(0);

  await stage(5, { DistriktID: '5', Navn: 'Vest', Merke: '7' });
  await merge();
  expect(await rowsEverywhere('"Navn", "Merke"')).toEqual(
    Array(TENANTS).fill('Nord, Sør, Øst, Midt, Vest 7'),
  );
  const recorded = await sql`
    SELECT count(*)::int AS n FROM cdc_management.migration_history
    WHERE category = 'manual' AND outcome = 'applied' AND file = 'manual/0001-Distrikt-Navn.sql'`;
  expect(recorded).toEqual([{ n: TENANTS }]);
  const status = await repo.cdc('status', ...TARGET);
  expect(status.exitCode).toBe(0);
  expect((await diff()).exitCode).toBe(0);

  repo.write(path, `${scaffolded}-- Too late.\n`);
  expect((await repo.cdc('generate')).exitCode).toBe(0);
  expect(await repo.cdc('apply', ...TARGET)).toMatchObject({
    exitCode: 6,
    complaints: [
      expect.stringContaining(
        'manual/0001-Distrikt-Navn.sql: changed after it was applied; put the change into a new file',
      ),
    ],
  });
}, 240_000);
