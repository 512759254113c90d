import { execFileSync } from 'node:child_process';
import { cdc, generate } from '../cdc.fixture.ts';
import { changesSince, copyOf, edit, read, smallRepo, treeOf, write } from '../repo.fixture.ts';

const SNAPSHOT = 'generated/schemas/AdOpusTest.dbo.yaml';
const SERVICE = 'services/adopus.yaml';

let done: string;
let root: string;
beforeAll(() => {
  done = smallRepo();
  expect(generate(done).code).toBe(0);
});
beforeEach(() => {
  root = copyOf(done);
});

const diff = (...args: readonly string[]) =>
  cdc(['manage-migrations', 'diff', ...args], { cwd: root });

/** Widens the column `Navn` and adds the column `Tlf`. */
function grow(): void {
  const before = '      - { name: Navn, type: nvarchar, length: 100, nullable: true }\n';
  const after =
    '      - { name: Navn, type: nvarchar, length: 200, nullable: true }\n' +
    '      - { name: Tlf, type: int, nullable: false }\n';
  edit(root, SNAPSHOT, before, after);
}

describe('diff', () => {
  it('reports no changes after generate', () => {
    expect(diff()).toEqual({
      code: 0,
      stdout: 'no changes in the definitions; generate --check also finds new customers\n',
      stderr: '',
    });
    expect(diff('--sql')).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('prints a table of changes, exits with 1, and writes no files', () => {
    grow();
    const before = treeOf(root);
    expect(diff()).toEqual({
      code: 1,
      stderr: '',
      stdout: [
        'table         what                                                             class  lock                           SQL',
        'adopus.Actor  column "Navn": character varying(100) to character varying(200)  free   ACCESS EXCLUSIVE for a moment  ALTER COLUMN "Navn" TYPE character varying(200)',
        'adopus.Actor  new column "Tlf": integer, NOT NULL                              free   ACCESS EXCLUSIVE for a moment  ADD COLUMN "Tlf" integer',
        '                                                                                                                     "stg_Actor": ADD COLUMN "Tlf" bigint',
        '2 changes in 1 table: 2 free; cdc manage-migrations generate writes the files',
        '',
      ].join('\n'),
    });
    expect(changesSince(before, root)).toEqual([]);
    expect(generate(root).code).toBe(0);
    expect(diff().code).toBe(0);
  });

  it('prints SQL with --sql', () => {
    grow();
    expect(diff('--sql').stdout).toBe(
      `-- adopus.Actor in sink_asma.directory
--   free: column "Navn": character varying(100) to character varying(200)
--   free: new column "Tlf": integer, NOT NULL
ALTER TABLE "{{SCHEMA}}"."Actor"
  ALTER COLUMN "Navn" TYPE character varying(200),
  ADD COLUMN "Tlf" integer;
ALTER TABLE "{{SCHEMA}}"."stg_Actor"
  ADD COLUMN "Tlf" bigint;
-- The merge of the table is replaced as well.
`,
    );
  });

  it('prints one document with --json', () => {
    grow();
    const { code, stdout } = diff('--json');
    expect(code).toBe(1);
    const { changes, ...rest } = JSON.parse(stdout);
    expect(rest).toEqual({ exitCode: 1, gone: [], warnings: [], manual: [] });
    expect(changes).toMatchObject([
      {
        kind: 'type changed',
        class: 'free',
        set: 'sink_asma.directory',
        service: 'adopus',
        table: 'adopus.Actor',
        before: { name: 'Navn', type: 'character varying(100)' },
        after: { name: 'Navn', type: 'character varying(200)' },
        sql: { final: ['ALTER COLUMN "Navn" TYPE character varying(200)'], staging: [] },
      },
      { kind: 'column added', before: null, after: { name: 'Tlf', nullable: false } },
    ]);
  });

  it('reports changes of the configuration, and only those of one table with --table', () => {
    edit(root, SERVICE, 'ignore_columns: [Døv]', 'ignore_columns: [Døv, Navn]');
    edit(
      root,
      SERVICE,
      '        adopus.Region:\n          from: dbo.Region\n          target_exists: false\n',
      '',
    );
    const run = diff();
    expect(run.code).toBe(1);
    expect(run.stderr).toBe(
      'warning: adopus.Actor: column "Navn" removed; it stays in every target with its values\n' +
        'warning: adopus.Region is no longer merged; its tables stay in every target, with their rows\n',
    );
    expect(run.stdout).toMatch(/^adopus\.Actor +column "Navn" removed +informational +none$/m);
    expect(run.stdout).toMatch(/^adopus\.Region +table removed +informational +none$/m);
    expect(diff('--sql').stdout).toContain('-- Nothing is dropped.\n');
    const one = diff('--table', 'adopus.Region');
    expect(one.stdout).not.toContain('Actor');
    expect(one.stdout).toContain('1 change in 1 table: 1 informational');
    expect(diff('--table', 'Fraver').code).toBe(0);
    expect(diff('--table', 'Frv')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^--table: unknown table "Frv"/),
    });
  });

  it('reports a new table of the service', () => {
    edit(root, SERVICE, '      dbo.Region: {}\n', '      dbo.Region: {}\n      dbo.Ny: {}\n');
    edit(
      root,
      SERVICE,
      '        adopus.Region:\n',
      '        adopus.Ny: { from: dbo.Ny }\n        adopus.Region:\n',
    );
    write(
      root,
      SNAPSHOT,
      `${read(root, SNAPSHOT)}  Ny:
    columns:
      - { name: id, type: int, nullable: false }
    primary_key: { name: PK_Ny, columns: [id] }
`,
    );
    const run = diff();
    expect(run).toMatchObject({ code: 1, stderr: '' });
    expect(run.stdout).toMatch(/^adopus\.Ny +new table +free +none +CREATE TABLE$/m);
    expect(diff('--sql').stdout).toContain('CREATE TABLE IF NOT EXISTS "{{SCHEMA}}"."Ny" (');
  });

  it.each([
    [
      'a column whose case changed',
      SNAPSHOT,
      'name: FraDato',
      'name: fradato',
      'renames: { "FraDato": "fradato" }',
    ],
    [
      'a column whose type also changed',
      SNAPSHOT,
      'name: FraDato, type: date, nullable: true }',
      'name: FRADATO, type: datetime, nullable: true }\n      - { name: Ny, type: int, nullable: true }',
      'renames: { "FraDato": "FRADATO" }',
    ],
    [
      'a table whose case changed',
      SERVICE,
      'adopus.Fraver:',
      'adopus.FRAVER:',
      'rename --table Fraver --to FRAVER',
    ],
    [
      'a table whose name changed',
      SERVICE,
      'adopus.Fraver:',
      'adopus.Absence:',
      'rename --table Fraver --to Absence',
    ],
  ])('suggests a rename of %s', (_, path, before, after, hint) => {
    edit(root, path, before, after);
    expect(diff().stderr).toContain(hint);
  });

  it('reports a rename only if the configuration declares it', () => {
    edit(root, SNAPSHOT, 'name: FraDato', 'name: Fra');
    const guess = diff();
    expect(guess.stdout).toMatch(/^adopus\.Fraver +new column "Fra": date /m);
    expect(guess.stderr).toContain(
      'warning: adopus.Fraver: if column "Fra" is "FraDato" under a new name, say so before it is applied: ' +
        'renames: { "FraDato": "Fra" }\n',
    );
    edit(
      root,
      SERVICE,
      '          from: dbo.Fraver\n',
      '          from: dbo.Fraver\n          renames: { FraDato: Fra }\n',
    );
    const reported = diff();
    expect(reported).toMatchObject({ code: 1, stderr: '' });
    expect(reported.stdout).toMatch(
      /^adopus\.Fraver +column "FraDato" renamed to "Fra" +free +ACCESS EXCLUSIVE for a moment +RENAME COLUMN "FraDato" TO "Fra"$/m,
    );
  });

  it('warns, like generate, about a rename that is declared after the column was generated', () => {
    const rename = [
      SERVICE,
      '          from: dbo.Fraver\n',
      '          from: dbo.Fraver\n          renames: { FraDato: Fra }\n',
    ] as const;
    const late = 'adopus.Fraver: column "Fra" was generated before its rename from "FraDato": ';
    edit(root, SNAPSHOT, 'name: FraDato', 'name: Fra');
    const inTime = copyOf(root);
    edit(inTime, ...rename);
    expect(generate(inTime).stderr).not.toContain(late);
    expect(generate(root).code).toBe(0);
    edit(root, ...rename);
    expect(diff().stderr).toContain(late);
    const { code, stderr } = generate(root);
    expect([code, stderr]).toEqual([0, expect.stringContaining(late)]);
    expect(stderr).toContain('UPDATE … SET "Fra" = "FraDato" WHERE "Fra" IS NULL');
    expect(generate(root).stderr).not.toContain(late);
  });

  it('reports the new output of a transform only until it is generated', () => {
    edit(
      root,
      SERVICE,
      '          from: dbo.Fraver\n',
      "          from: dbo.Fraver\n          transforms: [{ bloblang_ref: 'file://a.blobl', expected_output_column: label }]\n",
    );
    expect(diff().stdout).toMatch(/^adopus\.Fraver +new column "label": text /m);
    expect(generate(root).code).toBe(0);
    expect(diff().code).toBe(0);
  });
});

