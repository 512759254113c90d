import { join } from 'node:path';
import { cdc, generate } from '../cdc.fixture.ts';
import { adopusRepo, changesSince, copyOf, edit, read, treeOf } from '../repo.fixture.ts';

let done: string;
let firstRun: ReturnType<typeof generate>;

beforeAll(() => {
  done = adopusRepo();
  firstRun = generate(done);
});

it('lists the created files by folder in the first run', () => {
  expect(firstRun.code).toBe(0);
  expect(firstRun.stdout).toBe(
    [
      'created generated/table-definitions/ (41 files)',
      'created generated/migration-sets.yaml',
      'created migrations/schemas/create-schemas.sql',
      'created migrations/infrastructure/cdc-management.sql',
      'created migrations/tables/ (39 files)',
      'created migrations/validation/adopus_AdgangLinjer.sql',
      'created migrations/validation/customer_user.sql',
      'created migrations/staging/ (39 files)',
      'created migrations/manifest.yaml',
      '125 files: 125 created',
      '',
    ].join('\n'),
  );
});

it('warns of tables without a key, and of nothing else', () => {
  const warning = (table: string) =>
    `warning: services/adopus.yaml adopus.source.tables.dbo.${table}: dbo.${table} has no key: ` +
    'inserts are appended, updates and deletes go to the dead letters; ' +
    'name its key in key_columns if it has one\n';
  expect(firstRun.stderr).toBe(warning('Region') + warning('Tekst'));
  for (const table of ['Region', 'Tekst']) {
    expect(read(done, `generated/table-definitions/${table}.yaml`)).toContain('\nkey: null\n');
  }
});

it('writes the same bytes in another folder, time zone, language and working directory', () => {
  const other = adopusRepo();
  const env = { TZ: 'Asia/Kathmandu', LANG: 'nb_NO.UTF-8', LC_ALL: 'tr_TR.UTF-8', HOME: other };
  const args = ['manage-migrations', 'generate', '--root', other];
  expect(cdc(args, { cwd: join(done, 'services'), env }).code).toBe(0);
  expect(treeOf(other)).toEqual(treeOf(done));
});

it('writes the same files if the tables are configured in another order', () => {
  const other = adopusRepo();
  edit(other, 'services/adopus.yaml', '      dbo.Ytelse: {}\n', '');
  edit(other, 'services/adopus.yaml', '    tables:\n', '    tables:\n      dbo.Ytelse: {}\n');
  const before = treeOf(other);
  expect(generate(other).code).toBe(0);
  const written = changesSince(before, other).map((change) => change.slice(2));
  expect(written.length).toBeGreaterThan(125);
  for (const path of written) expect(treeOf(other).get(path)).toBe(treeOf(done).get(path));
}, 30_000);

it('writes no time, machine path or version number into files', () => {
  for (const [path, written] of treeOf(done)) {
    if (!/^(?:migrations|generated\/(?!schemas))/.test(path)) continue;
    // The last value of a source type.
    const text = written.replace(/'(9999-12-31 )?23:59:59\.999999(\+00)?'/g, "''");
    expect({ path, found: text.match(/\b20\d\d-\d\d-\d\d|\d\d:\d\d:\d\d/) }).toEqual({
      path,
      found: null,
    });
    expect({ path, found: text.match(/\bv?\d+\.\d+\.\d+\b/) }).toEqual({ path, found: null });
    expect({ path, held: text.includes(done) }).toEqual({
      path,
      held: false,
    });
  }
});

const columnsOf = (table: string): readonly string[] =>
  [...read(done, `generated/table-definitions/${table}.yaml`).matchAll(/^ {2}- (\{.*\})$/gm)].map(
    ([, json]) => JSON.parse(json!).name,
  );

const filesOf = (table: string): readonly string[] => [
  `generated/table-definitions/${table}.yaml`,
  `migrations/tables/${table}.sql`,
  `migrations/staging/${table}-staging.sql`,
];

it('leaves ignored columns out of all files of their table', () => {
  for (const path of [...filesOf('Actor'), 'migrations/validation/customer_user.sql']) {
    expect(read(done, path)).not.toMatch(/Døv|Fødeland/);
  }
  expect(columnsOf('Actor')).toContain('Etternavn');
});

