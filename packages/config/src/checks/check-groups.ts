import { didYouMean, knownNames, type Draft, type Keys, type Report } from '@cdc-migrations/shape';
import { refuseCaseDuplicates, refuseTwice } from './refuse-duplicates.ts';
import type { Part } from '../parse-part.ts';
import { tenantNameProblem } from '../schema-name.ts';
import type { SinkGroupsShape, SourceGroupsShape } from '../schemas/groups.ts';
import type { TypeOverridesShape } from '../schemas/definitions.ts';

/** Reports problems of the source groups. Also checks them against the sink groups if these are known. */
export function checkSourceGroups(
  { draft, report }: Part<SourceGroupsShape>,
  sinkGroups: Part<SinkGroupsShape> | undefined,
): void {
  for (const [name, group] of Object.entries(draft ?? {})) {
    if (!group) continue;
    checkGroup(group, [name], report);
    refuseSharedIds(group, [name], report);
    refuseSharedDatabases(group, [name], report);
    const sinkEnvs = sinkEnvsOf(name, sinkGroups);
    for (const [tenant, source] of Object.entries(group.sources ?? {})) {
      const keys = [name, 'sources', tenant];
      const problem = tenantNameProblem(tenant);
      if (problem !== undefined) report(keys, problem);
      for (const [env, environment] of Object.entries(source?.environments ?? {})) {
        const target = environment?.target_sink_env;
        if (target === undefined || !sinkEnvs || sinkEnvs.includes(target)) continue;
        const message = `no sink of ${name} has an environment "${target}"; ${knownNames(target, sinkEnvs)}`;
        report([...keys, env, 'target_sink_env'], message);
      }
    }
  }
}

/**
 * Reports customers that have the same id in one environment of the sink, because their rows could not be
 * distinguished.
 */
function refuseSharedIds(group: GroupDraft, keys: Keys, report: Report): void {
  const earlier = new Map<string, string>();
  for (const [customer, source] of Object.entries(group.sources ?? {})) {
    for (const [env, environment] of Object.entries(source?.environments ?? {})) {
      const { customer_id: id, target_sink_env: target = env } = environment ?? {};
      if (id === undefined) continue;
      const location = JSON.stringify([target, id.toLowerCase()]);
      const other = earlier.get(location) ?? customer;
      earlier.set(location, other);
      if (other === customer) continue;
      const message = `expected a unique customer_id in ${target}, found the customer_id of ${other}: "${id}"`;
      report([...keys, 'sources', customer, env, 'customer_id'], message);
    }
  }
}

/**
 * Reports customers of a db-per-tenant group that read the same schema of one database into one environment of the
 * sink. The pipeline of one customer would insert the rows of the other.
 */
function refuseSharedDatabases(group: GroupDraft, keys: Keys, report: Report): void {
  if (group.pattern !== 'db-per-tenant') return;
  const earlier = new Map<string, string>();
  for (const [customer, source] of Object.entries(group.sources ?? {})) {
    for (const [env, environment] of Object.entries(source?.environments ?? {})) {
      const { server, database, target_sink_env: target = env } = environment ?? {};
      if (server === undefined || database === undefined) continue;
      const locations = (source?.schemas ?? []).map((schema) =>
        JSON.stringify([target, server, database, schema]),
      );
      const other = locations.map((one) => earlier.get(one)).find((one) => one !== undefined);
      for (const one of locations) earlier.set(one, other ?? customer);
      if (other === undefined || other === customer) continue;
      const message = `expected a separate database in ${target}, found the database of ${other}: "${database}"`;
      report([...keys, 'sources', customer, env, 'database'], message);
    }
  }
}

/** Returns the sink environments that a source group feeds, or undefined if they are unknown. */
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

/** Reports problems of the sink groups. Also checks them against the source groups if these are known. */
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
    const sources =
      sourceGroup === undefined ? undefined : sourceGroups?.draft?.[sourceGroup]?.sources;
    checkWaves(group.waves, sources && Object.keys(sources), [name, 'waves'], report);
    if (sourceGroup === undefined || !known || known.includes(sourceGroup)) continue;
    const message = `unknown source group "${sourceGroup}"; ${knownNames(sourceGroup, known)}`;
    report([name, 'source_group'], message);
  }
}

type WavesDraft = Draft<SinkGroupsShape[string]>['waves'];

/**
 * Reports customers that are missing from the waves or in several of them. `known` is undefined if the customers are
 * unknown.
 */