describe('a name in the configuration that the source does not have', () => {
  it('is reported with its line, in addition to all other changes', () => {
    grow();
    edit(root, SNAPSHOT, '      - { name: Døv, type: bit, nullable: true }\n', '');
    write(root, SNAPSHOT, read(root, SNAPSHOT).replace(/ {2}Region:[^]*$/, ''));
    const run = diff();
    expect(run.code).toBe(1);
    expect(run.stderr.split('\n').slice(0, 3)).toEqual([
      expect.stringMatching(
        /^services\/adopus\.yaml:7 adopus\.source\.tables\.dbo\.Actor\.ignore_columns\.0: dbo\.Actor has no column "Døv"/,
      ),
      expect.stringMatching(
        /^services\/adopus\.yaml:9 adopus\.source\.tables\.dbo\.Region: the snapshot of AdOpusTest\.dbo has no table "Region"/,
      ),
      'warning: adopus.Region is no longer merged; its tables stay in every target, with their rows',
    ]);
    expect(run.stdout).toContain('new column "Tlf"');
    expect(run.stdout).toMatch(/; fix the configuration first, in 2 places\n$/);
    expect(JSON.parse(diff('--json').stdout).gone).toHaveLength(2);
    expect(diff('--table', 'Actor').stderr).not.toContain('Region');
    expect(generate(root).code).toBe(2);
  });

  it('is handled differently from an unknown type, which ends diff with exit code 2', () => {
    edit(root, SNAPSHOT, 'type: bit', 'type: geography2');
    edit(root, SERVICE, '[Døv]', '[]');
    expect(diff()).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('geography2'),
    });
  });
});

