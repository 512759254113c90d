import { cpSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export const CASES = join(__dirname, '..', 'cases');

const ADOPUS = join(__dirname, '..', '..', '..', 'fixtures', 'adopus');

/** Hand-written files of a repo, and the snapshots. */
const INPUTS = ['source-groups.yaml', 'sink-groups.yaml', 'services', 'generated/schemas'];

const created: string[] = [];

afterAll(() => {
  for (const folder of created) rmSync(folder, { recursive: true, force: true });
});

/** Copies a folder. The copy is removed after the tests. */
export function copyOf(folder: string): string {
  const copy = emptyFolder();
  cpSync(folder, copy, { recursive: true });
  return copy;
}

/** Creates an implementation repo of a few tables without generated files. */
export function smallRepo(): string {
  return copyOf(join(CASES, '_base'));
}

/** Copies `fixtures/adopus` with the snapshots and without other generated files. */
export function adopusRepo(): string {
  const root = emptyFolder();
  for (const input of INPUTS) cpSync(join(ADOPUS, input), join(root, input), { recursive: true });
  return root;
}

export function emptyFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'cdc-')));
  created.push(folder);
  return folder;
}

/** Copies the files of a folder over a repo. A folder may replace a file. */
export function overlay(root: string, folder: string): void {
  for (const name of readdirSync(folder)) {
    const [from, to] = [join(folder, name), join(root, name)];
    const isFolder = lstatSync(from).isDirectory();
    if (existsSync(to) && lstatSync(to).isDirectory() !== isFolder) rmSync(to, { recursive: true });
    if (isFolder) {
      mkdirSync(to, { recursive: true });
      overlay(to, from);
    } else {
      cpSync(from, to);
    }
  }
}

export function read(root: string, path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

export function write(root: string, path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

/** Replaces a part of a file. Fails if the part does not exist. */
export function edit(root: string, path: string, before: string, after: string): void {
  const text = read(root, path);
  if (!text.includes(before)) throw new Error(`${path} does not hold ${before}`);
  write(
    root,
    path,
    text.replace(before, () => after),
  );
}

/** All files of a repo with their bytes, and all folders, which end in `/`. */
export type Tree = ReadonlyMap<string, string>;

export function treeOf(root: string): Tree {
  const entries = readdirSync(root, { recursive: true, withFileTypes: true });
  return new Map(
    entries
      .map((entry): [string, string] => {
        const path = join(entry.parentPath, entry.name);
        const name = path.slice(root.length + 1);
        return entry.isDirectory() ? [`${name}/`, ''] : [name, readFileSync(path, 'latin1')];
      })
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** Lists changes since `before` as `+ path`, `- path` and `~ path`, including folders. */
export function changesSince(before: Tree, root: string): readonly string[] {
  const after = treeOf(root);
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort();
  return paths.flatMap((path) => {
    if (!before.has(path)) return `+ ${path}`;
    if (!after.has(path)) return `- ${path}`;
    return before.get(path) === after.get(path) ? [] : `~ ${path}`;
  });
}
