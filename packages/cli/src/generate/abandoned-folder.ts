import { statSync } from 'node:fs';
import { resolveRepoPath } from '@cdc-migrations/generated-file';
import type { GenerateOptions } from './generate-options.ts';
import type { FileStep } from '../repo/plan-files.ts';

/** Folder in which the original tool kept what is in migrations/ now. */
export const ABANDONED_FOLDER = 'generated/pg-migrations';

/** The removal of what the original tool wrote, where it is there and the run is for everything. */
export function planAbandoned(
  root: string,
  { only, table, service }: GenerateOptions,
): readonly FileStep[] {
  if (only ?? table ?? service) return [];
  const found = statSync(resolveRepoPath(root, ABANDONED_FOLDER), { throwIfNoEntry: false });
  return found?.isDirectory() ? [{ path: `${ABANDONED_FOLDER}/`, action: 'remove' }] : [];
}
