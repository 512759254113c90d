import { mkdirSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { FileStep } from './plan-files.ts';

/** Carries the steps out. A file is written beside its place and moved there, so that none is ever half written. */
export function writeFiles(root: string, steps: readonly FileStep[]): void {
  const folders = new Set<string>();
  for (const { path, action, text } of steps) {
    const target = join(root, path);
    if (action === 'keep') continue;
    if (text === undefined) {
      rmSync(target);
      removeEmptyFolders(root, dirname(path));
      continue;
    }
    const folder = dirname(target);
    if (!folders.has(folder)) mkdirSync(folder, { recursive: true });
    folders.add(folder);
    const part = `${target}.${process.pid}.part`;
    writeFileSync(part, text);
    renameSync(part, target);
  }
}

function removeEmptyFolders(root: string, folder: string): void {
  for (let path = folder; path !== '.'; path = dirname(path)) {
    try {
      rmdirSync(join(root, path));
    } catch {
      return; // Not empty: other files live here.
    }
  }
}
