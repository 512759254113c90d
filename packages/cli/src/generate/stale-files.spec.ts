import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
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

/** A repo in which everything is generated. */
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

const TABLE = 'migrations/tables/Actor.sql';

describe('a table that left the configuration', () => {
  const REGION =
    '        adopus.Region:\n          from: dbo.Region\n          target_exists: false\n';
  const FILES = [
    'generated/table-definitions/Region.yaml',
    'migrations/staging/Region-staging.sql',
    'migrations/tables/Region.sql',
  ];

  beforeEach(() => edit(root, 'services/adopus.yaml', REGION, ''));

  it('takes its files with it', () => {
    before = treeOf(root);
    expect(generate(root, ['--check']).code).toBe(1);
    const run = generate(root);
    expect(run.code).toBe(0);
    expect(
      run.stdout
        .split('\n')
        .filter((line) => line.startsWith('removed'))
        .sort(),
    ).toEqual(FILES.map((path) => `removed ${path}`));
    expect(changesSince(before, root)).toEqual(
      [...FILES.map((path) => `- ${path}`), '~ migrations/manifest.yaml'].sort((a, b) =>
        a.slice(2) < b.slice(2) ? -1 : 1,
      ),
    );
  });

  it('keeps all of them where one was edited, and --force removes it', () => {
    edit(root, 'migrations/tables/Region.sql', 'char', 'chat');
    before = treeOf(root);
    const run = generate(root);
    expect(run.code).toBe(6);
    expect(run.stderr).toContain('migrations/tables/Region.sql: this generated file was edited');
    expect(changesSince(before, root)).toEqual([]);
    expect(generate(root, ['--force']).code).toBe(0);
    expect(changesSince(before, root)).toContain('- migrations/tables/Region.sql');
  });

  it('leaves files that are not ours where they are', () => {
    write(root, 'migrations/tables/notes.md', 'ours');
    write(root, 'migrations/tables/extra.sql', 'SELECT 1;');
    write(root, 'migrations/manual/0001-Region.sql', read(done, 'migrations/tables/Region.sql'));
    symlinkSync('nowhere', join(root, 'migrations/tables/.#Actor.sql'));
    const run = generate(root);
    expect(run.code).toBe(0);
    expect(run.stderr).toContain(
      'warning: migrations/tables/extra.sql: is in no manifest and never applied; SQL by people is in ' +
        'migrations/manual/\n',
    );
    expect(run.stderr).not.toContain('notes.md');
    expect(read(root, 'migrations/manual/0001-Region.sql')).toContain('Region');
    expect(read(root, 'migrations/tables/notes.md')).toBe('ours');
    expect(generate(root, ['--check']).code).toBe(0);
  });
});

it('what the original tool wrote is removed, and that is said once', () => {
  write(root, 'generated/pg-migrations/tables/Actor.sql', 'CREATE TABLE "Actor" ();');
  before = treeOf(root);
  const removed = 'removed generated/pg-migrations/\n';
  for (const args of [['--check'], ['--dry-run'], ['--table', 'Actor'], ['--only', 'tables']]) {
    expect(generate(root, args).stdout).not.toContain(removed);
    expect(changesSince(before, root)).toEqual([]);
  }
  expect(generate(root, ['--check'])).toMatchObject({
    code: 1,
    stdout: expect.stringContaining('would remove generated/pg-migrations/\n'),
  });
  expect(generate(root).stdout).toContain(removed);
  expect(changesSince(before, root).every((change) => change.startsWith('- generated/pg-'))).toBe(
    true,
  );
  expect(generate(root).stdout).toBe('15 files: 15 unchanged\n');
});

it('a second sink moves the files of the first into a folder of its own', () => {
  write(root, 'migrations/manual/0001-a.sql', 'SELECT 1;\n');
  edit(
    root,
    'services/adopus.yaml',
    '  sinks:\n',
    '  sinks:\n    sink_asma.reports:\n      tables:\n' +
      '        adopus.Fraver: { from: dbo.Fraver, target_exists: false }\n',
  );
  const run = generate(root);
  expect(run.code).toBe(0);
  expect(run.stderr).toContain(
    'warning: migrations/manual/0001-a.sql: is in no manifest and never applied; SQL by people is in ' +
      'migrations/sink_asma.directory/manual/ or migrations/sink_asma.reports/manual/\n',
  );
  const paths = [...treeOf(root).keys()].filter((path) => path.startsWith('migrations/'));
  expect(paths.filter((path) => /^migrations\/[^/]+\/[^/]+\/$/.test(path))).toEqual([
    'migrations/sink_asma.directory/infrastructure/',
    'migrations/sink_asma.directory/schemas/',
    'migrations/sink_asma.directory/staging/',
    'migrations/sink_asma.directory/tables/',
    'migrations/sink_asma.directory/validation/',
    'migrations/sink_asma.reports/infrastructure/',
    'migrations/sink_asma.reports/schemas/',
    'migrations/sink_asma.reports/staging/',
    'migrations/sink_asma.reports/tables/',
  ]);
  expect(paths.filter((path) => /^migrations\/[^/]+\/?$/.test(path))).toEqual([
    'migrations/manual/',
    'migrations/sink_asma.directory/',
    'migrations/sink_asma.reports/',
  ]);
  expect(read(root, 'migrations/sink_asma.directory/tables/Actor.sql')).toBe(read(done, TABLE));
  expect(generate(root, ['--check']).code).toBe(0);
});
