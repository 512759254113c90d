import { cpSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export const CASES = join(__dirname, '..', 'cases');

const ADOPUS = join(__dirname, '..', '..', '..', 'fixtures', 'adopus');

/** What people write of a repo, and the snapshots. */
const INPUTS = ['source-groups.yaml', 'sink-groups.yaml', 'services', 'generated/schemas'];

const made: string[] = [];

afterAll(() => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
});

/** A copy of a folder, which is gone after the tests. */
export function copyOf(folder: string): string {
  const copy = emptyFolder();
  cpSync(folder, copy, { recursive: true });
  return copy;
}

/** A new implementation repo of a few tables, with nothing generated. */
export function smallRepo(): string {
  return copyOf(join(CASES, '_base'));
}

/** `fixtures/adopus` with nothing generated but the snapshots. */
export function adopusRepo(): string {
  const root = emptyFolder();
  for (const input of INPUTS) cpSync(join(ADOPUS, input), join(root, input), { recursive: true });
  return root;
}

export function emptyFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'cdc-')));
  made.push(folder);
  return folder;
}

/** Lays the files of a folder over a repo; a folder may take the place of a file. */
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

/** Replaces a part of a file, which must be there. */
export function edit(root: string, path: string, before: string, after: string): void {
  const text = read(root, path);
  if (!text.includes(before)) throw new Error(`${path} does not hold ${before}`);
  write(
    root,
    path,
    text.replace(before, () => after),
  );
}

/** Every file of a repo with its bytes, and every folder, which ends in `/`. */
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

/** `+ path`, `- path` and `~ path` of what is new, gone and changed since `before`, folders too. */
export function changesSince(before: Tree, root: string): readonly string[] {
  const after = treeOf(root);
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort();
  return paths.flatMap((path) => {
    if (!before.has(path)) return `+ ${path}`;
    if (!after.has(path)) return `- ${path}`;
    return before.get(path) === after.get(path) ? [] : `~ ${path}`;
  });
}
