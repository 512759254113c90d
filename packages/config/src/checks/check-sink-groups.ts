import { knownNames } from '../nearest.ts';
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
    const { source_group: sourceGroup } = group;
    if (sourceGroup === undefined || !known || known.includes(sourceGroup)) continue;
    const message = `unknown source group "${sourceGroup}"; ${knownNames(sourceGroup, known)}`;
    report([name, 'source_group'], message);
  }
}
