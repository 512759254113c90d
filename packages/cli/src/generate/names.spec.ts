import { renderSnapshot, type CatalogTable } from '@cdc-migrations/catalog';
import { generate } from '../cdc.fixture.ts';
import { edit, smallRepo, treeOf, write } from '../repo.fixture.ts';

/** A source table and the sink schemas that receive it under its own name. */
interface NamedTable {
  readonly name: string;
  readonly schemas?: readonly string[];
}

/** Creates a repo of tables with these names, from the snapshot to the service. */
function repoOf(tables: readonly NamedTable[], columnCount = 2): string {
  const root = smallRepo();
  const names = [...new Set(tables.map(({ name }) => name))];
  const file = renderSnapshot({
    database: 'AdOpusTest',
    schema: 'dbo',
    type: 'mssql',
    pattern: 'db-per-tenant',
    tables: names.map((name) => tableOf(name, columnCount)),
  });
  write(root, file.path, file.text);
  const source = names.map((name) => `      ${JSON.stringify(`dbo.${name}`)}: {}\n`);
  const sink = tables.flatMap(({ name, schemas = ['adopus'] }) =>
    schemas.map(
      (schema) =>
        `        ${JSON.stringify(`${schema}.${name}`)}: { from: ${JSON.stringify(`dbo.${name}`)}, ` +
        'target_exists: false, column_templates: [customer_id] }\n',
    ),
  );
  write(
    root,
    'services/adopus.yaml',
    `adopus:\n  source:\n    validation_database: AdOpusTest\n    validation_env: nonprod\n    tables:\n${source.join('')}` +
      `  sinks:\n    sink_asma.directory:\n      tables:\n${sink.join('')}`,
  );
  return root;
}

function tableOf(name: string, columnCount: number): CatalogTable {
  return {
    name,
    columns: Array.from({ length: columnCount }, (_, index) => ({
      name: index === 0 ? 'Id' : `Column ${index}`,
      type: index % 2 ? 'nvarchar' : 'int',
      ...(index % 2 && { length: 50 }),
      nullable: index > 0,
    })),
    primaryKey: { name: `PK_${name}`, columns: ['Id'] },
    uniqueIndexes: [],
    foreignKeys: [],
  };
}

function filesIn(root: string, folder: string): readonly string[] {
  return [...treeOf(root).keys()]
    .filter((path) => path.startsWith(`${folder}/`) && !path.endsWith('/'))
    .map((path) => path.slice(folder.length + 1));
}

const LONG = 'Tiltak'.repeat(20);

const NAMES = [
  ...[
    'a/b',
    'a\\b',
    'a.b',
    '..x',
    'a b',
    ' lead',
    'trail ',
    'Øøåæ',
    '🙂',
    'a"b',
    "a'b",
    'a:b*?<>|',
  ],
  ...['CON', 'nul.x', 'aux', '%2F', 'a%b', '-staging', 'null', 'manifest', '$merge$', LONG],
];

it('gives each table separate files with names that are valid in every file system', () => {
  const root = repoOf(NAMES.map((name) => ({ name })));
  const run = generate(root);
  expect(run).toMatchObject({ code: 0, stderr: '' });
  expect(generate(root, ['--check'])).toMatchObject({ code: 0 });
  for (const folder of ['generated/table-definitions', 'migrations/tables', 'migrations/staging']) {
    const files = filesIn(root, folder);
    expect(files.length).toBe(NAMES.length);
    expect(new Set(files.map((file) => file.normalize().toLowerCase())).size).toBe(NAMES.length);
    for (const file of files) {
      expect(file).not.toMatch(/[/\\:*?"<>|\p{Cc}]|^[. ]|^(?:con|nul|aux)\./iu);
      expect(Buffer.byteLength(file)).toBeLessThanOrEqual(255);
    }
  }
  expect(filesIn(root, 'migrations/tables')).toEqual(
    expect.arrayContaining(['a%2Fb.sql', 'a.b.sql', '%43ON.sql', 'Øøåæ.sql', '🙂.sql']),
  );
  for (const name of ['a/b', LONG, 'CON', '🙂', `adopus.${LONG}`]) {
    expect(generate(root, ['--table', name]).stdout).toBe('4 files: 4 unchanged\n');
  }
}, 30_000);

it('identifies tables with the same name by schema, even if only case differs', () => {
  const root = repoOf([
    { name: 'Actor', schemas: ['adopus', 'public'] },
    { name: 'Fraver', schemas: ['crm'] },
    { name: 'FRAVERX', schemas: ['crm'] },
  ]);
  edit(root, 'services/adopus.yaml', '"crm.FRAVERX"', '"hr.FRAVER"');
  expect(generate(root)).toMatchObject({ code: 0, stderr: '' });
  expect(filesIn(root, 'migrations/tables')).toEqual([
    'adopus.Actor.sql',
    'crm.Fraver.sql',
    'hr.FRAVER.sql',
    'public.Actor.sql',
  ]);
  expect(filesIn(root, 'generated/table-definitions').length).toBe(4);
  for (const name of ['adopus.Actor', 'crm.Fraver']) {
    expect(generate(root, ['--table', name]).stdout).toBe('4 files: 4 unchanged\n');
  }
  expect(generate(root, ['--table', 'Actor']).stdout).toBe('7 files: 7 unchanged\n');
});

it('refuses tables whose files would be the same on a case-insensitive file system', () => {
  const root = repoOf([{ name: 'Fraver', schemas: ['Crm', 'crm'] }]);
  const before = treeOf(root);
  const run = generate(root);
  expect(run).toMatchObject({ code: 2, stdout: '' });
  expect(run.stderr).toMatch(
    /^generated\/table-definitions\/.* are the same file on a case-insensitive/,
  );
  expect(treeOf(root)).toEqual(before);
});

it('refuses a table whose name collides with a staging table, and reports its line', () => {
  const root = repoOf([{ name: 'Actor' }, { name: 'stg_Actor' }, { name: `${LONG}A` }]);
  edit(root, 'services/adopus.yaml', '"adopus.stg_Actor"', '"adopus.stg_actor"');
  const before = treeOf(root);
  const run = generate(root);
  expect(run).toMatchObject({ code: 2, stdout: '' });
  expect(run.stderr).toMatch(
    /^services\/adopus\.yaml:13 adopus\.sinks\.sink_asma\.directory\.tables\.adopus\.stg_actor: .*"stg_actor".*\n$/,
  );
  expect(treeOf(root)).toEqual(before);
});

it('creates the files of 400 tables, and then finds them up to date', () => {
  const tables = Array.from({ length: 400 }, (_, index) => ({ name: `Table${index}` }));
  const root = repoOf(tables, 25);
  expect(generate(root).stdout).toBe(
    [
      'created generated/table-definitions/ (400 files)',
      'created generated/migration-sets.yaml',
      'created migrations/schemas/create-schemas.sql',
      'created migrations/infrastructure/cdc-management.sql',
      'created migrations/tables/ (400 files)',
      'created migrations/staging/ (400 files)',
      'created migrations/manifest.yaml',
      '1204 files: 1204 created',
      '',
    ].join('\n'),
  );
  expect(generate(root, ['--check'])).toMatchObject({ code: 0 });
  expect(generate(root, ['--only', 'migrations']).stdout).toBe('1 file: 1 unchanged\n');
}, 60_000);
