import { knownNames, type Keys, type Report } from '@cdc-migrations/shape';
import type { Part } from '../parse-part.ts';
import type { SinkGroupsShape } from '../schemas/sink-groups.ts';
import type { SourceGroupsShape } from '../schemas/source-groups.ts';
import { checkGroup } from './check-group.ts';

/** Reports what is wrong with the groups of sinks, also in their view of the sources where those are known. */
export function checkSinkGroups(
  { draft, report }: Part<SinkGroupsShape>,
  sourceGroups: Part<SourceGroupsShape> | undefined,
): void {
  const known = sourceGroups?.draft && Object.keys(sourceGroups.draft);
  for (const [name, group] of Object.entries(draft ?? {})) {
    if (!group) continue;
    checkGroup(group, [name], report);
    refuseNoFolder(name, [name], report);
    for (const database of Object.keys(group.sources ?? {}))
      refuseNoFolder(database, [name, 'sources', database], report);
    const { source_group: sourceGroup } = group;
    if (sourceGroup === undefined || !known || known.includes(sourceGroup)) continue;
    const message = `unknown source group "${sourceGroup}"; ${knownNames(sourceGroup, known)}`;
    report([name, 'source_group'], message);
  }
}

/** What file systems take for more than a name, on this machine or another. */
const NOT_IN_FOLDERS = /[/\\:*?"<>|]/;

/** Reports a name that cannot be part of the folder `migrations/<group>.<database>`. */
function refuseNoFolder(name: string, keys: Keys, report: Report): void {
  const letter = NOT_IN_FOLDERS.exec(name)?.[0];
  if (letter === undefined) return;
  const expected = 'expected a name without / \\ : * ? " < > |, as a folder of migrations/ has it';
  report(keys, `the name "${name}" has ${letter}; ${expected}`);
}
