import type { Problem } from '@cdc-migrations/config';
import type { Obstacle } from './read-in-the-way.ts';
import type { MigrationSet, TableChange } from '@cdc-migrations/table-defs';

export interface ManualFile {
  /** Path relative to the repo. */
  readonly path: string;
  readonly state: 'created' | 'there already';
}

/** Differences between definitions, with everything to report about them. */
export interface Diff {
  readonly changes: readonly TableChange[];
  /** What to do with new columns. */
  readonly suggestions: readonly string[];
  /** Configured tables and columns that are missing at the source. `generate` would fail on them. */
  readonly gone: readonly Problem[];
  /** True if the generated files have the changes already, as with the base of a pull request. */
  readonly isWritten: boolean;
  readonly sets: readonly MigrationSet[];
  /** Objects that block changes of type, with `--target`. */
  readonly obstacles?: readonly Obstacle[] | undefined;
  /** Files of `--scaffold-manual`. */
  readonly manual: readonly ManualFile[];
}
