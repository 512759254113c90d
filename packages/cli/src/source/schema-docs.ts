import { renderSnapshot, type Catalog, parseSnapshot, snapshotPath } from '@cdc-migrations/catalog';
import { readConfig, type Config } from '@cdc-migrations/config';
import {
  planCustomers,
  planValidationDatabases,
  readCatalogs,
  type SourcePlan,
} from '@cdc-migrations/introspect';
import { stateOf } from '@cdc-migrations/generated-file';
import { CommandError, EXIT } from '../exit-code.ts';
import { findRoot } from '../repo/find-root.ts';
import { isInTheWay, planFiles, type FileStep } from '../repo/plan-files.ts';
import { SNAPSHOTS_FOLDER } from '../repo/read-outputs.ts';
import { listFiles, readIfThere } from '../repo/repo-files.ts';
import { writeFiles } from '../repo/write-files.ts';
import { locateError } from '../repo/locate-error.ts';
import { print, printError, printJson } from '../print.ts';
import type { GenerateOptions } from '../generate/generate-options.ts';
import { resolveSources, type PlannedSource } from './resolve-sources.ts';
import { runAll, SOURCE_JOBS, type Outcome } from './run-all.ts';
import type { SchemaDocsOptions } from './schema-docs-options.ts';
import { showEvent } from './show-event.ts';
import { sourceFailures } from './source-failures.ts';

/**
 * Writes the snapshots of the validation databases, or compares customers with them, and returns the exit code.
 *
 * @throws ConfigError, CommandError. The snapshots are unchanged then.
 */
export async function schemaDocs(options: SchemaDocsOptions): Promise<number> {
  const root = findRoot(options.root);
  try {
    const config = readConfig(root);
    if (options.compare) {
      const { compareCustomers } = await import('./compare-customers.ts');
      return await compareCustomers(root, config, options);
    }
    if (options.all)
      throw new CommandError('--all needs --compare; name customers with --customer');
    const plans = planSources(config, options);
    return await writeSnapshots(root, plans, options);
  } catch (error) {
    throw locateError(error, root);
  }
}

function planSources(config: Config, options: SchemaDocsOptions): readonly SourcePlan[] {
  const { env, customer, service: services } = options;
  if (!customer) return planValidationDatabases(config, { env, services });
  if (env === undefined) throw new CommandError('--customer needs --env <env>');
  return planCustomers(config, env, customer, { services });
}

async function writeSnapshots(
  root: string,
  plans: readonly SourcePlan[],
  options: SchemaDocsOptions,
): Promise<number> {
  const outcomes = await runAll(resolveSources(root, plans), SOURCE_JOBS, (planned) =>
    readSource(root, planned, options),
  );
  const errors = outcomes.flatMap((outcome) => (outcome.kind === 'failed' ? [outcome.error] : []));
  if (errors.length > 0) throw sourceFailures(errors);
  const catalogs = outcomes.flatMap((outcome) =>
    outcome.kind === 'done' ? (outcome.value ?? []) : [],
  );
  const output = {
    files: catalogs.map(renderSnapshot),
    present: isWhole(plans, outcomes, options) ? listFiles(root, SNAPSHOTS_FOLDER) : [],
    sets: [],
  };
  const steps = planFiles(root, output, { force: options.force ?? false });
  const inTheWay = steps.filter(isInTheWay);
  const writes = inTheWay.length === 0;
  if (writes) writeFiles(root, steps);
  if (!options.quiet) report(steps, inTheWay, { writes, json: options.json ?? false });
  else if (!writes) throw new CommandError(inTheWay.map(refusalOf).join('\n'), EXIT.edited);
  return writes ? EXIT.done : EXIT.edited;
}

async function readSource(
  root: string,
  { plan, source }: PlannedSource,
  { ifChanged, timeout }: SchemaDocsOptions,
): Promise<readonly Catalog[] | undefined> {
  return readCatalogs(source, plan.selections, {
    onEvent: showEvent,
    ...(timeout !== undefined && { timeoutMs: timeout }),
    ...(ifChanged && { unlessEqual: readFingerprints(root, plan) }),
  });
}

/**
 * Returns true if the run reads all validation databases. Only such a run can remove snapshots that no service reads.
 */
function isWhole(
  plans: readonly SourcePlan[],
  outcomes: readonly Outcome<PlannedSource, unknown>[],
  { service, customer }: SchemaDocsOptions,
): boolean {
  const isValidation = ({ services, database }: SourcePlan) =>
    services.some(({ validationDatabase: name }) => name.toLowerCase() === database.toLowerCase());
  const hasAll = outcomes.every((outcome) => outcome.kind === 'done' && outcome.value);
  return !service && !customer && plans.every(isValidation) && hasAll;
}

const DONE: { readonly [A in FileStep['action']]?: string } = {
  create: 'created',
  change: 'changed',
  keep: 'unchanged',
  remove: 'removed',
};

function report(
  steps: readonly FileStep[],
  inTheWay: readonly FileStep[],
  { writes, json }: { readonly [K in 'writes' | 'json']: boolean },
): void {
  printError(inTheWay.map(refusalOf));
  const own = steps.filter(({ action }) => action !== 'extra');
  if (json) {
    const files = own.map(({ path, action }) => ({ path, action }));
    printJson({ written: writes, files });
  } else if (writes) {
    print(own.map(({ path, action }) => `${DONE[action]} ${path}`));
  }
}

function refusalOf({ path, action, conflict }: FileStep): string {
  if (conflict) {
    return `${path}:${conflict.line}: ${conflict.message}; resolve it, or overwrite it with --force`;
  }
  const what = action === 'edited' ? 'this snapshot was edited' : 'this file is not generated';
  return `${path}: ${what}; move it to a different folder, or overwrite it with --force`;
}

/** Reads the fingerprints in a database's snapshots by schema. Returns none if a snapshot must be written anyway. */
function readFingerprints(root: string, plan: SourcePlan): ReadonlyMap<string, string> {
  const known = plan.selections.flatMap(({ database, schema, pattern, tables }) => {
    const catalog = readIntact(root, snapshotPath({ database, schema }));
    const isOfToday = catalog?.pattern === pattern && catalog.tables.length === tables.length;
    const fingerprint = isOfToday ? catalog.fingerprint : undefined;
    return fingerprint === undefined ? [] : [[schema, fingerprint] as const];
  });
  return new Map(known);
}

function readIntact(root: string, path: string): Catalog | undefined {
  const text = readIfThere(root, path);
  if (text === undefined) return undefined;
  try {
    return stateOf(path, text) === 'intact' ? parseSnapshot(text, path) : undefined;
  } catch {
    return undefined; // A snapshot of another version is written again.
  }
}

/**
 * Writes the snapshots again before they are used.
 *
 * @throws ConfigError, CommandError, also for an edited snapshot
 */
export async function refreshSnapshots({ root, service, force }: GenerateOptions): Promise<void> {
  await schemaDocs({
    ...(root !== undefined && { root }),
    ...(service && { service }),
    ...(force && { force }),
    quiet: true,
  });
}
