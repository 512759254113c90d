import { spawnSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generate, type CdcRun } from '../cdc.fixture.ts';
import { copyOf, edit, emptyFolder, read, treeOf, write, type Tree } from '../repo.fixture.ts';

// A repo of 340 tables, because smaller repos are not cached. Runs the bundle, like users.

const CLI = join(__dirname, '../..');
const SERVICE = 'services/adopus.yaml';
const SNAPSHOT = 'generated/schemas/AdOpusTest.dbo.yaml';
const FILE = 'migrations/tables/T007.sql';
const KEY = '    primary_key: { name: PK, columns: [id] }\n';
/** A warning that exists only in the cache, so that a run shows whether it used it. */
const MARK = 'said by the notes';
const TABLES = Array.from({ length: 340 }, (_, index) => `T${String(index).padStart(3, '0')}`);

let root: string;
let cache: string;
let first: CdcRun;

beforeAll(() => {
  root = copyOf(join(CLI, 'cases/_base'));
  writeTables(root);
  cache = emptyFolder();
  first = run([]);
  markCache();
}, 60_000);

it('the first run writes all files, and a cache file outside of the repo', () => {
  expect(first.code).toBe(0);
  expect(first.stdout).toMatch(/ 10\d\d created\n$/);
  expect(readdirSync(join(cache, 'cdc-migrations'))).toEqual([
    expect.stringMatching(/^generate-[0-9a-f]{32}\.json$/),
  ]);
});

it.each([[['--json']], [['--dry-run']]])(
  'an unchanged run with %j prints the same with and without the cache',
  (args) => {
    const before = treeOf(root);
    const [reused, rendered] = [run(args), run(args, { cache: emptyFolder() })];
    expect(reused.stdout + reused.stderr).toContain(MARK);
    const unmarked = (text: string) =>
      text.replace(`warning: ${MARK}\n`, '').replace(`,\n    "${MARK}"`, '');
    expect([reused.stdout, reused.stderr].map(unmarked)).toEqual([
      rendered.stdout,
      rendered.stderr,
    ]);
    expect(treeOf(root)).toEqual(before);
  },
  60_000,
);

it.each<[string, () => void, number, RegExp]>([
  [
    'a file is edited',
    () => edit(root, FILE, 'CREATE TABLE', 'CREATE TABLE  '),
    6,
    /1 edited by hand/,
  ],
  [
    'the checksum of a file is edited',
    () => edit(root, FILE, 'Checksum: sha256:', 'Checksum: sha256:0'),
    6,
    /1 edited by hand/,
  ],
  [
    'the header of a file is edited',
    () => edit(root, FILE, 'Source: ', 'Source: x'),
    0,
    /1 to change/,
  ],
  ['a file is missing', () => rmSync(join(root, FILE)), 0, /1 to create/],
  [
    'a file has the content of another table',
    () => write(root, FILE, read(root, 'migrations/tables/T008.sql')),
    0,
    /1 to change/,
  ],
  [
    'an extra SQL file is in a generated folder',
    () => write(root, 'migrations/tables/mine.sql', ''),
    0,
    / unchanged/,
  ],
  [
    'the configuration is edited',
    () => edit(root, SERVICE, 'ignore_columns: [Døv]', 'ignore_columns: [Navn]'),
    0,
    / to change/,
  ],
  [
    'a hand-written file is added',
    () => write(root, 'migrations/after/0001-x.sql', 'SELECT 1;\n'),
    0,
    /1 to change/,
  ],
  [
    'a symbolic link is added',
    () => symlinkSync(join(root, FILE), join(root, 'generated/x')),
    0,
    / unchanged/,
  ],
])(
  'generates again if %s',
  (_, change, code, sum) => {
    const before = treeOf(root);
    change();
    const found = run(['--dry-run']);
    restore(before);
    expect(found.stderr).not.toContain(MARK);
    expect(found).toMatchObject({ code, stdout: expect.stringMatching(sum) });
  },
  60_000,
);

