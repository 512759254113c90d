import type { Catalog } from '@cdc-migrations/catalog';
import type { Config } from '@cdc-migrations/config';
import { planValidationDatabases, readCatalogs } from '@cdc-migrations/introspect';
import { resolveSources, type PlannedSource } from '../source/resolve-sources.ts';
import { runAll, SOURCE_JOBS } from '../source/run-all.ts';
import { showEvent } from '../source/show-event.ts';
import { sourceFailures } from '../source/source-failures.ts';

export interface ReadSourceOptions {
  /** Environment of the source. */
  readonly env: string;
  /** In milliseconds. */
  readonly timeout?: number;
}

/**
 * Reads the catalogs of the validation databases from another environment, under the names that definitions use.
 * Missing tables are skipped.
 *
 * @throws CommandError if a database cannot be read
 */
export async function readSource(
  root: string,
  config: Config,
  { env, timeout }: ReadSourceOptions,
): Promise<readonly Catalog[]> {
  const sources = resolveSources(root, planValidationDatabases(config, { env }));
  const outcomes = await runAll(sources, SOURCE_JOBS, ({ plan, source }) =>
    readCatalogs(source, plan.selections, {
      onEvent: showEvent,
      missing: 'leave out',
      ...(timeout !== undefined && { timeoutMs: timeout }),
    }),
  );
  const errors = outcomes.flatMap((outcome) => (outcome.kind === 'failed' ? [outcome.error] : []));
  if (errors.length > 0) throw sourceFailures(errors);
  return outcomes.flatMap((outcome) =>
    outcome.kind === 'done' ? asValidationDatabases(outcome.item, outcome.value ?? []) : [],
  );
}

/** Returns the catalogs once for each validation database that the database represents. */
function asValidationDatabases(
  { plan: { services } }: PlannedSource,
  catalogs: readonly Catalog[],
): readonly Catalog[] {
  const names = new Set(services.map(({ validationDatabase }) => validationDatabase));
  return [...names].flatMap((database) => catalogs.map((catalog) => ({ ...catalog, database })));
}
