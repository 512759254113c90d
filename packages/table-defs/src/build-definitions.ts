import type { Catalog } from '@cdc-migrations/catalog';
import { ConfigError, type Problem, type ServiceConfig } from '@cdc-migrations/config';
import { buildExistingTable } from './build-existing-table.ts';
import { buildReplicatedTable } from './build-replicated-table.ts';
import { checkTypeOverrides } from './check-type-overrides.ts';
import { findSource, indexSources, type TableMapping } from './find-source.ts';
import { withoutRepeats, type DefinitionProblem, type ProblemList, problemAt } from './problems.ts';
import { sortDefinitions } from './sort-definitions.ts';
import type { MigrationSet, TableDefinition } from './table-definition.ts';
import { schemaLabel } from './schema-label.ts';
import { buildIndexes } from './table-structure.ts';

/** All tables of a repo and their migration sets. */
export interface Definitions {
  /** Sorted by set, service, schema and name. */
  readonly tables: readonly TableDefinition[];
  readonly sets: readonly MigrationSet[];
  readonly warnings: readonly Problem[];
}

/** The valid part of the definitions, and the errors. */
export interface InspectedDefinitions extends Definitions {
  readonly errors: readonly DefinitionProblem[];
}

/**
 * Builds the definitions of every sink table of every service, and their migration sets.
 *
 * @throws ConfigError with all problems of all tables: an unknown column in `ignore_columns`, duplicate names, a type
 * without a counterpart, a missing snapshot.
 */
export function buildDefinitions(config: ServiceConfig, catalogs: readonly Catalog[]): Definitions {
  const { errors, ...definitions } = inspectDefinitions(config, catalogs);
  if (errors.length > 0) throw new ConfigError(errors);
  return definitions;
}

/**
 * Builds the definitions and a list of problems. Tables and columns with a problem are omitted, so that `diff` can
 * compare a changed source before the configuration is adapted.
 */
export function inspectDefinitions(
  config: ServiceConfig,
  catalogs: readonly Catalog[],
): InspectedDefinitions {
  const problems: ProblemList = { errors: [], warnings: [] };
  const mappings = config.services.flatMap((service) => {
    const index = indexSources(service, catalogs);
    return service.sinks.flatMap((sink) =>
      sink.tables.flatMap((table) => findSource({ service, sink, table }, index, problems) ?? []),
    );
  });
  checkTypeOverrides(config, mappings, problems);
  const placed = mappings.map((mapping) => ({
    place: mapping,
    definition: mapping.table.targetExists
      ? buildExistingTable(mapping, config, problems)
      : buildReplicatedTable(mapping, config, problems),
  }));
  refuseNameClashes(placed, problems);
  const tables = sortDefinitions(placed.map(({ definition }) => definition));
  const sets = buildSets(config, catalogs, tables, problems);
  const [errors, warnings] = [withoutRepeats(problems.errors), withoutRepeats(problems.warnings)];
  return { tables, sets, warnings, errors };
}

interface LocatedTable {
  readonly definition: TableDefinition;
  readonly place: TableMapping;
}

/**
 * Reports tables, staging tables, indexes and partitions of one schema with the same name, or with names that differ only in case.
 * Procedures are named after their tables, so their names clash if the tables' names do.
 */
function refuseNameClashes(placed: readonly LocatedTable[], problems: ProblemList): void {
  const owners = new Map<string, TableDefinition>();
  for (const { definition: table, place } of placed) {
    const schema = schemaOf({ definition: table, place });
    const clash = namesOf(table)
      .map((name) => ({ name, id: [table.set, schema.id, name.toLowerCase()].join('\0') }))
      .find(({ id }) => owners.has(id));
    if (clash) {
      const message =
        `${describe(owners.get(clash.id)!)} and ${describe(table)} would both have an object "${clash.name}" in ` +
        `${schema.label}; rename one of them`;
      problems.errors.push(problemAt(place.table.at, [], message));
      continue;
    }
    for (const name of namesOf(table)) {
      owners.set([table.set, schema.id, name.toLowerCase()].join('\0'), table);
    }
  }
}

/** Returns the schema of a table. With db-per-tenant, all services share the schemas of the customers. */
function schemaOf({ definition, place }: LocatedTable): {
  readonly id: string;
  readonly label: string;
} {
  if (definition.schema.scope === 'tenant' && place.catalog.pattern === 'db-per-tenant') {
    return { id: '', label: 'the schemas of the customers' };
  }
  const name = schemaLabel(definition);
  return { id: name, label: `the schema ${name}` };
}

function namesOf(table: TableDefinition): readonly string[] {
  if (table.kind === 'existing') return [table.name];
  return [
    table.name,
    table.names.staging,
    ...buildIndexes(table).map(({ name }) => name),
    ...(table.partitionBy?.partitions ?? []).map(({ name }) => name),
  ];
}

function describe(table: TableDefinition): string {
  const { source, name } = table;
  return `${schemaLabel(table)}.${name} (from ${source.schema}.${source.table})`;
}

/** Builds the migration sets of a repo, one per sink of its services, sorted by name. */
function buildSets(
  config: ServiceConfig,
  catalogs: readonly Catalog[],
  tables: readonly TableDefinition[],
  problems: ProblemList,
): readonly MigrationSet[] {
  const sinks = [
    ...new Set(config.services.flatMap(({ sinks }) => sinks.map(({ sink }) => sink))),
  ].sort();
  return sinks.flatMap((name) => {
    const group = config.sinkGroups.find((candidate) => name.startsWith(`${candidate.name}.`));
    const services = config.services.filter((service) =>
      service.sinks.some(({ sink }) => sink === name),
    );
    const databases = services.map(({ validationDatabase }) => validationDatabase);
    const patterns = new Set(
      catalogs.filter(({ database }) => databases.includes(database)).map(({ pattern }) => pattern),
    );
    const [pattern] = patterns;
    if (!group || pattern === undefined) return [];
    if (patterns.size > 1) {
      const message = `services of both patterns (${[...patterns].join(', ')}) have tables in ${name}`;
      problems.errors.push(problemAt(services[0]!.at, ['sinks', name], message));
    }
    const schemas = tables.flatMap(({ set, kind, schema }) =>
      set === name && kind === 'replicated' && schema.scope === 'literal' ? [schema.name] : [],
    );
    return {
      name,
      folder: sinks.length === 1 ? 'migrations' : `migrations/${name}`,
      sourceGroup: group.sourceGroup,
      pattern,
      services: services.map((service) => service.name).sort(),
      literalSchemas: [...new Set(schemas)].filter((schema) => schema !== 'public').sort(),
    };
  });
}
