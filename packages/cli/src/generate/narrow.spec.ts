import { generate } from '../cdc.fixture.ts';
import {
  changesSince,
  copyOf,
  edit,
  read,
  smallRepo,
  treeOf,
  write,
  type Tree,
} from '../repo.fixture.ts';

let done: string;
let root: string;
let before: Tree;

beforeAll(() => {
  done = smallRepo();
  expect(generate(done).code).toBe(0);
});

beforeEach(() => {
  root = copyOf(done);
  before = treeOf(root);
});

const SNAPSHOT = 'generated/schemas/AdOpusTest.dbo.yaml';
const SERVICE = 'services/adopus.yaml';
const MANIFEST = 'migrations/manifest.yaml';

/** Everything but Actor has changed too, and a customer was added. */
function changeEverything(): void {
  edit(root, SNAPSHOT, 'name: Navn', 'name: Name');
  edit(root, SNAPSHOT, 'name: FraDato', 'name: FraDate');
  edit(root, SERVICE, 'from: dbo.Region', 'from: dbo.Region\n          delete_mode: soft');
  edit(root, 'source-groups.yaml', 'blue:', 'green:');
  write(root, 'migrations/manual/0001-a.sql', 'SELECT 1;');
  before = treeOf(root);
}

function manifestRows(of: string): readonly string[] {
  return read(of, MANIFEST).split('\n').slice(4);
}

describe('--table', () => {
  it.each(['Fraver', 'adopus.Fraver'])(
    '%s changes its files and its rows, and no other',
    (name) => {
      changeEverything();
      expect(generate(root, ['--table', name])).toMatchObject({ code: 0 });
      expect(changesSince(before, root)).toEqual([
        '~ generated/table-definitions/Fraver.yaml',
        `~ ${MANIFEST}`,
        '~ migrations/staging/Fraver-staging.sql',
        '~ migrations/tables/Fraver.sql',
      ]);
      const [old, rows] = [manifestRows(done), manifestRows(root)];
      expect(rows.filter((row) => !old.includes(row)).length).toBe(2);
      expect(rows.map((row) => (row.includes('Fraver') ? 'Fraver' : row))).toEqual(
        old.map((row) => (row.includes('Fraver') ? 'Fraver' : row)),
      );
    },
  );

  it('of each in turn, and then of the rest, is the whole run', () => {
    changeEverything();
    const whole = copyOf(root);
    expect(generate(whole).code).toBe(0);
    expect(generate(root, ['--table', 'Fraver', 'Actor']).code).toBe(0);
    expect(generate(root, ['--table', 'Region', '--table', 'customer_user']).code).toBe(0);
    expect(generate(root).stdout).toBe(
      'changed migrations/schemas/create-schemas.sql\n' +
        'changed migrations/manifest.yaml\n' +
        '15 files: 2 changed, 13 unchanged\n',
    );
    expect(treeOf(root)).toEqual(treeOf(whole));
  });

  it('adds the rows of a new table where the whole run has them', () => {
    edit(
      root,
      SERVICE,
      '        public.',
      '        adopus.Copy: { from: dbo.Actor, target_exists: false }\n        public.',
    );
    const whole = copyOf(root);
    expect(generate(whole).code).toBe(0);
    expect(generate(root, ['--table', 'Copy']).code).toBe(0);
    expect(treeOf(root)).toEqual(treeOf(whole));
  });

  it('takes away what the table was before: one of ours becomes one that exists', () => {
    edit(
      root,
      SERVICE,
      'from: dbo.Fraver\n          target_exists: false',
      'from: dbo.Fraver\n          target_exists: true\n          columns: { FraverId: id }',
    );
    before = treeOf(root);
    expect(generate(root, ['--table', 'Fraver']).code).toBe(0);
    expect(changesSince(before, root)).toEqual([
      '~ generated/table-definitions/Fraver.yaml',
      `~ ${MANIFEST}`,
      '- migrations/staging/Fraver-staging.sql',
      '- migrations/tables/Fraver.sql',
      '+ migrations/validation/Fraver.sql',
    ]);
    expect(generate(root, ['--check']).code).toBe(0);
  });

  it('moves the files of a table that now shares its name, and leaves the other for its own run', () => {
    edit(
      root,
      SERVICE,
      '        public.',
      '        public.Actor: { from: dbo.Actor, target_exists: true, columns: { actno: no } }\n        public.',
    );
    const whole = copyOf(root);
    expect(generate(whole).code).toBe(0);
    before = treeOf(root);
    expect(generate(root, ['--table', 'adopus.Actor']).code).toBe(0);
    expect(changesSince(before, root)).toEqual([
      '- generated/table-definitions/Actor.yaml',
      '+ generated/table-definitions/adopus.Actor.yaml',
      `~ ${MANIFEST}`,
      '- migrations/staging/Actor-staging.sql',
      '+ migrations/staging/adopus.Actor-staging.sql',
      '- migrations/tables/Actor.sql',
      '+ migrations/tables/adopus.Actor.sql',
    ]);
    expect(generate(root, ['--table', 'public.Actor']).code).toBe(0);
    expect(treeOf(root)).toEqual(treeOf(whole));
  });

  it.each([
    [
      ['--table', 'Aktor'],
      '--table: there is no table "Aktor"; there are: Actor, Fraver, Region, customer_user\n',
    ],
    [
      ['--table', 'adopus.actor'],
      '--table: there is no table "adopus.actor"; did you mean "Actor"?\n',
    ],
    [
      ['--table', ''],
      '--table: there is no table ""; there are: Actor, Fraver, Region, customer_user\n',
    ],
    [
      ['--table', 'X', 'Y', '--service', 'chat'],
      '--service: there is no service "chat"; there are: adopus\n' +
        '--table: there is no table "X"; there are: Actor, Fraver, Region, customer_user\n' +
        '--table: there is no table "Y"; there are: Actor, Fraver, Region, customer_user\n',
    ],
    [
      ['--table', 'Actor', '--only', 'schemas'],
      '--only schemas writes no file of a table; leave --table out\n',
    ],
    [
      ['--service', 'adopus', '--only', 'infrastructure'],
      '--only infrastructure writes no file of a table; leave --service out\n',
    ],
  ])('%j is an error that says what there is', (args, stderr) => {
    expect(generate(root, args)).toEqual({ code: 2, stdout: '', stderr });
    expect(changesSince(before, root)).toEqual([]);
  });

  it('needs the manifest of the other tables', () => {
    const fresh = smallRepo();
    before = treeOf(fresh);
    expect(generate(fresh, ['--table', 'Actor'])).toEqual({
      code: 2,
      stdout: '',
      stderr: `${MANIFEST}: is not there; run generate without --table and --service first\n`,
    });
    expect(changesSince(before, fresh)).toEqual([]);
  });

  it('refuses a manifest that was edited, and one of its own files, but not those of others', () => {
    edit(root, 'migrations/tables/Actor.sql', 'CREATE', 'DROP');
    expect(generate(root, ['--table', 'Fraver']).code).toBe(0);
    expect(generate(root, ['--table', 'Actor'])).toMatchObject({
      code: 6,
      stderr: expect.stringContaining(
        'migrations/tables/Actor.sql: this generated file was edited',
      ),
    });
    write(root, MANIFEST, `${read(root, MANIFEST)}<<<<<<< HEAD\n`);
    before = treeOf(root);
    expect(generate(root, ['--table', 'Fraver', '--force'])).toMatchObject({
      code: 6,
      stderr: expect.stringContaining(
        `${MANIFEST}: this generated file was edited; run generate without`,
      ),
    });
    expect(changesSince(before, root)).toEqual([]);
  });

  it('narrows --check', () => {
    edit(root, SNAPSHOT, 'name: FraDato', 'name: FraDate');
    expect(generate(root, ['--check', '--table', 'Actor']).code).toBe(0);
    expect(generate(root, ['--check', '--table', 'Fraver']).code).toBe(1);
  });

  it('narrows a stage', () => {
    changeEverything();
    const run = (stage: string) => generate(root, ['--only', stage, '--table', 'Fraver']).stdout;
    expect(run('table-defs')).toContain('changed generated/table-definitions/Fraver.yaml\n1 files');
    expect(run('tables')).toContain('changed migrations/tables/Fraver.sql\n1 files');
    expect(run('staging')).toContain('changed migrations/staging/Fraver-staging.sql\n1 files');
    expect(run('migrations')).toContain('changed migrations/manifest.yaml\n1 files');
    const narrowed = treeOf(root);
    root = copyOf(done);
    changeEverything();
    generate(root, ['--table', 'Fraver']);
    expect(narrowed).toEqual(treeOf(root));
  });
});

