import { isGlobal, WHOLE_DATABASE, type MigrationFile } from '../migrations/migrations.ts';
import type { History, HistoryEntry } from './read-target.ts';

/**
 * State of a file in a schema:
 *
 * - `outdated`: the file is newer than the content in force.
 * - `failed`: this content was tried and failed.
 * - `unsafe`: this content was refused.
 * - `missing`: it was applied and is not in the manifest any more.
 * - `edited`: a file of `manual/` or `after/` was changed after it was applied. A correction does not count: the file
 *   was never applied in the schema where it failed, or its new text is in force in another schema.
 */
export type FileState =
  'pending' | 'applied' | 'outdated' | 'edited' | 'failed' | 'unsafe' | 'missing';

/** States of files that apply runs. */
export const TO_APPLY: ReadonlySet<FileState> = new Set([
  'pending',
  'outdated',
  'failed',
  'unsafe',
]);

/** Returns the state of a file of the manifest, from its entry in the history. */
export function fileState(
  file: Pick<MigrationFile, 'category' | 'name' | 'checksum' | 'scope' | 'schema'>,
  entry: HistoryEntry | undefined,
  history: History,
): FileState {
  const { checksum } = file;
  if (!entry) return isOnce(file) && ranElsewhere(file, history) ? 'edited' : 'pending';
  if (entry.appliedChecksum === checksum) return 'applied';
  if (isOnce(file) && entry.appliedChecksum !== null) {
    return isCorrected(file, history) ? 'applied' : 'edited';
  }
  const wasTried = entry.checksum === checksum;
  if (wasTried && entry.outcome === 'failed') return 'failed';
  if (wasTried && entry.outcome === 'unsafe') return 'unsafe';
  return entry.appliedChecksum === null ? 'pending' : 'outdated';
}

/** True if a file runs only once in a schema. */
export function isOnce({ category }: Pick<MigrationFile, 'category'>): boolean {
  return category === 'manual' || category === 'after';
}

/** True if the file ran per schema and belongs to the whole database now, or the reverse. */
function ranElsewhere(
  file: Pick<MigrationFile, 'category' | 'name' | 'scope' | 'schema'>,
  { entries }: History,
): boolean {
  return entries.some(
    ({ entry, schemas, ...of }) =>
      of.category === file.category &&
      of.name === file.name &&
      entry.appliedChecksum !== null &&
      schemas.some((schema) => (schema === WHOLE_DATABASE) !== isGlobal(file)),
  );
}

function isCorrected(
  { category, name, checksum }: Pick<MigrationFile, 'category' | 'name' | 'checksum'>,
  { entries }: History,
): boolean {
  return entries.some(
    ({ entry, ...of }) =>
      of.category === category &&
      of.name === name &&
      (entry.appliedChecksum === checksum ||
        (entry.appliedChecksum === null && entry.outcome === 'failed')),
  );
}
