import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { resolveRepoPath } from '@cdc-migrations/generated-file';
import { CommandError } from '../exit-code.ts';
import type { FileStep } from './plan-files.ts';
import { reasonOf } from './repo-files.ts';

/**
 * Writes and removes files. All texts are first written to temporary files in their folders. Only when all of them
 * exist, stale files are removed and the new ones are renamed. So no file is ever half written, and if one cannot be
 * written all stay unchanged.
 *
 * @throws CommandError if a file cannot be written
 */
export function writeFiles(root: string, steps: readonly FileStep[]): void {
  const writes = steps.filter(({ action }) => action === 'create' || action === 'change');
  const removals = steps.filter(({ action }) => action === 'remove');
  const parts = writeParts(root, writes, removals);
  try {
    // Removals come first: on a case-insensitive file system the old file of a renamed table is its new one.
    for (const { path } of removals)
      attempt(path, () => rmSync(resolveRepoPath(root, path), FORCED));
    for (const { path, part, target } of parts) attempt(path, () => renameSync(part, target));
  } finally {
    for (const { part } of parts) rmSync(part, FORCED);
  }
  for (const folder of new Set(removals.map(({ path }) => dirname(path)))) {
    removeEmptyFolders(root, folder);
  }
}

const FORCED = { force: true, recursive: true } as const;

interface Part {
  readonly path: string;
  /** Absolute path of the temporary file. */
  readonly part: string;
  /** Absolute path of the final file. */
  readonly target: string;
}

/** Writes every text to a temporary file. Removes all of them on an error. */
function writeParts(
  root: string,
  writes: readonly FileStep[],
  removals: readonly FileStep[],
): readonly Part[] {
  const parts: Part[] = [];
  const created: string[] = [];
  const opened = new Map<string, string>();
  /**
   * Returns the absolute path of a folder and checks each folder only once. Checks for thousands of files would take a
   * third of the time.
   */
  const openFolder = (folder: string): string => {
    const known = opened.get(folder);
    if (known !== undefined) return known;
    const target = folder === '.' ? root : resolveRepoPath(root, folder);
    opened.set(folder, target);
    const first = mkdirSync(target, { recursive: true });
    if (first !== undefined) created.push(first);
    else accessSync(target, constants.W_OK | constants.X_OK);
    return target;
  };
  try {
    for (const { path } of removals)
      attempt(path, () => openFolder(dirname(path.replace(/\/$/, ''))));
    for (const { path, action, text = '' } of writes) {
      attempt(path, () => {
        const target = join(openFolder(dirname(path)), basename(path));
        const part = `${target}.${process.pid}.part`;
        if (action === 'change') accessSync(target, constants.W_OK);
        parts.push({ path, part, target });
        rmSync(part, FORCED);
        writeFileSync(part, text, { flag: 'wx' }); // Never follows a link.
      });
    }
  } catch (error) {
    for (const path of [...parts.map(({ part }) => part), ...created]) rmSync(path, FORCED);
    throw error;
  }
  return parts;
}

function attempt(path: string, write: () => void): void {
  try {
    write();
  } catch (cause) {
    const message = `${path}: cannot be written: ${reasonOf(cause)}`;
    throw new CommandError(message, undefined, { cause });
  }
}

function removeEmptyFolders(root: string, folder: string): void {
  for (let path = folder; path !== '.'; path = dirname(path)) {
    try {
      const emptied = resolveRepoPath(root, path);
      if (existsSync(emptied)) rmdirSync(emptied);
    } catch {
      return; // Not empty, because other files are in the folder.
    }
  }
}
