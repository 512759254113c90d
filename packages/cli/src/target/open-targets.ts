import {
  readConfig,
  tenantsOf as sourcesOf,
  type Config,
  type SinkGroup,
  type Wave,
} from '@cdc-migrations/config';
import type { MigrationSet } from '@cdc-migrations/table-defs';
import {
  listSchemas,
  readMigrations,
  type Migrations,
  type TargetAddress,
} from '@cdc-migrations/tracker';
import { CommandError } from '../exit-code.ts';
import { findRoot } from '../repo/find-root.ts';
import { readDefinitions, readSets } from '../repo/read-outputs.ts';
import { tenantsOf } from '../repo/tenants-of.ts';
import { locateError } from '../repo/locate-error.ts';
import { resolveRepoServer } from '../repo/resolve-repo-server.ts';
import { locating } from './locate-target-error.ts';

/** Environment of the bundled PostgreSQL. */
export const EMBEDDED = 'embedded';

/** Options that select the targets of a command. */
export interface TargetOptions {
  readonly root?: string;
  readonly env: string;
  readonly sink?: readonly string[];
  /** Globs of schemas. */
  readonly schema?: readonly string[];
}

export interface WorkOptions {
  /**
   * True if the work ends on a signal by itself. Otherwise the embedded PostgreSQL is stopped, and the process ends.
   */
  readonly endsOnSignal?: boolean;
}

/** A migration set and its target database. */
export interface CommandTarget {
  /** Folder of the implementation repo. */
  readonly root: string;
  /** `sink_asma.directory in local`. */
  readonly label: string;
  readonly migrations: Migrations;
  /** Schemas of the tenants of this environment. */
  readonly tenants: readonly string[];
  /** Schemas of tenants in this database, including those of other environments that share it. */
  readonly knownTenants: readonly string[];
  /** Sink group of the set. */
  readonly group: string;
  /** Waves of the sink group, in order. Empty means all schemas at once. */
  readonly waves: readonly TargetWave[];
  /** Location of the database in sink-groups.yaml, with names of variables and not their values. */
  readonly place: string | undefined;
  /** Returns the address and resolves the server's variables now. */
  readonly address: () => TargetAddress;
}

/** A wave with its schemas in a target. Literal schemas belong to the first one. */
export interface TargetWave extends Omit<Wave, 'at' | 'customers'> {
  readonly schemas: readonly string[];
}

/** Parts of an implementation repo that a command needs. */
export interface CommandRepo {
  readonly root: string;
  readonly targets: readonly CommandTarget[];
}

/**
 * Opens the sets of a repo that have the environment, or the named ones.
 *
 * @param addressOf returns the database of a set, instead of sink-groups.yaml
 * @throws ConfigError, CommandError
 */
export function openTargets(
  options: TargetOptions,
  addressOf?: (set: MigrationSet) => TargetAddress,
): CommandRepo {
  const root = findRoot(options.root);
  const config = readConfigAt(root);
  const all = readSets(root);
  const sets = selectSets(all, options.sink);
  const tables = readDefinitions(root, all);
  const addressed = sets.flatMap((set) => {
    const address = locationOf(set, config, options.env);
    return address || addressOf ? [{ set, place: address }] : [];
  });
  if (addressed.length === 0) throw unknownEnvironment(sets, config, options.env);
  const targets = addressed.map(({ set, place }): CommandTarget => {
    const label = `${set.name} in ${options.env}`;
    const tenants = selectTenants(set, config, options.env);
    const migrations = locating(label, () => readMigrations(root, set, { tables, tenants }));
    return {
      root,
      label,
      migrations,
      tenants,
      group: place?.group.name ?? set.name,
      waves: addressOf ? [] : assignWaves(place!.group, { label, migrations, tenants }),
      knownTenants: knownTenants(set, config, { env: options.env, place }),
      place: addressOf ? undefined : describeAddress(place!),
      address: () => (addressOf ? addressOf(set) : resolveAddress(root, place!)),
    };
  });
  return { root, targets };
}

