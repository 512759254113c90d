import type { MigrationFile } from './migrations.ts';
import type { HistoryEntry } from './read-target.ts';

/**
 * What a file is in a schema: `outdated` files have a newer content than what is in force, `failed` ones were tried with
 * this content in vain, `unsafe` ones were refused with it, `missing` ones are applied and are no longer in the
 * manifest. A file by people that was changed after it was applied is `edited`.
 */
export type FileState =
  'pending' | 'applied' | 'outdated' | 'edited' | 'failed' | 'unsafe' | 'missing';

/** States in which a file is to be applied. */
export const TO_APPLY: ReadonlySet<FileState> = new Set([
  'pending',
  'outdated',
  'failed',
  'unsafe',
]);

/** The state of a file of the manifest, by its entry in the history. */
export function fileState(
  { category, checksum }: Pick<MigrationFile, 'category' | 'checksum'>,
  entry: HistoryEntry | undefined,
): FileState {
  if (!entry) return 'pending';
  if (entry.appliedChecksum === checksum) return 'applied';
  if (category === 'manual' && entry.appliedChecksum !== null) return 'edited';
  const wasTried = entry.checksum === checksum;
  if (wasTried && entry.outcome === 'failed') return 'failed';
  if (wasTried && entry.outcome === 'unsafe') return 'unsafe';
  return entry.appliedChecksum === null ? 'pending' : 'outdated';
}
