import type { Source, SourceGroup } from './config.ts';

/**
 * Lists the sources (customers or services) of a group that take part in an environment of a sink. A source takes part
 * if one of its environments feeds the sink's environment. In `embedded`, the environment of an embedded PostgreSQL,
 * all sources take part.
 */
export function tenantsOf({ sources }: SourceGroup, sinkEnv: string): readonly Source[] {
  if (sinkEnv === 'embedded') return sources;
  return sources.filter(({ environments }) =>
    [...environments.values()].some(({ targetSinkEnv }) => targetSinkEnv === sinkEnv),
  );
}
