import { checksumOf } from '@cdc-migrations/generated-file';
import { namePattern, quoteLiteral } from '@cdc-migrations/sql-text';
import { isUserFile, type MigrationSet } from '@cdc-migrations/table-defs';
import { isOnce } from '../history/file-state.ts';
import type { History } from '../history/read-target.ts';
import type { MigrationFile, Migrations } from '../migrations/migrations.ts';

/** A hand-written file after a rename. */
export interface RenamedFile {
  /** Path relative to the folder of the set. */
  readonly path: string;
  /**
   * - `corrected`: its applied text had the old name where it has the new one now, so it counts as applied.
   * - `old name`: it has the old name as a name of SQL.
   */
  readonly state: 'corrected' | 'old name';
  /** First line with the old name. */
  readonly line?: number;
}

/** A file whose history follows a rename, with the SQL that does so. */
export interface CorrectedFile {
  readonly file: RenamedFile;
  readonly statement: string;
}

/** Names before and after a rename. */
export interface OldAndNewName {
  readonly from: string;
  readonly to: string;
}

/** Finds files of `manual/` and `after/` that were applied with the old name and have the new one now. */
export function findCorrected(
  { set, files }: Pick<Migrations, 'files'> & { readonly set: Pick<MigrationSet, 'name'> },
  { entries }: Pick<History, 'entries'>,
  { from, to }: OldAndNewName,
): readonly CorrectedFile[] {
  return files.filter(isOnce).flatMap((file) => {
    const before = checksumOf(file.text.replaceAll(new RegExp(namePattern(to), 'gu'), () => from));
    const isApplied = entries.some(
      ({ category, name, entry }) =>
        category === file.category && name === file.name && entry.appliedChecksum === before,
    );
    if (before === file.checksum || !isApplied) return [];
    const key = [set.name, file.category, file.name, before].map(quoteLiteral).join(', ');
    const checksum = quoteLiteral(file.checksum);
    return [
      {
        file: { path: file.path, state: 'corrected' },
        statement: `UPDATE cdc_management.migration_history SET checksum = ${checksum}, applied_checksum = ${checksum}
WHERE (migration_set, category, table_name, applied_checksum) = (${key})`,
      },
    ];
  });
}

/** Finds hand-written files that have the old name as a name of SQL: quoted, before a dot or behind one. */
export function findOldName(
  files: readonly MigrationFile[],
  { from }: OldAndNewName,
): readonly RenamedFile[] {
  const word = namePattern(from);
  const name = new RegExp(`["']${word}["']|${word}\\s*\\.|\\.\\s*${word}`, 'u');
  return files.filter(isUserFile).flatMap(({ path, text }): readonly RenamedFile[] => {
    const at = text.split('\n').findIndex((line) => name.test(line));
    return at === -1 ? [] : [{ path, state: 'old name', line: at + 1 }];
  });
}
