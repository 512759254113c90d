import { knownNames } from '@cdc-migrations/shape';
import type { Part } from '../parse-part.ts';
import type { SourceGroupsShape } from '../schemas/source-groups.ts';
import type { TypeOverridesShape } from '../schemas/type-overrides.ts';

/** Reports files of type overrides whose name names no source group. */
export function checkTypeOverrides(
  typeOverrides: ReadonlyMap<string, Part<TypeOverridesShape>>,
  { draft }: Part<SourceGroupsShape>,
): void {
  if (!draft) return;
  const groups = Object.keys(draft);
  for (const [group, { report }] of typeOverrides) {
    if (groups.includes(group)) continue;
    const message = `unknown source group "${group}" in the name of the file; ${knownNames(group, groups)}`;
    report([], message);
  }
}
