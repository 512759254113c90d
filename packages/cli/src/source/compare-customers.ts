import type { Catalog } from '@cdc-migrations/catalog';
import type { Config } from '@cdc-migrations/config';
import {
  compareCatalogs,
  readCatalogs,
  SourceError,
  type CatalogDifference,
  type SourcePlan,
} from '@cdc-migrations/introspect';
import { countOf } from '../count-of.ts';
import { CommandError, EXIT } from '../exit-code.ts';
import { readSnapshots } from '../repo/read-outputs.ts';
import { checkFit } from './check-fit.ts';
import { planEnvironment } from './select-databases.ts';
import { resolveSources, type PlannedSource } from './resolve-sources.ts';
import { runAll, SOURCE_JOBS } from './run-all.ts';
import type { SchemaDocsOptions } from './schema-docs-options.ts';
import { print, printError, printJson } from '../print.ts';

/** Comparison of a database with the snapshots. */
interface Comparison {
  readonly source: string;
  readonly database: string;
  readonly state: 'equal' | 'fits' | 'does not fit' | 'failed';
  readonly differences: readonly CatalogDifference[];
  /** Reasons why events of the database would not match the definitions. */
  readonly mismatches: readonly string[];
  /** Reason why it could not be read. */
  readonly failure?: string;
}

/**
 * Compares the databases of an environment with the snapshots of the validation database. Prints which databases
 * differ, in what, and whether the definitions still match. Writes nothing. Returns the exit code: 1 if one differs, 3
 * if one could not be read.
 */
export async function compareCustomers(
  root: string,
  config: Config,
  options: SchemaDocsOptions,
): Promise<number> {
  const { env, service, json } = options;
  if (env === undefined) throw new CommandError('--compare needs --env <env>');
  const plans = planEnvironment(config, { ...options, env }, service);
  const snapshots = readSnapshots(root);
  const sources = resolveSources(root, plans);
  const timeout = options.timeout === undefined ? {} : { timeoutMs: options.timeout };
  let done = 0;
  const outcomes = await runAll(sources, SOURCE_JOBS, async (planned) => {
    const comparison = await compareDatabase(config, snapshots, planned, timeout);
    printError([`[${++done}/${sources.length}] ${describe(comparison)}`]);
    return comparison;
  });
  const comparisons = outcomes.map((outcome) => {
    if (outcome.kind === 'failed') throw outcome.error;
    return outcome.value;
  });
  report(comparisons, json ?? false);
  if (comparisons.some(({ state }) => state === 'failed')) return EXIT.tenantsFailed;
  return comparisons.every(({ state }) => state === 'equal') ? EXIT.done : EXIT.differences;
}

async function compareDatabase(
  config: Config,
  snapshots: readonly Catalog[],
  { plan, source }: PlannedSource,
  timeout: { readonly timeoutMs?: number },
): Promise<Comparison> {
  const { database, services } = plan;
  const expected = expectedCatalogs(plan, snapshots);
  const fingerprints = expected.flatMap(({ schema, fingerprint }) =>
    fingerprint === undefined ? [] : [[schema, fingerprint] as const],
  );
  const comparison = { source: plan.source, database, differences: [], mismatches: [] };
  try {
    const found = await readCatalogs(source, plan.selections, {
      ...timeout,
      unlessEqual: new Map(fingerprints),
      missing: 'leave out',
    });
    if (!found) return { ...comparison, state: 'equal' };
    const differences = expected.flatMap((catalog) =>
      compareCatalogs(
        catalog,
        found.find(({ schema }) => schema === catalog.schema),
      ),
    );
    if (differences.length === 0) return { ...comparison, state: 'equal' };
    const renamed = found.map((catalog) => ({ ...catalog, database: expected[0]!.database }));
    const mismatches = checkFit(config, services, { expected, found: renamed });
    const state = mismatches.length === 0 ? 'fits' : 'does not fit';
    return { ...comparison, state, differences, mismatches };
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    return { ...comparison, state: 'failed', failure: error.message };
  }
}

/** Returns the snapshots of the validation databases of the plan's services. */
function expectedCatalogs(
  { services, selections }: SourcePlan,
  snapshots: readonly Catalog[],
): readonly Catalog[] {
  const databases = new Set(services.map(({ validationDatabase }) => validationDatabase));
  return selections.map(({ schema }) => {
    const catalog = snapshots.find((one) => databases.has(one.database) && one.schema === schema);
    if (catalog) return catalog;
    throw new CommandError(
      `there is no snapshot of ${[...databases].join(', ')}.${schema} to compare with; cdc manage-migrations schema-docs creates it`,
    );
  });
}

function describe({ source, database, state, differences, failure }: Comparison): string {
  const what = {
    equal: 'equal',
    fits: `${countOf(differences.length, 'difference')}, the definitions fit`,
    'does not fit': `${countOf(differences.length, 'difference')}, the definitions do not fit`,
    failed: failure,
  }[state];
  return `${source} (${database}): ${what}`;
}

function report(comparisons: readonly Comparison[], json: boolean): void {
  if (json) {
    printJson({ databases: comparisons });
    return;
  }
  for (const comparison of comparisons) {
    const differences = comparison.differences.map(({ schema, table, column, kind, detail }) => {
      const location = [schema, table, column].filter((part) => part !== undefined).join('.');
      return `  ${location}: ${kind}${detail === undefined ? '' : `: ${detail}`}`;
    });
    const mismatches = comparison.mismatches.map((mismatch) => `  does not fit: ${mismatch}`);
    print([describe(comparison), ...differences, ...mismatches]);
  }
}
