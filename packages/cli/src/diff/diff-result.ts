import type { Problem } from '@cdc-migrations/config';
import type { Obstacle } from './read-in-the-way.ts';
import type { MigrationSet, TableChange } from '@cdc-migrations/table-defs';

export interface ManualFile {
  /** Relative to the repo. */
  readonly path: string;
  readonly state: 'created' | 'there already';
}

/** What became of the definitions, and all that is to be said of it. */
export interface Diff {
  readonly changes: readonly TableChange[];
  /** What the configuration names and the source lacks: `generate` will stop there. */
  readonly gone: readonly Problem[];
  readonly sets: readonly MigrationSet[];
  /** With `--target`, what is in the way of changes of type. */
  readonly inTheWay?: readonly Obstacle[] | undefined;
  /** Files of `--scaffold-manual`. */
  readonly manual: readonly ManualFile[];
}