it('leaves computed columns out of all files of their table', () => {
  const snapshot = read(done, 'generated/schemas/AdOpusTest.dbo.yaml').split('\n');
  let table = '';
  const computed: (readonly [string, string])[] = [];
  for (const line of snapshot) {
    table = /^ {2}(\S.*):$/.exec(line)?.[1] ?? table;
    const [, json] = /^ {6}- (\{.*\})$/.exec(line) ?? [];
    const column = json === undefined ? undefined : JSON.parse(json);
    if (column?.computed !== undefined) computed.push([table, column.name]);
  }
  expect(computed.length).toBeGreaterThan(0);
  for (const [name, column] of computed) {
    for (const path of filesOf(name)) expect(read(done, path)).not.toContain(`"${column}"`);
  }
});

it.each([
  ['Antall timer', '"Antall timer"'],
  ['order', '"order"'],
  ['Rå tekst', '"Rå tekst"'],
  ['Say "hi"', '"Say ""hi"""'],
])('keeps the name of the column %s and quotes it', (column, identifier) => {
  const tables = [...treeOf(done).keys()].filter((path) =>
    path.startsWith('generated/table-definitions/'),
  );
  const holders = tables
    .filter((path) => path.endsWith('.yaml'))
    .map((path) => /([^/]+)\.yaml$/.exec(path)![1]!)
    .filter((table) => columnsOf(table).includes(column));
  expect(holders.length).toBe(1);
  const [, ...sql] = filesOf(holders[0]!);
  for (const path of sql) expect(read(done, path)).toContain(identifier);
});

it('shortens column names over 63 bytes, and records the source name', () => {
  const text = read(done, 'generated/table-definitions/TiltakTilbydt.yaml');
  const long = [...text.matchAll(/^ {2}- (\{.*\})$/gm)]
    .map(([, json]) => JSON.parse(json!))
    .filter(({ source }) => source && Buffer.byteLength(source.name) > 63);
  expect(long.map(({ source }) => Buffer.byteLength(source.name))).toEqual([80, 80]);
  for (const { name } of long) {
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63);
    for (const path of filesOf('TiltakTilbydt')) expect(read(done, path)).toContain(`"${name}"`);
  }
  expect(new Set(long.map(({ name }) => name)).size).toBe(2);
});

describe('generate after a change', () => {
  let root: string;
  let before: ReturnType<typeof treeOf>;

  beforeEach(() => {
    root = copyOf(done);
  });

  const run = () => {
    before = treeOf(root);
    expect(generate(root).code).toBe(0);
    return changesSince(before, root);
  };

  it('writes only the files and manifest rows of a table with a new column', () => {
    edit(
      root,
      'generated/schemas/AdOpusTest.dbo.yaml',
      '      - {"name": "FraverId"',
      '      - {"name": "Årsak", "type": "nvarchar", "length": 40, "nullable": true}\n' +
        '      - {"name": "FraverId"',
    );
    expect(run()).toEqual([
      '~ generated/table-definitions/Fraver.yaml',
      '~ migrations/manifest.yaml',
      '~ migrations/staging/Fraver-staging.sql',
      '~ migrations/tables/Fraver.sql',
    ]);
    const rows = (of: string) => read(of, 'migrations/manifest.yaml').split('\n').slice(4);
    const changed = rows(root).filter((row, index) => row !== rows(done)[index]);
    expect(changed.map((row) => /"path": "(.+?)"/.exec(row)![1])).toEqual([
      'tables/Fraver.sql',
      'staging/Fraver-staging.sql',
    ]);
  });

  it('writes only the manifest and the schemas file for a new customer', () => {
    edit(
      root,
      'source-groups.yaml',
      '    avansas:\n',
      '    arendal:\n      schemas: [dbo]\n      prod: { server: prod, database: AdOpusArendal }\n    avansas:\n',
    );
    expect(run()).toEqual([
      '~ migrations/manifest.yaml',
      '~ migrations/schemas/create-schemas.sql',
    ]);
    expect(read(root, 'migrations/schemas/create-schemas.sql')).toContain('"arendal"');
  });

  it('writes only the manifest and the files of a table with a newly ignored column', () => {
    edit(root, 'services/adopus.yaml', '[Døv, Fødeland]', '[Døv, Fødeland, Bilde]');
    expect(run()).toEqual([
      '~ generated/table-definitions/Actor.yaml',
      '~ migrations/manifest.yaml',
      '~ migrations/staging/Actor-staging.sql',
      '~ migrations/tables/Actor.sql',
    ]);
  });
});
