import { knownNames } from '@cdc-migrations/shape';
import type { Part } from '../parse-part.ts';
import { tenantNameFault } from '../schema-name.ts';
import type { SinkGroupsShape } from '../schemas/sink-groups.ts';
import type { SourceGroupsShape } from '../schemas/source-groups.ts';
import { checkGroup, envsOf } from './check-group.ts';

/** Reports what is wrong with the groups of sources, also in their view of the sinks where those are known. */
export function checkSourceGroups(
  { draft, report }: Part<SourceGroupsShape>,
  sinkGroups: Part<SinkGroupsShape> | undefined,
): void {
  for (const [name, group] of Object.entries(draft ?? {})) {
    if (!group) continue;
    checkGroup(group, [name], report);
    const sinkEnvs = sinkEnvsOf(name, sinkGroups);
    for (const [tenant, source] of Object.entries(group.sources ?? {})) {
      const keys = [name, 'sources', tenant];
      const fault = tenantNameFault(tenant);
      if (fault !== undefined) report(keys, fault);
      for (const [env, environment] of Object.entries(source?.environments ?? {})) {
        const target = environment?.target_sink_env;
        if (target === undefined || !sinkEnvs || sinkEnvs.includes(target)) continue;
        const message = `no sink of ${name} has an environment "${target}"; ${knownNames(target, sinkEnvs)}`;
        report([...keys, env, 'target_sink_env'], message);
      }
    }
  }
}

/** The environments of the sinks that a source group feeds; undefined where they are not known. */
function sinkEnvsOf(
  sourceGroup: string,
  sinkGroups: Part<SinkGroupsShape> | undefined,
): readonly string[] | undefined {
  const fed = Object.values(sinkGroups?.draft ?? {}).filter(
    (group) => group?.source_group === sourceGroup,
  );
  return fed.length === 0
    ? undefined
    : [...new Set(fed.flatMap((group) => (group ? envsOf(group) : [])))];
}
