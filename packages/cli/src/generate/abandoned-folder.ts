import { readdirSync, readFileSync, statSync, type Dirent } from 'node:fs';
import { join } from 'node:path';
import { resolveRepoPath } from '@cdc-migrations/generated-file';
import type { GenerateOptions } from './generate-options.ts';
import type { FileStep } from '../repo/plan-files.ts';

/** Folder in which the original tool kept the files that are now in migrations/. */
export const ABANDONED_FOLDER = 'generated/pg-migrations';

/** A comment among the first lines of a file that says that a program wrote it. */
const HEADER =
  /^(?:--|#|\/\*).*(?:\bdo not edit\b|\bauto-?generated\b|\bgenerated (?:by|at|on)\b)/imu;
const HEADER_LINES = 10;

/**
 * Plans the removal of the original tool's output if it exists and the run covers everything. Files without the header
 * of a program are of users and stay.
 */
export function planAbandoned(
  root: string,
  { only, table, service }: GenerateOptions,
): readonly FileStep[] {
  if (only ?? table ?? service) return [];
  const folder = resolveRepoPath(root, ABANDONED_FOLDER);
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return [];
  const steps = planFolder(folder, ABANDONED_FOLDER);
  return steps.every(({ action }) => action === 'remove')
    ? [{ path: `${ABANDONED_FOLDER}/`, action: 'remove' }]
    : steps;
}

function planFolder(folder: string, path: string): readonly FileStep[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const own = `${path}/${entry.name}`;
    if (entry.isDirectory()) return planFolder(join(folder, entry.name), own);
    return { path: own, action: isGenerated(entry, join(folder, entry.name)) ? 'remove' : 'extra' };
  });
}

function isGenerated(entry: Dirent, file: string): boolean {
  if (!entry.isFile()) return false;
  const lines = readFileSync(file, 'utf8').split('\n', HEADER_LINES);
  return HEADER.test(lines.join('\n'));
}