function checkWaves(
  waves: WavesDraft,
  known: readonly string[] | undefined,
  keys: Keys,
  report: Report,
): void {
  if (!waves) return;
  if (waves.length === 0) return report(keys, 'the list is empty; add a wave, or remove the key');
  refuseTwice(
    waves.map((wave) => wave?.name),
    keys,
    report,
  );
  const waveOf = new Map<string, string>();
  let rest: string | undefined;
  for (const [index, wave] of waves.entries()) {
    if (!wave) return;
    const name = wave.name ?? '';
    if (!wave.customers) {
      if (rest !== undefined)
        report(
          [...keys, index],
          `the wave "${rest}" has all other customers already; list the customers of this one`,
        );
      rest ??= name;
    }
    for (const [at, customer] of (wave.customers ?? []).entries()) {
      if (customer === undefined) continue;
      const below = [...keys, index, 'customers'];
      const other = waveOf.get(customer);
      if (other !== undefined)
        report(
          below,
          `"${customer}" is in wave "${other}" already; a customer can be in only one wave`,
          at,
        );
      else if (known && !known.includes(customer))
        report(below, `unknown customer "${customer}"${didYouMean(customer, known)}`, at);
      waveOf.set(customer, name);
    }
  }
  const left = rest === undefined ? (known ?? []).filter((one) => !waveOf.has(one)) : [];
  if (left.length === 0) return;
  const more = left.length > SHOWN_CUSTOMERS ? ` and ${left.length - SHOWN_CUSTOMERS} more` : '';
  report(
    keys,
    `no wave has ${left.slice(0, SHOWN_CUSTOMERS).join(', ')}${more}; a wave without customers takes all others`,
  );
}

const SHOWN_CUSTOMERS = 5;

/** Characters with a special meaning in paths of any file system. */
const NOT_IN_FOLDERS = /[/\\:*?"<>|]/;

/** Reports a name that cannot be part of the folder `migrations/<group>.<database>`. */
function refuseNoFolder(name: string, keys: Keys, report: Report): void {
  if (!NOT_IN_FOLDERS.test(name)) return;
  const expected =
    'expected a name without / \\ : * ? " < > |, because a folder of migrations/ has this name';
  report(keys, `${expected}, found "${name}"`);
}

/** Reports files of type overrides that belong to no source group. */
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

/** Draft of a source group. A sink group has all of these keys too. */
type GroupDraft = Draft<SourceGroupsShape[string]>;

type EnvironmentDraft = Draft<SourceGroupsShape[string]['sources'][string]['environments'][string]>;

/** Reports problems that source groups and sink groups have in common: environments, servers, names. */
function checkGroup(group: GroupDraft, keys: Keys, report: Report): void {
  checkEnvs(group, keys, report);
  if (group.servers && Object.keys(group.servers).length === 0) {
    const expected = 'expected `<server>: { host, port, user, password }`';
    report([...keys, 'servers'], `${expected}, found none`);
  }
  const sources = Object.entries(group.sources ?? {});
  const names = sources.map(([name]) => name);
  refuseCaseDuplicates(names, [...keys, 'sources'], report);
  for (const [name, source] of sources) {
    for (const [env, environment] of Object.entries(source?.environments ?? {})) {
      const below = [...keys, 'sources', name, env];
      if (environment) checkEnvironment({ env, environment, group }, below, report);
    }
  }
}

/** Returns the environments of a group: those listed, otherwise those of its sources. */
export function envsOf(group: GroupDraft): readonly string[] {
  if (group.envs) return [...new Set(group.envs.filter((env) => env !== undefined))];
  const sources = Object.values(group.sources ?? {});
  return [...new Set(sources.flatMap((source) => Object.keys(source?.environments ?? {})))];
}

function checkEnvs(group: GroupDraft, keys: Keys, report: Report): void {
  const { envs = [], validation_env: validationEnv } = group;
  refuseTwice(envs, [...keys, 'envs'], report);
  envs.forEach((env, index) => {
    const problem = RESERVED_ENVS.get(env);
    if (problem !== undefined) report([...keys, 'envs'], problem, index);
  });
  const known = envsOf(group);
  if (validationEnv === undefined || known.includes(validationEnv)) return;
  const message = `unknown environment "${validationEnv}"; ${knownNames(validationEnv, known)}`;
  report([...keys, 'validation_env'], message);
}

/** Reserved environment names and the reason of each. */
const RESERVED_ENVS: ReadonlyMap<string | undefined, string> = new Map([
  ['embedded', 'the environment "embedded" is reserved for an embedded PostgreSQL; choose another'],
  [
    'schemas',
    'an environment cannot be called "schemas", because another key has this name; choose another',
  ],
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
  const problem = group.envs ? undefined : RESERVED_ENVS.get(env);
  if (problem !== undefined) report(keys, problem);
  const { server } = environment;
  const servers = Object.keys(group.servers ?? {});
  if (server === undefined || servers.length === 0 || servers.includes(server)) return;
  report([...keys, 'server'], `unknown server "${server}"; ${knownNames(server, servers)}`);
}
