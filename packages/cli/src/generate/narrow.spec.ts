import { generate } from '../cdc.fixture.ts';
import { changesSince, copyOf, read, smallRepo, treeOf } from '../repo.fixture.ts';
import { useGeneratedRepo } from './generated-repo.fixture.ts';

const repo = useGeneratedRepo();

const SNAPSHOT = 'generated/schemas/AdOpusTest.dbo.yaml';
const SERVICE = 'services/adopus.yaml';
const MANIFEST = 'migrations/manifest.yaml';

/** Changes everything except Actor and adds a customer. */
function changeEverything(): void {
  repo.edit(SNAPSHOT, 'name: Navn', 'name: Name');
  repo.edit(SNAPSHOT, 'name: FraDato', 'name: FraDate');
  repo.edit(SERVICE, 'from: dbo.Region', 'from: dbo.Region\n          delete_mode: soft');
  repo.edit('source-groups.yaml', 'blue:', 'green:');
  repo.write('migrations/manual/0001-a.sql', 'SELECT 1;');
  repo.remember();
}

function manifestRows(of: string): readonly string[] {
  return read(of, MANIFEST).split('\n').slice(4);
}

describe('--table', () => {
  it.each(['Fraver', 'adopus.Fraver'])(
    '%s changes only the files and manifest rows of this table',
    (name) => {
      changeEverything();
      expect(repo.generate(['--table', name])).toMatchObject({ code: 0 });
      expect(repo.changes()).toEqual([
        '~ generated/table-definitions/Fraver.yaml',
        `~ ${MANIFEST}`,
        '~ migrations/staging/Fraver-staging.sql',
        '~ migrations/tables/Fraver.sql',
      ]);
      const [old, rows] = [manifestRows(repo.done), manifestRows(repo.root)];
      expect(rows.filter((row) => !old.includes(row)).length).toBe(2);
      expect(rows.map((row) => (row.includes('Fraver') ? 'Fraver' : row))).toEqual(
        old.map((row) => (row.includes('Fraver') ? 'Fraver' : row)),
      );
    },
  );

  it('writes the same files, table by table and then the rest, as one full run', () => {
    changeEverything();
    const whole = copyOf(repo.root);
    expect(generate(whole).code).toBe(0);
    expect(repo.generate(['--table', 'Fraver', 'Actor']).code).toBe(0);
    expect(repo.generate(['--table', 'Region', '--table', 'customer_user']).code).toBe(0);
    expect(repo.generate().stdout).toBe(
      'changed migrations/schemas/create-schemas.sql\n' +
        'changed migrations/manifest.yaml\n' +
        '15 files: 2 changed, 13 unchanged\n',
    );
    expect(treeOf(repo.root)).toEqual(treeOf(whole));
  });

  it('adds the manifest rows of a new table at the same position as a full run', () => {
    repo.edit(
      SERVICE,
      '        public.',
      '        adopus.Copy: { from: dbo.Actor, target_exists: false }\n        public.',
    );
    const whole = copyOf(repo.root);
    expect(generate(whole).code).toBe(0);
    expect(repo.generate(['--table', 'Copy']).code).toBe(0);
    expect(treeOf(repo.root)).toEqual(treeOf(whole));
  });

  it('removes the table and staging files of a table that changes to target_exists: true', () => {
    repo.edit(
      SERVICE,
      'from: dbo.Fraver\n          target_exists: false',
      'from: dbo.Fraver\n          target_exists: true\n          columns: { FraverId: id }',
    );
    repo.remember();
    expect(repo.generate(['--table', 'Fraver']).code).toBe(0);
    expect(repo.changes()).toEqual([
      '~ generated/table-definitions/Fraver.yaml',
      `~ ${MANIFEST}`,
      '- migrations/staging/Fraver-staging.sql',
      '- migrations/tables/Fraver.sql',
      '+ migrations/validation/Fraver.sql',
    ]);
    expect(repo.generate(['--check']).code).toBe(0);
  });

  it('renames the files of a table whose name is no longer unique, and skips the other table', () => {
    repo.edit(
      SERVICE,
      '        public.',
      '        public.Actor: { from: dbo.Actor, target_exists: true, columns: { actno: no } }\n        public.',
    );
    const whole = copyOf(repo.root);
    expect(generate(whole).code).toBe(0);
    repo.remember();
    expect(repo.generate(['--table', 'adopus.Actor']).code).toBe(0);
    expect(repo.changes()).toEqual([
      '- generated/table-definitions/Actor.yaml',
      '+ generated/table-definitions/adopus.Actor.yaml',
      `~ ${MANIFEST}`,
      '- migrations/staging/Actor-staging.sql',
      '+ migrations/staging/adopus.Actor-staging.sql',
      '- migrations/tables/Actor.sql',
      '+ migrations/tables/adopus.Actor.sql',
    ]);
    expect(repo.generate(['--table', 'public.Actor']).code).toBe(0);
    expect(treeOf(repo.root)).toEqual(treeOf(whole));
  });

  it.each([
    [['--table', 'Aktor'], '--table: unknown table "Aktor"; did you mean "Actor"?\n'],
    [['--table', 'adopus.actor'], '--table: unknown table "adopus.actor"; did you mean "Actor"?\n'],
    [
      ['--table', ''],
      '--table: unknown table ""; the tables are: Actor, Fraver, Region, customer_user\n',
    ],
    [
      ['--table', 'X', 'Y', '--service', 'chat'],
      '--service: unknown service "chat"; the services are: adopus\n' +
        '--table: unknown table "X"; the tables are: Actor, Fraver, Region, customer_user\n' +
        '--table: unknown table "Y"; the tables are: Actor, Fraver, Region, customer_user\n',
    ],
    [
      ['--table', 'Actor', '--only', 'schemas'],
      '--only schemas writes no files for individual tables; remove --table\n',
    ],
    [
      ['--service', 'adopus', '--only', 'infrastructure'],
      '--only infrastructure writes no files for individual tables; remove --service\n',
    ],
  ])('refuses %j and suggests a solution', (args, stderr) => {
    expect(repo.generate(args)).toEqual({ code: 2, stdout: '', stderr });
    expect(repo.changes()).toEqual([]);
  });

  it('refuses a repo without a manifest', () => {
    const fresh = smallRepo();
    const before = treeOf(fresh);
    expect(generate(fresh, ['--table', 'Actor'])).toEqual({
      code: 2,
      stdout: '',
      stderr: `${MANIFEST}: not found; run generate without --table and --service first\n`,
    });
    expect(changesSince(before, fresh)).toEqual([]);
  });

  it('refuses edits in the manifest and in the files of its table, but ignores those in other files', () => {
    repo.edit('migrations/tables/Actor.sql', 'CREATE', 'DROP');
    expect(repo.generate(['--table', 'Fraver']).code).toBe(0);
    expect(repo.generate(['--table', 'Actor'])).toMatchObject({
      code: 6,
      stderr: expect.stringContaining(
        'migrations/tables/Actor.sql: this generated file was edited',
      ),
    });
    repo.write(MANIFEST, `${repo.read(MANIFEST)}<<<<<<< HEAD\n`);
    repo.remember();
    expect(repo.generate(['--table', 'Fraver', '--force'])).toMatchObject({
      code: 6,
      stderr: expect.stringContaining(
        `${MANIFEST}: this generated file was edited; run generate without`,
      ),
    });
    expect(repo.changes()).toEqual([]);
  });

  it('narrows --check', () => {
    repo.edit(SNAPSHOT, 'name: FraDato', 'name: FraDate');
    expect(repo.generate(['--check', '--table', 'Actor']).code).toBe(0);
    expect(repo.generate(['--check', '--table', 'Fraver']).code).toBe(1);
  });

  it('narrows --only', () => {
    changeEverything();
    const run = (stage: string) => repo.generate(['--only', stage, '--table', 'Fraver']).stdout;
    expect(run('table-defs')).toContain('changed generated/table-definitions/Fraver.yaml\n1 file:');
    expect(run('tables')).toContain('changed migrations/tables/Fraver.sql\n1 file:');
    expect(run('staging')).toContain('changed migrations/staging/Fraver-staging.sql\n1 file:');
    expect(run('migrations')).toContain('changed migrations/manifest.yaml\n1 file:');
    const narrowed = treeOf(repo.root);
    repo.root = copyOf(repo.done);
    changeEverything();
    repo.generate(['--table', 'Fraver']);
    expect(narrowed).toEqual(treeOf(repo.root));
  });
});

