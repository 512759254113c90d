import { knownNames, type Draft, type Keys, type Report } from '@cdc-migrations/shape';
import type { SourceGroupsShape } from '../schemas/source-groups.ts';
import { refuseCaseTwins, refuseTwice } from './refuse-twins.ts';

/** A group of sources; one of sinks has all of its keys. */
export type GroupDraft = Draft<SourceGroupsShape[string]>;

type EnvironmentDraft = Draft<SourceGroupsShape[string]['sources'][string]['environments'][string]>;

/** Reports what is wrong in groups of sources and of sinks alike: environments, servers, names. */
export function checkGroup(group: GroupDraft, keys: Keys, report: Report): void {
  checkEnvs(group, keys, report);
  if (group.servers && Object.keys(group.servers).length === 0) {
    const expected = 'expected `<server>: { host, port, user, password }`';
    report([...keys, 'servers'], `no servers; ${expected}`);
  }
  const sources = Object.entries(group.sources ?? {});
  const names = sources.map(([name]) => name);
  refuseCaseTwins(names, [...keys, 'sources'], report);
  for (const [name, source] of sources) {
    for (const [env, environment] of Object.entries(source?.environments ?? {})) {
      const below = [...keys, 'sources', name, env];
      if (environment) checkEnvironment({ env, environment, group }, below, report);
    }
  }
}

/** The environments of a group: as listed, else those that its sources have. */
export function envsOf(group: GroupDraft): readonly string[] {
  if (group.envs) return [...new Set(group.envs.filter((env) => env !== undefined))];
  const sources = Object.values(group.sources ?? {});
  return [...new Set(sources.flatMap((source) => Object.keys(source?.environments ?? {})))];
}

function checkEnvs(group: GroupDraft, keys: Keys, report: Report): void {
  const { envs = [], validation_env: validationEnv } = group;
  refuseTwice(envs, [...keys, 'envs'], report);
  envs.forEach((env, index) => {
    const fault = RESERVED_ENVS.get(env);
    if (fault !== undefined) report([...keys, 'envs'], fault, index);
  });
  const known = envsOf(group);
  if (validationEnv === undefined || known.includes(validationEnv)) return;
  const message = `unknown environment "${validationEnv}"; ${knownNames(validationEnv, known)}`;
  report([...keys, 'validation_env'], message);
}

/** Why an environment cannot have a name. */
const RESERVED_ENVS: ReadonlyMap<string | undefined, string> = new Map([
  ['embedded', 'the environment "embedded" is reserved for an embedded PostgreSQL; choose another'],
  ['schemas', 'an environment cannot be called "schemas", as a key beside it is; choose another'],
]);

interface EnvironmentOfGroup {
  readonly env: string;
  readonly environment: EnvironmentDraft;
  readonly group: GroupDraft;
}

function checkEnvironment(
  { env, environment, group }: EnvironmentOfGroup,
  keys: Keys,
  report: Report,
): void {
  const envs = envsOf(group);
  if (!envs.includes(env)) {
    report(keys, `"${env}" is not in envs of the group; ${knownNames(env, envs)}`);
  }
  const fault = group.envs ? undefined : RESERVED_ENVS.get(env);
  if (fault !== undefined) report(keys, fault);
  const { server } = environment;
  const servers = Object.keys(group.servers ?? {});
  if (server === undefined || servers.length === 0 || servers.includes(server)) return;
  report([...keys, 'server'], `unknown server "${server}"; ${knownNames(server, servers)}`);
}
