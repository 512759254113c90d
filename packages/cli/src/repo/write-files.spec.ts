import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, cpSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generate } from '../cdc.fixture.ts';
import { changesSince, copyOf, edit, emptyFolder, smallRepo, treeOf } from '../repo.fixture.ts';

const SNAPSHOT = 'generated/schemas/AdOpusTest.dbo.yaml';

/** A user without root privileges, because root ignores file modes. */
const NOBODY = process.getuid?.() === 0 ? 65534 : undefined;

/** A copy of the command in a folder that this user can read. */
let bin: string;
let done: string;

beforeAll(() => {
  const home = emptyFolder();
  const cli = join(__dirname, '..', '..');
  for (const name of ['bin', 'dist', 'package.json']) {
    cpSync(join(cli, name), join(home, name), { recursive: true });
  }
  chmodSync(home, 0o755);
  bin = join(home, 'bin/cdc.js');
  done = smallRepo();
  expect(generate(done).code).toBe(0);
});

function generateAsNobody(cwd: string) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [bin, 'manage-migrations', 'generate'],
    { cwd, encoding: 'utf8', ...(NOBODY !== undefined && { uid: NOBODY, gid: NOBODY }) },
  );
  return { code: status, stdout, stderr };
}

/** Creates a repo that belongs to the user of `generateAsNobody`, with stale files of Fraver. */
function staleRepo(): string {
  const root = copyOf(done);
  edit(root, SNAPSHOT, 'name: FraDato', 'name: FraDate');
  changeOwner(root);
  return root;
}

/** Makes the user of `generateAsNobody` the owner of a repo. */
function changeOwner(root: string): void {
  if (NOBODY === undefined) return;
  for (const path of ['', ...treeOf(root).keys()]) chownSync(join(root, path), NOBODY, NOBODY);
}

it.each([
  ['a folder', 'migrations/staging', 0o555, 'migrations/staging/Fraver-staging.sql'],
  [
    'a file',
    'migrations/staging/Fraver-staging.sql',
    0o444,
    'migrations/staging/Fraver-staging.sql',
  ],
  ['the last file to be written', 'migrations/manifest.yaml', 0o444, 'migrations/manifest.yaml'],
])('changes nothing if %s is read-only', (_, locked, mode, path) => {
  const root = staleRepo();
  const before = treeOf(root);
  const usual = statSync(join(root, locked)).mode;
  chmodSync(join(root, locked), mode);
  try {
    expect(generateAsNobody(root)).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining(`${path}: cannot be written: permission denied\n`),
    });
    expect(changesSince(before, root)).toEqual([]);
  } finally {
    chmodSync(join(root, locked), usual);
  }
  expect(generateAsNobody(root)).toMatchObject({ code: 0 });
});

it('changes nothing if a stale file cannot be removed', () => {
  const root = copyOf(done);
  edit(root, 'services/adopus.yaml', 'public.customer_user', 'public.customers');
  changeOwner(root);
  const before = treeOf(root);
  chmodSync(join(root, 'migrations/validation'), 0o555);
  const run = generateAsNobody(root);
  chmodSync(join(root, 'migrations/validation'), 0o755);
  expect(run).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining(
      'migrations/validation/customer_user.sql: cannot be written: permission denied\n',
    ),
  });
  expect(changesSince(before, root)).toEqual([]);
});

it('removes new folders if a later folder cannot be created', () => {
  const root = smallRepo();
  mkdirSync(join(root, 'migrations'));
  changeOwner(root);
  const before = treeOf(root);
  chmodSync(join(root, 'migrations'), 0o555);
  const run = generateAsNobody(root);
  chmodSync(join(root, 'migrations'), 0o755);
  expect(run).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining(
      'migrations/schemas/create-schemas.sql: cannot be written: permission denied\n',
    ),
  });
  expect(changesSince(before, root)).toEqual([]);
});

it('reports a file that has the path of a folder', () => {
  const root = smallRepo();
  mkdirSync(join(root, 'migrations'));
  writeFileSync(join(root, 'migrations/tables'), 'a file\n');
  const before = treeOf(root);
  expect(generate(root)).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining(
      'migrations/tables/Actor.sql: cannot be read: expected a folder, found a file\n',
    ),
  });
  expect(changesSince(before, root)).toEqual([]);
});

it('reports a snapshot that cannot be read, and does not write the manifest', () => {
  const root = staleRepo();
  chmodSync(join(root, SNAPSHOT), 0o000);
  const before = statSync(join(root, 'migrations/manifest.yaml')).mtimeMs;
  expect(generateAsNobody(root)).toMatchObject({
    code: 2,
    stdout: '',
    stderr: `${SNAPSHOT}: cannot be read: permission denied\n`,
  });
  expect(statSync(join(root, 'migrations/manifest.yaml')).mtimeMs).toBe(before);
});
