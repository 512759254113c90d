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
import { dirname } from 'node:path';
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
    for (const { path, part } of parts)
      attempt(path, () => renameSync(part, resolveRepoPath(root, path)));
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
}

/** Writes every text beside its place; on an error, nothing of it stays. */
function writeParts(
  root: string,
  writes: readonly FileStep[],
  removals: readonly FileStep[],
): readonly Part[] {
  const parts: Part[] = [];
  const made: string[] = [];
  const seen = new Set<string>();
  const openFolder = (folder: string) => {
    if (seen.has(folder)) return;
    seen.add(folder);
    const first = mkdirSync(folder, { recursive: true });
    if (first !== undefined) made.push(first);
    else accessSync(folder, constants.W_OK | constants.X_OK);
  };
  try {
    for (const { path } of removals)
      attempt(path, () => openFolder(dirname(resolveRepoPath(root, path))));
    for (const { path, action, text = '' } of writes) {
      attempt(path, () => {
        const target = resolveRepoPath(root, path);
        const part = resolveRepoPath(root, `${path}.${process.pid}.part`);
        openFolder(dirname(target));
        if (action === 'change') accessSync(target, constants.W_OK);
        parts.push({ path, part });
        writeFileSync(part, text);
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
