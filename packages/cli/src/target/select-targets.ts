import { listSchemas } from '@cdc-migrations/tracker';
import { CommandError } from '../exit-code.ts';
import { locating } from './locate-target-error.ts';
import type { CommandTarget } from './open-targets.ts';

/**
 * Returns the targets with schemas of `--schema`. The default is all.
 *
 * @throws CommandError for a glob without a match in any target
 */
export function selectTargets(
  targets: readonly CommandTarget[],
  globs: readonly string[] | undefined,
): readonly CommandTarget[] {
  if (!globs) return targets;
  for (const glob of globs) {
    if (targets.some((target) => schemasOf(target, [glob]).length > 0)) continue;
    const known = targets.map((target) => `${target.label} has ${schemasOf(target).join(', ')}`);
    throw new CommandError(`--schema ${glob}: unknown schema; ${known.join('; ')}`);
  }
  return targets.filter((target) => schemasOf(target, globs).length > 0);
}

/** Returns the schemas of a target with files to apply or check. */
function schemasOf(
  { label, migrations, tenants }: CommandTarget,
  only?: readonly string[],
): readonly string[] {
  const files = [...migrations.files, ...migrations.validation];
  return locating(label, () => listSchemas({ files }, { tenants, only }));
}