function readConfigAt(root: string): Config {
  try {
    return readConfig(root);
  } catch (error) {
    throw locateError(error, root);
  }
}

function selectSets(
  sets: readonly MigrationSet[],
  names: readonly string[] | undefined,
): readonly MigrationSet[] {
  for (const name of names ?? []) {
    if (!sets.some((set) => set.name === name)) {
      throw new CommandError(
        `--sink ${name}: unknown sink; known: ${listOf(sets.map((set) => set.name))}`,
      );
    }
  }
  return sets.filter(({ name }) => !names || names.includes(name));
}

interface DatabaseAddress {
  readonly group: SinkGroup;
  readonly server: string;
  readonly database: string;
}

function locationOf(
  set: MigrationSet,
  { sinkGroups }: Config,
  env: string,
): DatabaseAddress | undefined {
  const group = sinkGroups.find(({ name }) => set.name.startsWith(`${name}.`));
  const source = group?.sources.find(({ name }) => set.name === `${group.name}.${name}`);
  const environment = source?.environments.get(env);
  return group && environment
    ? { group, server: environment.server, database: environment.database }
    : undefined;
}

function assignWaves(
  { waves }: SinkGroup,
  { label, migrations, tenants }: Pick<CommandTarget, 'label' | 'migrations' | 'tenants'>,
): readonly TargetWave[] {
  const named = new Set(waves.flatMap(({ customers = [] }) => customers));
  const isIn = ({ customers }: Wave, tenant: string) =>
    customers ? customers.includes(tenant) : !named.has(tenant);
  const literal = locating(label, () => listSchemas(migrations, { tenants })).filter(
    (schema) => !tenants.includes(schema),
  );
  return waves.map(({ at: _, customers: __, ...wave }, index) => ({
    ...wave,
    schemas: [
      ...(index === 0 ? literal : []),
      ...tenants.filter((tenant) => isIn(waves[index]!, tenant)),
    ],
  }));
}

function resolveAddress(root: string, { group, server, database }: DatabaseAddress): TargetAddress {
  return { server: resolveRepoServer(root, group.servers.get(server)!), database };
}

function describeAddress({ group, server, database }: DatabaseAddress): string {
  const { host, port } = group.servers.get(server)!;
  return `host ${host}, port ${port}, database ${database}`;
}

function selectTenants(
  set: MigrationSet,
  { sourceGroups }: Config,
  env: string,
): readonly string[] {
  const all = tenantsOf(set, sourceGroups);
  if (set.pattern === 'db-shared') return all;
  const group = sourceGroups.find(({ name }) => name === set.sourceGroup)!;
  return sourcesOf(group, env).map(({ name }) => name);
}

/** Returns the known tenants. The embedded database has all of them. */
function knownTenants(
  set: MigrationSet,
  config: Config,
  { env, place }: { readonly env: string; readonly place: DatabaseAddress | undefined },
): readonly string[] {
  if (!place) return tenantsOf(set, config.sourceGroups);
  const source = place.group.sources.find(
    ({ name }) => set.name === `${place.group.name}.${name}`,
  )!;
  const envs = [...source.environments]
    .filter(
      ([name, { server, database }]) =>
        name === env || (server === place.server && database === place.database),
    )
    .map(([name]) => name);
  return [...new Set(envs.flatMap((name) => selectTenants(set, config, name)))];
}

function unknownEnvironment(
  sets: readonly MigrationSet[],
  { sinkGroups }: Config,
  env: string,
): CommandError {
  const known = sinkGroups
    .flatMap(({ name, sources }) =>
      sources.map((source) => ({ name: `${name}.${source.name}`, source })),
    )
    .filter(({ name }) => sets.some((set) => set.name === name))
    .flatMap(({ source }) => [...source.environments.keys()]);
  return new CommandError(
    `--env ${env}: no sink has this environment; known: ${listOf([...new Set(known), EMBEDDED])}`,
  );
}

function listOf(names: readonly string[]): string {
  return names.join(', ');
}