describe('--service', () => {
  beforeEach(() => {
    write(
      root,
      'services/chat.yaml',
      'chat:\n  source:\n    validation_database: AdOpusTest\n    validation_env: nonprod\n' +
        '    tables: { dbo.Fraver: {} }\n  sinks:\n    sink_asma.directory:\n      tables:\n' +
        '        chat.Leave: { from: dbo.Fraver, target_exists: false }\n',
    );
    expect(generate(root).code).toBe(0);
    edit(root, SNAPSHOT, 'name: FraDato', 'name: FraDate');
    before = treeOf(root);
  });

  it('changes the files and rows of the tables of a service', () => {
    expect(generate(root, ['--service', 'chat']).code).toBe(0);
    expect(changesSince(before, root)).toEqual([
      '~ generated/table-definitions/chat/Leave.yaml',
      `~ ${MANIFEST}`,
      '~ migrations/staging/Leave-staging.sql',
      '~ migrations/tables/Leave.sql',
    ]);
    expect(generate(root, ['--service', 'adopus']).code).toBe(0);
    expect(generate(root, ['--check']).code).toBe(0);
  });

  it('and --table are both to hold', () => {
    expect(generate(root, ['--service', 'chat', '--table', 'Fraver'])).toMatchObject({
      code: 2,
      stderr: '--table Fraver: no table of the service chat\n',
    });
    expect(generate(root, ['--service', 'adopus', '--table', 'Fraver']).code).toBe(0);
    expect(changesSince(before, root)).toContain('~ migrations/tables/Fraver.sql');
    expect(changesSince(before, root)).not.toContain('~ migrations/tables/Leave.sql');
  });
});