describe('definitions', () => {
  it('are all new before the first generate', () => {
    root = smallRepo();
    expect(diff()).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('4 changes in 4 tables'),
    });
  });

  it('are refused if they were edited', () => {
    edit(root, 'generated/table-definitions/Actor.yaml', 'nullable": true', 'nullable": false');
    expect(diff()).toMatchObject({
      code: 6,
      stderr: expect.stringContaining(
        'generated/table-definitions/Actor.yaml: this generated file was edited',
      ),
    });
  });

  it('are compared with the definitions of a commit with --base', () => {
    const git = (...args: readonly string[]) =>
      execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], { cwd: root });
    git('init', '-q');
    git('add', '-A');
    git('commit', '-q', '-m', 'before');
    grow();
    expect(generate(root).code).toBe(0);
    git('commit', '-q', '-a', '-m', 'after');
    expect(diff().code).toBe(0);
    expect(diff('--base', 'HEAD').code).toBe(0);
    const run = diff('--base', 'HEAD~1');
    expect(run).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(
        /2 changes in 1 table: 2 free; the generated files have all of them\n$/,
      ),
    });
    expect(diff('--base', 'nowhere')).toMatchObject({
      code: 2,
      stderr: '--base nowhere: fatal: Needed a single revision\n',
    });
  });

  it('cannot be compared with a commit outside of a git repository', () => {
    expect(diff('--base', 'HEAD')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^--base HEAD: fatal: not a git repository/),
    });
  });
});
