import {
  cpSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openOutlines } from './yaml-outline.cjs';
import { readRepo } from './read-repo.cjs';
import { ROOT } from './workspace.fixture.ts';

/** Content of the file outside of the repo, which must not be printed. */
const SECRET = 'root-x-0-0-secret';

let parent: string;
let root: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'cdc-repo-'));
  root = join(parent, 'repo');
  cpSync(join(ROOT, 'packages/cli/cases/_base'), root, { recursive: true });
  writeFileSync(join(parent, 'secret.yaml'), `${SECRET}: true\n`);
});
afterEach(() => rmSync(parent, { recursive: true }));

const read = () => readRepo(root, 'source-groups.yaml', openOutlines(root));

it.each(['services/adopus.yaml', 'source-groups.yaml'])(
  'does not read through a link: %s',
  (path) => {
    expect(read).not.toThrow();
    renameSync(join(root, path), join(parent, 'before'));
    symlinkSync(join(parent, 'secret.yaml'), join(root, path));
    expect(read).toThrow(
      new Error(`${path}: expected a file or folder in the repo itself, found a link`),
    );
  },
);

it('refuses a sink whose name contains a path out of the repo', () => {
  const file = join(root, 'services/adopus.yaml');
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace('sink_asma.directory:', 'sink_asma.x/../../../outside:'));
  expect(read).toThrow(
    'services: expected a sink that can name a folder, found "sink_asma.x/../../../outside"',
  );
});
