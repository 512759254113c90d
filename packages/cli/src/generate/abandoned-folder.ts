import { statSync } from 'node:fs';
import { resolveRepoPath } from '@cdc-migrations/generated-file';
import type { GenerateOptions } from './generate-options.ts';
import type { FileStep } from '../repo/plan-files.ts';

/** Folder in which the original tool kept the files that are now in migrations/. */
export const ABANDONED_FOLDER = 'generated/pg-migrations';

/** Plans the removal of the original tool's output if it exists and the run covers everything. */
export function planAbandoned(
  root: string,
  { only, table, service }: GenerateOptions,
): readonly FileStep[] {
  if (only ?? table ?? service) return [];
  const found = statSync(resolveRepoPath(root, ABANDONED_FOLDER), { throwIfNoEntry: false });
  return found?.isDirectory() ? [{ path: `${ABANDONED_FOLDER}/`, action: 'remove' }] : [];
}
