import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { generate } from '../cdc.fixture.ts';
import { changesSince, copyOf, edit, smallRepo, treeOf } from '../repo.fixture.ts';

let done: string;
let root: string;

beforeAll(() => {
  done = smallRepo();
  expect(generate(done).code).toBe(0);
});

beforeEach(() => {
  root = copyOf(done);
});

it('lists existing files under Nx, because Nx repeats the output of a cached run', () => {
  edit(root, 'services/adopus.yaml', '[Døv]', '[]');
  const run = generate(root, ['--only', 'tables'], { NX_TASK_TARGET_PROJECT: 'adopus' });
  expect(run).toMatchObject({ code: 0, stderr: '' });
  const again = generate(root, ['--only', 'tables'], { NX_TASK_TARGET_PROJECT: 'adopus' });
  expect(run.stdout).toBe('migrations/tables/: 3 files\nmigrations/validation/customer_user.sql\n');
  expect(again.stdout).toBe(run.stdout);
});

describe('--json', () => {
  it('prints one document to standard output, and warnings also to standard error', () => {
    edit(root, 'services/adopus.yaml', '[Døv]', '[]');
    const run = generate(root, ['--json']);
    expect(run.code).toBe(0);
    const { files, ...rest } = JSON.parse(run.stdout);
    expect(run.stderr).toBe(`warning: ${rest.warnings[0]}\n`);
    expect(rest).toEqual({
      exitCode: 0,
      written: true,
      warnings: [expect.stringContaining('dbo.Region has no key')],
      errors: [],
    });
    expect(files.length).toBe(15);
    expect(files).toContainEqual({ path: 'migrations/tables/Actor.sql', action: 'change' });
    expect(files).toContainEqual({ path: 'migrations/tables/Fraver.sql', action: 'keep' });
  });

  it('reports the exit code and that --check and --dry-run wrote no files', () => {
    edit(root, 'services/adopus.yaml', '[Døv]', '[]');
    const before = treeOf(root);
    const check = generate(root, ['--json', '--check']);
    expect([check.code, JSON.parse(check.stdout)]).toMatchObject([
      1,
      { exitCode: 1, written: false },
    ]);
    const dryRun = generate(root, ['--json', '--dry-run']);
    expect([dryRun.code, JSON.parse(dryRun.stdout)]).toMatchObject([
      0,
      { exitCode: 0, written: false },
    ]);
    expect(changesSince(before, root)).toEqual([]);
  });

  it('reports edited files', () => {
    edit(root, 'migrations/tables/Actor.sql', 'CREATE', 'DROP');
    const run = generate(root, ['--json']);
    expect([run.code, JSON.parse(run.stdout)]).toMatchObject([
      6,
      {
        exitCode: 6,
        written: false,
        files: expect.arrayContaining([{ path: 'migrations/tables/Actor.sql', action: 'edited' }]),
        errors: [expect.stringMatching(/^migrations\/tables\/Actor.sql: this generated file/)],
      },
    ]);
  });

  it.each([
    [['--table', 'X'], 'unknown table "X"'],
    [['--only', 'X'], "argument 'X' is invalid"],
  ])('contains the errors of %j', (args, message) => {
    const run = generate(root, ['--json', ...args]);
    expect([run.code, JSON.parse(run.stdout)]).toEqual([
      2,
      { exitCode: 2, errors: [expect.stringContaining(message)] },
    ]);
    expect(run.stderr).toContain(message);
  });

  it('contains each problem of the configuration', () => {
    edit(root, 'services/adopus.yaml', 'from: dbo.Actor', 'from: dbo.A');
    edit(root, 'services/adopus.yaml', 'from: dbo.Region', 'from: dbo.R');
    const run = generate(root, ['--json']);
    const { errors, problems } = JSON.parse(run.stdout);
    expect(errors).toEqual([
      expect.stringMatching(/^services\/adopus\.yaml:14 .*"dbo\.A" is not in source\.tables/),
      expect.stringMatching(/^services\/adopus\.yaml:21 .*"dbo\.R" is not in source\.tables/),
    ]);
    expect(problems).toEqual(
      [
        ['Actor', 14, 'A'],
        ['Region', 21, 'R'],
      ].map(([table, line, from]) => ({
        file: 'services/adopus.yaml',
        line,
        keys: ['adopus', 'sinks', 'sink_asma.directory', 'tables', `adopus.${table}`, 'from'],
        message: expect.stringContaining(`"dbo.${from}" is not in source.tables`),
      })),
    );
  });
});

it('generate reports no error if the reader of its output has exited', () => {
  const bin = join(__dirname, '../../bin/cdc.js');
  const command = `"${process.execPath}" "${bin}" manage-migrations generate --json | true`;
  const { stderr } = spawnSync('sh', ['-c', command], { cwd: root, encoding: 'utf8' });
  expect(stderr).toMatch(/^warning: .*\n$/);
});
