import type { MigrationSet } from '@cdc-migrations/table-defs';
import type { FileStep } from '../repo/plan-files.ts';

/** A warning for each file of SQL that looks as if it were applied, and is not. */
export function strayWarnings(
  steps: readonly FileStep[],
  sets: readonly MigrationSet[],
): readonly string[] {
  const right = sets.map(({ folder }) => `${folder}/manual/`).join(' or ');
  return steps
    .filter(({ action, path }) => action === 'stray' && path.endsWith('.sql'))
    .map(
      ({ path }) => `${path}: is in no manifest and never applied; SQL by people is in ${right}`,
    );
}
