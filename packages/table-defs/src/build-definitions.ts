import type { Catalog } from '@cdc-migrations/catalog';
import { ConfigError, type Problem, type ServiceConfig } from '@cdc-migrations/config';
import { buildExistingTable } from './build-existing-table.ts';
import { buildReplicatedTable } from './build-replicated-table.ts';
import { buildSets } from './build-sets.ts';
import { checkTypeOverrides } from './check-type-overrides.ts';
import { findSource, indexSources } from './find-source.ts';
import { withoutRepeats, type DefinitionProblem, type ProblemList } from './problems.ts';
import { refuseNameClashes } from './refuse-name-clashes.ts';
import { sortDefinitions } from './sort-definitions.ts';
import type { MigrationSet, TableDefinition } from './table-definition.ts';

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
 * Builds the definitions together with a list of problems. Tables and columns with a problem are omitted, so that a
 * changed source can be compared before the configuration is adapted.
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
