import { runInNewContext } from 'node:vm';
import {
  ConfigError,
  type Config,
  type Location,
  type Problem,
  type Server,
  type Service,
  type Source,
  type SourceEnvironment,
  type SourceGroup,
} from '@cdc-migrations/config';
import type { CatalogSelection } from './source-database.ts';

/** A source database to read, and its tables in services. */
export interface SourcePlan {
  readonly group: SourceGroup;
  /** Customer (db-per-tenant) or service (db-shared). */
  readonly source: string;
  /** The server as written. Its variables are resolved when connecting. */
  readonly server: Server;
  readonly database: string;
  /** One selection per schema, in the order of the services. */
  readonly selections: readonly CatalogSelection[];
  readonly services: readonly Service[];
}

/** Environment, services and customers to read. */
export interface PlanOptions {
  /** Environment of the source. The default is the service's `validation_env`. */
  readonly env?: string | undefined;
  /** Services to include. The default is all services. */
  readonly services?: readonly string[] | undefined;
}

/**
 * Lists the validation databases of the services (`validation_database`), each once with the tables of all services.
 *
 * @throws ConfigError for a service without a database in the environment, and for tables that patterns exclude.
 */
export function planValidationDatabases(
  config: Config,
  options: PlanOptions = {},
): readonly SourcePlan[] {
  const problems: Problem[] = [];
  const locations = selectServices(config, options).flatMap((service) => {
    const group = groupOf(config, service);
    if (!group) return [];
    const env = options.env ?? service.validationEnv;
    const location = findValidationDatabase(group, service, env);
    if (location) return [{ group, service, ...location }];
    problems.push(noValidationDatabase(group, service, env));
    return [];
  });
  return mergePlans(locations, problems);
}

/**
 * Lists the databases of customers in an environment, in the order of the configuration. Each has the tables of all
 * services that its group feeds. The validation database is included if it belongs to one of the customers.
 *
 * @param customers names of customers, or of services in a db-shared group. Undefined means all customers with this
 * environment.
 * @throws ConfigError for a customer that does not exist or does not have the environment.
 */
export function planCustomers(
  config: Config,
  env: string,
  customers: readonly string[] | undefined,
  options: Pick<PlanOptions, 'services'> = {},
): readonly SourcePlan[] {
  const problems: Problem[] = [];
  const locations = selectServices(config, options).flatMap((service) => {
    const group = groupOf(config, service);
    if (!group) return [];
    const wanted = group.sources.filter(
      ({ name }) =>
        (group.pattern === 'db-per-tenant' || name === service.name) &&
        (customers?.includes(name) ?? true),
    );
    return wanted.flatMap((source) => {
      const environment = source.environments.get(env);
      return environment ? [{ group, service, source, environment }] : [];
    });
  });
  for (const name of customers ?? []) {
    if (!locations.some(({ source }) => source.name === name)) {
      problems.push(noCustomer(config, name, env));
    }
  }
  return mergePlans(locations, problems);
}

interface Place {
  readonly group: SourceGroup;
  readonly service: Service;
  readonly source: Source;
  readonly environment: SourceEnvironment;
}

function selectServices(
  { services }: Config,
  { services: names }: PlanOptions,
): readonly Service[] {
  if (!names) return services;
  const unknown = names.find((name) => !services.some((service) => service.name === name));
  if (unknown === undefined) return services.filter(({ name }) => names.includes(name));
  const known = services.map(({ name }) => name).join(', ');
  throw new ConfigError([
    { at: { file: 'services', keys: [] }, message: `no service "${unknown}"; known: ${known}` },
  ]);
}

/** Finds the group that feeds the service's sinks. */
function groupOf(config: Config, service: Service): SourceGroup | undefined {
  const sinkGroups = service.sinks.map(({ sink }) => sink.split('.')[0]);
  const names = config.sinkGroups
    .filter(({ name }) => sinkGroups.includes(name))
    .map(({ sourceGroup }) => sourceGroup);
  return config.sourceGroups.find(({ name }) => names.includes(name));
}

/**
 * Finds the source with the validation database in that environment, else the one that has it in its own environment.
 */
function findValidationDatabase(
  group: SourceGroup,
  service: Service,
  env: string,
): Pick<Place, 'source' | 'environment'> | undefined {
  const isValidationDatabase = (environment: SourceEnvironment | undefined) =>
    environment?.database.toLowerCase() === service.validationDatabase.toLowerCase();
  const source =
    group.sources.find(({ environments }) => isValidationDatabase(environments.get(env))) ??
    group.sources.find(({ environments }) =>
      isValidationDatabase(environments.get(service.validationEnv)),
    );
  const environment = source?.environments.get(env);
  return source && environment && { source, environment };
}

