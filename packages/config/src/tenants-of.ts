import type { Source, SourceGroup } from './config.ts';

/**
 * Lists the sources of a group (customers or services) that take part in an environment of a sink: those with an
 * environment that feeds it. In `embedded`, the environment of an embedded PostgreSQL, all of them do.
 */
export function tenantsOf({ sources }: SourceGroup, sinkEnv: string): readonly Source[] {
  if (sinkEnv === 'embedded') return sources;
  return sources.filter(({ environments }) =>
    [...environments.values()].some(({ targetSinkEnv }) => targetSinkEnv === sinkEnv),
  );
}
