import { knownNames } from '@cdc-migrations/shape';
import type { Part } from '../parse-part.ts';
import type { ServicePart } from '../parse-service-part.ts';
import type { SinkGroupsShape } from '../schemas/sink-groups.ts';
import type { SourceGroupsShape } from '../schemas/source-groups.ts';
import { envsOf } from './check-group.ts';

/** Reports a service whose `validation_env` is no environment of a source group that its sinks read from. */
export function checkValidationEnv(
  { draft, keys, report }: ServicePart,
  sinkGroups: Part<SinkGroupsShape> | undefined,
  sourceGroups: Part<SourceGroupsShape>,
): void {
  const env = draft?.source?.validation_env;
  if (env === undefined) return;
  const names = Object.keys(draft?.sinks ?? {}).map((sink) => sink.split('.')[0]!);
  for (const name of new Set(names.map((sink) => sinkGroups?.draft?.[sink]?.source_group))) {
    const group = name === undefined ? undefined : sourceGroups.draft?.[name];
    if (!group) continue;
    const envs = envsOf(group);
    if (envs.includes(env)) continue;
    const message = `the source group ${name} has no environment "${env}"; ${knownNames(env, envs)}`;
    report([...keys, 'source', 'validation_env'], message);
  }
}
