import { readConfig } from '@cdc-migrations/config';
import {
  enableCdc as enable,
  RISKS,
  type CapturePlan,
  type EnableCdcResult,
  type FindingCode,
  type TableResult,
} from '@cdc-migrations/introspect';
import { countOf } from '../count-of.ts';
import { CommandError, EXIT } from '../exit-code.ts';
import { findRoot } from '../find-root.ts';
import { locateError } from '../locate-error.ts';
import { captureRequests } from './capture-requests.ts';
import { reportOutcomes } from './report-outcomes.ts';
import { resolveSources } from './resolve-sources.ts';
import { runAll } from './run-all.ts';
import { selectDatabases, type DatabaseOptions } from './select-databases.ts';
import { showEvent } from './show-event.ts';
import { print, printError, printJson, printScript } from '../print.ts';

export interface EnableCdcCommandOptions extends DatabaseOptions {
  readonly table?: readonly string[];
  readonly dryRun?: boolean;
  readonly emitSql?: boolean;
  readonly accept?: readonly string[];
  readonly secondInstance?: boolean;
  /** In milliseconds. */
  readonly timeout?: number;
  readonly json?: boolean;
}

/** Databases that are worked on at a time. */
const JOBS = 4;

/** Switches change data capture on, or says what that would do, and returns the exit code. */
export async function enableCdc(options: EnableCdcCommandOptions): Promise<number> {
  const root = findRoot(options.root);
  try {
    return await run(root, options);
  } catch (error) {
    throw locateError(error, root);
  }
}

async function run(root: string, options: EnableCdcCommandOptions): Promise<number> {
  const { table, timeout, emitSql = false, secondInstance = false } = options;
  const accepted = parseRisks(options.accept ?? []);
  const config = readConfig(root);
  const plans = selectDatabases(config, options);
  const requests = new Map(
    plans.map((plan) => [plan, captureRequests(root, config, plan, table)] as const),
  );
  const outcomes = await runAll(resolveSources(root, plans), JOBS, ({ plan, source }) =>
    enable(source, requests.get(plan)!, {
      ...{ accepted, secondInstance, dryRun: emitSql || (options.dryRun ?? false) },
      onEvent: showEvent,
      ...(timeout !== undefined && { timeoutMs: timeout }),
    }),
  );
  const { results, hasFailed } = reportOutcomes(outcomes, (done) => report(done, options));
  return hasFailed || !results.every(isDone) ? EXIT.tenantsFailed : EXIT.done;
}

function parseRisks(codes: readonly string[]): readonly FindingCode[] {
  return codes.map((code) => {
    const risk = RISKS.find((known) => known === code);
    if (risk) return risk;
    throw new CommandError(`--accept ${code}: there is no such risk; known: ${RISKS.join(', ')}`);
  });
}

function isDone({ databaseState, tables }: EnableCdcResult): boolean {
  return (
    databaseState !== 'blocked' &&
    tables.every(({ state }) => state !== 'blocked' && state !== 'failed')
  );
}

function report(results: readonly EnableCdcResult[], options: EnableCdcCommandOptions): void {
  for (const { plan } of results) {
    for (const { level, code, table, message } of plan.findings) {
      const place = table === undefined ? plan.database : `${plan.database} ${table}`;
      printError([`${level} ${code}: ${place}: ${message}`]);
    }
  }
  if (options.json) {
    const databases = results.map(({ plan, databaseState, tables, sql }) => ({
      ...{ database: plan.database, state: databaseState, findings: plan.findings, tables },
      ...(options.emitSql && { sql }),
    }));
    printJson({ databases });
  } else if (options.emitSql) {
    printScript(results.map(({ sql }) => sql).join('\n'));
  } else {
    print(results.flatMap(describe));
  }
}

function describe({ plan, databaseState, tables }: EnableCdcResult): readonly string[] {
  const lines = tables
    .filter(({ state }) => state !== 'kept')
    .map(
      (table) => `${plan.database} ${table.schema}.${table.table}: ${describeTable(table, plan)}`,
    );
  const states: readonly TableResult['state'][] = [
    ...(['enabled', 'would be enabled', 'kept', 'blocked', 'failed'] as const),
  ];
  const counts = states
    .map((state) => ({ state, count: tables.filter((table) => table.state === state).length }))
    .filter(({ count }) => count > 0)
    .map(({ state, count }) => `${count} ${state}`);
  const head = databaseState === 'kept' ? '' : ` (database ${databaseState})`;
  const sum = `${plan.database}${head}: ${countOf(tables.length, 'table')}, ${counts.join(', ')}`;
  return [...lines, sum];
}

function describeTable(
  { schema, table, state, instance, columns, reason }: TableResult,
  { findings }: CapturePlan,
): string {
  if (state === 'failed') return `failed, ${reason}`;
  if (state === 'blocked') {
    const codes = findings
      .filter((finding) => finding.level !== 'note')
      .filter((finding) => (finding.table ?? `${schema}.${table}`) === `${schema}.${table}`)
      .map(({ code }) => code);
    return `blocked by ${codes.join(', ')}`;
  }
  return `${state}, capture instance ${instance}, ${countOf(columns.length, 'column')}`;
}