describe('--service', () => {
  beforeEach(() => {
    repo.write(
      'services/chat.yaml',
      'chat:\n  source:\n    validation_database: AdOpusTest\n    validation_env: nonprod\n' +
        '    tables: { dbo.Fraver: {} }\n  sinks:\n    sink_asma.directory:\n      tables:\n' +
        '        chat.Leave: { from: dbo.Fraver, target_exists: false }\n',
    );
    expect(repo.generate().code).toBe(0);
    repo.edit(SNAPSHOT, 'name: FraDato', 'name: FraDate');
    repo.remember();
  });

  it('changes the files and rows of the tables of a service', () => {
    expect(repo.generate(['--service', 'chat']).code).toBe(0);
    expect(repo.changes()).toEqual([
      '~ generated/table-definitions/chat/Leave.yaml',
      `~ ${MANIFEST}`,
      '~ migrations/staging/Leave-staging.sql',
      '~ migrations/tables/Leave.sql',
    ]);
    expect(repo.generate(['--service', 'adopus']).code).toBe(0);
    expect(repo.generate(['--check']).code).toBe(0);
  });

  it('is combined with --table, so that both must match', () => {
    expect(repo.generate(['--service', 'chat', '--table', 'Fraver'])).toMatchObject({
      code: 2,
      stderr: '--table Fraver: no table of the service chat\n',
    });
    expect(repo.generate(['--service', 'adopus', '--table', 'Fraver']).code).toBe(0);
    expect(repo.changes()).toContain('~ migrations/tables/Fraver.sql');
    expect(repo.changes()).not.toContain('~ migrations/tables/Leave.sql');
  });
});
