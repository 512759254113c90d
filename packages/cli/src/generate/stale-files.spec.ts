import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { read, treeOf } from '../repo.fixture.ts';
import { useGeneratedRepo } from './generated-repo.fixture.ts';

const repo = useGeneratedRepo();

const TABLE = 'migrations/tables/Actor.sql';

describe('a table that left the configuration', () => {
  const REGION =
    '        adopus.Region:\n          from: dbo.Region\n          target_exists: false\n';
  const FILES = [
    'generated/table-definitions/Region.yaml',
    'migrations/staging/Region-staging.sql',
    'migrations/tables/Region.sql',
  ];

  beforeEach(() => repo.edit('services/adopus.yaml', REGION, ''));

  it('takes its files with it', () => {
    repo.remember();
    expect(repo.generate(['--check']).code).toBe(1);
    const run = repo.generate();
    expect(run.code).toBe(0);
    expect(
      run.stdout
        .split('\n')
        .filter((line) => line.startsWith('removed'))
        .sort(),
    ).toEqual(FILES.map((path) => `removed ${path}`));
    expect(repo.changes()).toEqual(
      [...FILES.map((path) => `- ${path}`), '~ migrations/manifest.yaml'].sort((a, b) =>
        a.slice(2) < b.slice(2) ? -1 : 1,
      ),
    );
  });

  it('keeps all of them where one was edited, and --force removes it', () => {
    repo.edit('migrations/tables/Region.sql', 'char', 'chat');
    repo.remember();
    const run = repo.generate();
    expect(run.code).toBe(6);
    expect(run.stderr).toContain('migrations/tables/Region.sql: this generated file was edited');
    expect(repo.changes()).toEqual([]);
    expect(repo.generate(['--force']).code).toBe(0);
    expect(repo.changes()).toContain('- migrations/tables/Region.sql');
  });

  it('leaves files that are not ours where they are', () => {
    repo.write('migrations/tables/notes.md', 'ours');
    repo.write('migrations/tables/extra.sql', 'SELECT 1;');
    repo.write(
      'migrations/manual/0001-Region.sql',
      read(repo.done, 'migrations/tables/Region.sql'),
    );
    symlinkSync('nowhere', join(repo.root, 'migrations/tables/.#Actor.sql'));
    const run = repo.generate();
    expect(run.code).toBe(0);
    expect(run.stderr).toContain(
      'warning: migrations/tables/extra.sql: not in a manifest, so it is never applied; hand-written SQL belongs in ' +
        'migrations/manual/\n',
    );
    expect(run.stderr).not.toContain('notes.md');
    expect(repo.read('migrations/manual/0001-Region.sql')).toContain('Region');
    expect(repo.read('migrations/tables/notes.md')).toBe('ours');
    expect(repo.generate(['--check']).code).toBe(0);
  });
});

it('what the original tool wrote is removed, and that is said once', () => {
  repo.write('generated/pg-migrations/tables/Actor.sql', 'CREATE TABLE "Actor" ();');
  repo.remember();
  const removed = 'removed generated/pg-migrations/\n';
  for (const args of [['--check'], ['--dry-run'], ['--table', 'Actor'], ['--only', 'tables']]) {
    expect(repo.generate(args).stdout).not.toContain(removed);
    expect(repo.changes()).toEqual([]);
  }
  expect(repo.generate(['--check'])).toMatchObject({
    code: 1,
    stdout: expect.stringContaining('would remove generated/pg-migrations/\n'),
  });
  expect(repo.generate().stdout).toContain(removed);
  expect(repo.changes().every((change) => change.startsWith('- generated/pg-'))).toBe(true);
  expect(repo.generate().stdout).toBe('15 files: 15 unchanged\n');
});

it('a second sink moves the files of the first into a folder of its own', () => {
  repo.write('migrations/manual/0001-a.sql', 'SELECT 1;\n');
  repo.edit(
    'services/adopus.yaml',
    '  sinks:\n',
    '  sinks:\n    sink_asma.reports:\n      tables:\n' +
      '        adopus.Fraver: { from: dbo.Fraver, target_exists: false }\n',
  );
  const run = repo.generate();
  expect(run.code).toBe(0);
  expect(run.stderr).toContain(
    'warning: migrations/manual/0001-a.sql: not in a manifest, so it is never applied; hand-written SQL belongs in ' +
      'migrations/sink_asma.directory/manual/ or migrations/sink_asma.reports/manual/\n',
  );
  const paths = [...treeOf(repo.root).keys()].filter((path) => path.startsWith('migrations/'));
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
  expect(repo.read('migrations/sink_asma.directory/tables/Actor.sql')).toBe(read(repo.done, TABLE));
  expect(repo.generate(['--check']).code).toBe(0);
});
