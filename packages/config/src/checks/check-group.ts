import { didYouMean } from '../nearest.ts';
import type { Keys, Report } from '../report.ts';
import type { SourceGroupsShape } from '../schemas/source-groups.ts';
import type { Draft } from '../shape/draft.ts';
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
  if (group.envs) return group.envs.filter((env) => env !== undefined);
  const sources = Object.values(group.sources ?? {});
  return [...new Set(sources.flatMap((source) => Object.keys(source?.environments ?? {})))];
}

function checkEnvs(group: GroupDraft, keys: Keys, report: Report): void {
  const { envs = [], validation_env: validationEnv } = group;
  refuseTwice(envs, [...keys, 'envs'], report);
  envs.forEach((env, index) => {
    if (env === undefined || !RESERVED_ENVS.has(env)) return;
    report([...keys, 'envs'], `"${env}" is no name for an environment; it is reserved`, index);
  });
  const known = envsOf(group);
  if (validationEnv === undefined || known.includes(validationEnv)) return;
  report(
    [...keys, 'validation_env'],
    `unknown environment "${validationEnv}"; known: ${known.join(', ')}${didYouMean(validationEnv, known)}`,
  );
}

/** `embedded` is the database of `--env embedded`; the others are keys that stand beside the environments. */
const RESERVED_ENVS: ReadonlySet<string> = new Set(['embedded', 'schemas']);

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
    const known = `known from envs: ${envs.join(', ')}`;
    report(keys, `unknown environment "${env}"; ${known}${didYouMean(env, envs)}`);
  }
  const { server } = environment;
  if (server === undefined || !group.servers || server in group.servers) return;
  const servers = Object.keys(group.servers);
  const known = `known: ${servers.join(', ')}`;
  report([...keys, 'server'], `unknown server "${server}"; ${known}${didYouMean(server, servers)}`);
}
