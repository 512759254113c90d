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
 * Carries the steps out. Every text is first written beside its place; only when all of them are there, stale files
 * go and the new ones move to their places. So none is ever half written, and where one cannot be written all stay
 * as they are.
 *
 * @throws CommandError for what cannot be written.
 */
export function writeFiles(root: string, steps: readonly FileStep[]): void {
  const writes = steps.filter(({ action }) => action === 'create' || action === 'change');
  const removals = steps.filter(({ action }) => action === 'remove');
  const parts = writeParts(root, writes, removals);
  try {
    // Removed first: on a file system that ignores case, a renamed table's old file is its new one.
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
  /** Absolute path of the text, to be renamed. */
  readonly part: string;
  /** Absolute path that it is renamed to. */
  readonly target: string;
}

/** Writes every text beside its place; on an error, nothing of it stays. */
function writeParts(
  root: string,
  writes: readonly FileStep[],
  removals: readonly FileStep[],
): readonly Part[] {
  const parts: Part[] = [];
  const made: string[] = [];
  const opened = new Map<string, string>();
  /** The absolute path, which is looked at once: a check of each of thousands of files takes a third of the time. */
  const openFolder = (folder: string): string => {
    const known = opened.get(folder);
    if (known !== undefined) return known;
    const target = folder === '.' ? root : resolveRepoPath(root, folder);
    opened.set(folder, target);
    const first = mkdirSync(target, { recursive: true });
    if (first !== undefined) made.push(first);
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
        writeFileSync(part, text, { flag: 'wx' }); // Through no link that somebody has put there.
      });
    }
  } catch (error) {
    for (const path of [...parts.map(({ part }) => part), ...made]) rmSync(path, FORCED);
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
      return; // Not empty: other files live here.
    }
  }
}
