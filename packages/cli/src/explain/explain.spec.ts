import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseManifest } from '@cdc-migrations/table-defs';
import { cdc, generate } from '../cdc.fixture.ts';
import { adopusRepo, edit, smallRepo, write } from '../repo.fixture.ts';
import type { ExplainedTable } from './explain-table.ts';

const FIXTURES = join(__dirname, '../../../../fixtures');
const ASMA = join(FIXTURES, 'asma');
const ADOPUS = join(FIXTURES, 'adopus');

function explain(cwd: string, ...args: readonly string[]) {
  return cdc(['manage-migrations', 'explain', ...args], { cwd });
}

function explained(cwd: string, ...args: readonly string[]): readonly ExplainedTable[] {
  const { code, stdout, stderr } = explain(cwd, ...args, '--json');
  expect([code, stderr]).toEqual([0, '']);
  return (JSON.parse(stdout) as { tables: ExplainedTable[] }).tables;
}

it('explains columns as the generated table and staging files of adopus define them', () => {
  const manifest = join(ADOPUS, 'migrations/manifest.yaml');
  const names = parseManifest(readFileSync(manifest, 'utf8'), manifest)
    .files.filter(({ category }) => category === 'staging')
    .map(({ path }) => /([^/]+)-staging\.sql$/.exec(path)![1]!);
  expect(names.length).toBeGreaterThan(30);
  for (const name of names.slice(0, 6)) {
    const [table] = explained(ADOPUS, name);
    const [final, staging] = ['tables', 'staging'].map((folder) =>
      readFileSync(
        join(ADOPUS, `migrations/${folder}/${name}${folder === 'staging' ? '-staging' : ''}.sql`),
        'utf8',
      ),
    );
    for (const column of table!.columns) {
      const nullable = column.nullable ? '' : ' NOT NULL';
      expect(final).toContain(`  "${column.name}" ${column.type}${nullable}`);
      if (column.stagingType !== null) {
        expect(staging).toContain(`"${column.name}" ${column.stagingType}`);
        expect(staging).toContain(column.stored);
      }
    }
  }
});

it('prints the path of a column from the source to the final table', () => {
  expect(explain(ADOPUS, 'Actor', 'Timelonn').stdout).toBe(
    `sink_asma.directory adopus.Actor.Timelonn
  source     AdOpusTest.dbo.Actor: Timelonn money
  event      as PostgreSQL reads numeric
  staging    stg_Actor: "Timelonn" numeric
  merge      sp_merge_actor stores event."Timelonn"
  refused    more than 15 digits before the point: the event goes to the dead letters
  final      Actor: "Timelonn" numeric(19,4)
  exactness  exact
`,
  );
});

it('explains which lines of the configuration affect a column, and which columns are left out', () => {
  const root = adopusRepo();
  edit(
    root,
    'sink-groups.yaml',
    '  source_group:',
    '  pipeline: { writer: bento, events: debezium }\n  source_group:',
  );
  const overrides = 'services/_schemas/_definitions/source-adopus-type-overrides.yaml';
  write(root, overrides, 'tables:\n  dbo.Actor:\n    columns:\n      StartDato: date\n');
  edit(
    root,
    'services/adopus.yaml',
    '        adopus.Actor:\n',
    `        adopus.Actor:
          renames: { Ansettelse: StartDato }
          transforms: [{ bloblang_ref: clean/name, expected_output_column: Visning }]
`,
  );
  const [table] = explained(root, 'adopus.Actor');
  const find = (name: string) => table!.columns.find((column) => column.name === name)!;
  expect(find('StartDato')).toMatchObject({
    event: 'milliseconds since 1970',
    stagingType: 'bigint',
    stored: expect.stringMatching(/cdc_management\.\w+\(event\."StartDato"/),
    type: 'date',
    formerly: ['Ansettelse'],
    because: [
      { file: overrides, line: 4, says: 'its type: date' },
      { file: 'services/adopus.yaml', line: 51, says: 'was Ansettelse before' },
      { file: 'sink-groups.yaml', line: 2, says: 'form of its values' },
    ],
  });
  expect(find('Visning')).toMatchObject({
    role: 'transform',
    source: null,
    because: [{ line: 52, says: 'output of clean/name' }],
  });
  expect(find('_customer_id').because.map(({ says }) => says)).toEqual([
    'template customer_id',
    'its value: meta("customer_id")',
  ]);
  expect(table!.leftOut).toEqual([
    { name: 'Døv', type: 'bit', why: 'in ignore_columns' },
    {
      name: 'Fødeland',
      type: expect.stringMatching(/^nvarchar\(\d+\)$/),
      why: 'in ignore_columns',
    },
  ]);
});

it('explains a table once for each sink, and also an existing table', () => {
  expect(explained(ASMA, 'directory.users').map(({ set }) => set)).toEqual([
    'sink_portal.search',
    'sink_warehouse.analytics',
  ]);
  const root = smallRepo();
  const [existing] = explained(root, 'customer_user');
  expect(existing).toMatchObject({
    merge: null,
    columns: [{ name: 'fraver_id', stagingType: null }],
  });
  expect(explain(root, 'customer_user', 'fraverid').stdout).toContain('fraver_id');
});

it.each([
  [['Aktor'], /^explain: unknown table "Aktor"; did you mean "Actor"\?/],
  [['actor'], /did you mean "Actor"/],
  [['Actor', 'Navnet'], /adopus\.Actor has no column "Navnet"; the columns are: actno, Navn, /],
  [['Actor', 'Døv'], /column "Døv" of the source is not in adopus\.Actor: in ignore_columns/],
  [[], /missing required argument 'table'/],
])('refuses %j', (args, message) => {
  const { code, stdout, stderr } = explain(smallRepo(), ...args);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(message);
});

it('needs no generated files except the snapshots', () => {
  const root = smallRepo();
  expect(explain(root, 'Actor').code).toBe(0);
  expect(generate(root).code).toBe(0);
  expect(explain(root, 'Actor').code).toBe(0);
});
