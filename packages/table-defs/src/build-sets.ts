import type { Catalog } from '@cdc-migrations/catalog';
import type { ServiceConfig } from '@cdc-migrations/config';
import { problemAt, type ProblemList } from './problems.ts';
import type { MigrationSet, TableDefinition } from './table-definition.ts';

/** Builds the migration sets of a repo, one per sink of its services, sorted by name. */
export function buildSets(
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