/** Merges plans by database, so that the tables of several services are read together. */
function mergePlans(
  locations: readonly Place[],
  problems: readonly Problem[],
): readonly SourcePlan[] {
  const excluded = [...new Map(locations.map(({ group, service }) => [service, group]))].flatMap(
    ([service, group]) => findExcluded(group, service),
  );
  const all = [...problems, ...excluded];
  if (all.length > 0) throw new ConfigError(all);
  const plans = new Map<string, SourcePlan>();
  for (const { group, service, source, environment } of locations) {
    const { server: serverName, database } = environment;
    const server = group.servers.get(serverName);
    if (!server) throw new Error(`the configuration was not checked: no server ${serverName}`);
    const key = JSON.stringify([group.name, serverName, database]);
    const before = plans.get(key);
    const services = [...(before?.services ?? []), service];
    plans.set(key, {
      ...{ group, source: before?.source ?? source.name, server, database, services },
      selections: buildSelections(spell(database, services), group, services),
    });
  }
  return [...plans.values()];
}

/** Returns the spelling of `validation_database`, because snapshots are looked up by it. */
function spell(database: string, services: readonly Service[]): string {
  const same = ({ validationDatabase }: Service) =>
    validationDatabase.toLowerCase() === database.toLowerCase();
  return services.find(same)?.validationDatabase ?? database;
}

function buildSelections(
  database: string,
  { pattern }: SourceGroup,
  services: readonly Service[],
): readonly CatalogSelection[] {
  const bySchema = new Map<string, Set<string>>();
  for (const { tables } of services) {
    for (const { schema, table } of tables) {
      const names = bySchema.get(schema) ?? new Set<string>();
      bySchema.set(schema, names.add(table));
    }
  }
  return [...bySchema].map(([schema, names]) => ({
    database,
    schema,
    pattern,
    tables: [...names],
  }));
}

function noValidationDatabase(group: SourceGroup, service: Service, env: string): Problem {
  const at: Location = {
    file: service.at.file,
    keys: [...service.at.keys, 'source', 'validation_database'],
  };
  const message =
    `no source of the group ${group.name} has the database "${service.validationDatabase}" in the environment ` +
    `"${env}"; fix source-groups.yaml, or choose a source with --env and --customer`;
  return { at, message };
}

function noCustomer(config: Config, name: string, env: string): Problem {
  for (const group of config.sourceGroups) {
    const source = group.sources.find((entry) => entry.name === name);
    if (!source) continue;
    const envs = [...source.environments.keys()].join(', ');
    return { at: source.at, message: `has no environment "${env}"; known: ${envs}` };
  }
  const at = { file: 'source-groups.yaml', keys: [] };
  return { at, message: `unknown customer "${name}"; --customer takes names under sources` };
}

/** Time limit for the patterns of a source group, because some patterns take forever for some names. */
const MATCH_WITHIN_MS = 1000;

/**
 * Finds tables that a service names although its source group's patterns exclude them. This is a contradiction, and
 * either side may be the mistake. A pattern matches the name of the table or the schema, without case for SQL Server.
 */
function findExcluded(group: SourceGroup, service: Service): readonly Problem[] {
  try {
    const match = () => matchPatterns(group, service);
    return runInNewContext(
      'match()',
      { match },
      { timeout: MATCH_WITHIN_MS },
    ) as readonly Problem[];
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw cause;
    const message =
      `the exclude and include patterns of ${group.name} take longer than ${MATCH_WITHIN_MS / 1000} s; ` +
      'simplify them, for example (a+)+ to a+';
    return [{ at: group.at, message }];
  }
}

function matchPatterns(group: SourceGroup, service: Service): readonly Problem[] {
  const flags = group.type === 'mssql' ? 'i' : '';
  const compile = (patterns: readonly string[]) =>
    patterns.map((pattern) => ({ pattern, expression: new RegExp(pattern, flags) }));
  const schemas = compile(group.schemaExcludePatterns);
  const tables = compile(group.tableExcludePatterns);
  const included = compile(group.tableIncludePatterns);
  return service.tables.flatMap(({ at, schema, table }) => {
    const bySchema = schemas.find(({ expression }) => expression.test(schema));
    const byTable = tables.find(({ expression }) => expression.test(table));
    const isIncluded =
      included.length === 0 || included.some(({ expression }) => expression.test(table));
    const reason = bySchema
      ? `schema_exclude_patterns has "${bySchema.pattern}"`
      : byTable
        ? `table_exclude_patterns has "${byTable.pattern}"`
        : isIncluded
          ? undefined
          : 'no pattern in table_include_patterns matches';
    if (reason === undefined) return [];
    const message = `the service names this table and ${group.at.file} excludes it: ${reason}; change one of the two`;
    return [{ at, message }];
  });
}