it('generates again for another role, with --check, with --force and for a table', () => {
  expect(run(['--dry-run'], { role: 'other' }).stdout).toMatch(/ to change/);
  for (const args of [['--check'], ['--force'], ['--table', 'T007'], ['--only', 'tables']]) {
    expect(run(args)).toMatchObject({ code: 0, stderr: expect.not.stringContaining(MARK) });
  }
  expect(run([]).stderr).toContain(MARK);
}, 60_000);

it('generates again with another version of the tool', () => {
  const cli = join(emptyFolder(), 'cli');
  for (const part of ['bin', 'dist', 'package.json']) {
    cpSync(join(CLI, part), join(cli, part), { recursive: true });
  }
  expect(run([], { cli }).stderr).toContain(MARK);
  const chunk = readdirSync(join(cli, 'dist')).find((name) => /^chunk-.*\.js$/.test(name))!;
  write(cli, `dist/${chunk}`, `${read(cli, `dist/${chunk}`)}// another\n`);
  expect(run(['--dry-run'], { cli }).stderr).not.toContain(MARK);
}, 60_000);

it('works with a damaged cache, and if no cache can be written', () => {
  const file = join(emptyFolder(), 'file');
  writeFileSync(file, '');
  expect(run([], { cache: file })).toMatchObject({ code: 0, stderr: first.stderr });
  writeFileSync(cacheFile(), '{"fingerprint":');
  expect(run([])).toMatchObject({ code: 0, stdout: expect.stringMatching(/ unchanged\n$/) });
}, 60_000);

interface Options {
  readonly cache?: string;
  readonly role?: string;
  readonly cli?: string;
}

function run(args: readonly string[], options: Options = {}): CdcRun {
  const env = { XDG_CACHE_HOME: options.cache ?? cache, CDC_DB_USER: options.role ?? 'postgres' };
  if (options.cli === undefined) return generate(root, args, env);
  const command = [join(options.cli, 'bin/cdc.js'), 'manage-migrations', 'generate', ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, {
    cwd: root,
    encoding: 'utf8',
    env,
  });
  return { code: status, stdout, stderr };
}

/** Restores all files of the repo that a change has touched. */
function restore(before: Tree): void {
  const after = treeOf(root);
  for (const path of after.keys()) {
    if (!before.has(path)) rmSync(join(root, path), { recursive: true, force: true });
  }
  for (const [path, text] of before) {
    if (path.endsWith('/') || after.get(path) === text) continue;
    writeFileSync(join(root, path), text, 'latin1');
  }
}

function cacheFile(): string {
  const folder = join(cache, 'cdc-migrations');
  return join(folder, readdirSync(folder)[0]!);
}

/** Adds the warning that exists only in the cache. */
function markCache(): void {
  const cached = JSON.parse(readFileSync(cacheFile(), 'utf8')) as { warnings: string[] };
  writeFileSync(cacheFile(), JSON.stringify({ ...cached, warnings: [...cached.warnings, MARK] }));
}

function writeTables(folder: string): void {
  const snapshot = TABLES.map(
    (name) => `  ${name}:\n    columns: [{ name: id, type: int, nullable: false }]\n`,
  ).join('');
  write(folder, SNAPSHOT, read(folder, SNAPSHOT) + snapshot.replaceAll('}]\n', `}]\n${KEY}`));
  const sources = TABLES.map((name) => `      dbo.${name}: {}\n`).join('');
  edit(folder, SERVICE, '      dbo.Region: {}\n', `      dbo.Region: {}\n${sources}`);
  const sinks = TABLES.map(
    (name) => `        adopus.${name}: { from: dbo.${name}, target_exists: false }\n`,
  ).join('');
  edit(folder, SERVICE, '        public.customer_user:', `${sinks}        public.customer_user:`);
}
