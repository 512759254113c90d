import { readFileSync } from 'node:fs';
import { readConfig } from '@cdc-migrations/config';
import {
  cleanCdc as clean,
  formatLsn,
  parseLsn,
  type CleanCdcResult,
  type CleanupResult,
  type Lsn,
} from '@cdc-migrations/introspect';
import {
  formatProblem,
  locateProblems,
  parseHandWritten,
  parseShape,
  reportIn,
  text,
  type Problem,
} from '@cdc-migrations/shape';
import * as v from 'valibot';
import { CommandError, EXIT } from '../exit-code.ts';
import { findRoot } from '../repo/find-root.ts';
import { locateError } from '../repo/locate-error.ts';
import { reportOutcomes } from './report-outcomes.ts';
import { resolveSources } from './resolve-sources.ts';
import { runAll } from './run-all.ts';
import { selectDatabases, type DatabaseOptions } from './select-databases.ts';
import { showEvent } from './show-event.ts';
import { countOf } from '../count-of.ts';
import { print, printJson, printScript } from '../print.ts';

export interface CleanCdcCommandOptions extends DatabaseOptions {
  readonly days: number;
  readonly notPast?: string;
  readonly table?: readonly string[];
  readonly dryRun?: boolean;
  readonly emitSql?: boolean;
  /** In milliseconds. */
  readonly timeout?: number;
  readonly json?: boolean;
}

/** Databases in parallel. */
const JOBS = 4;

/** Removes old changes, or prints what would be removed, and returns the exit code. */
export async function cleanCdc(options: CleanCdcCommandOptions): Promise<number> {
  const root = findRoot(options.root);
  try {
    return await run(root, options);
  } catch (error) {
    throw locateError(error, root);
  }
}

async function run(root: string, options: CleanCdcCommandOptions): Promise<number> {
  const { days, table, timeout, emitSql = false, dryRun = false } = options;
  const notPast = options.notPast === undefined ? undefined : readPositions(options.notPast);
  const all = selectDatabases(readConfig(root), options);
  const plans = all.filter(({ group }) => group.type === 'mssql');
  if (plans.length === 0) throw nothingToClean(all[0]!.group.name);
  const outcomes = await runAll(resolveSources(root, plans), JOBS, ({ source }) =>
    clean(source, {
      ...{ days, dryRun: dryRun || emitSql, onEvent: showEvent },
      ...(notPast !== undefined && { notPast }),
      ...(table && { tables: table }),
      ...(timeout !== undefined && { timeoutMs: timeout }),
    }),
  );
  const { results, hasFailed } = reportOutcomes(outcomes, (done) => report(done, options));
  const isDone = ({ instances }: CleanCdcResult) =>
    instances.every(({ state }) => state !== 'failed');
  return hasFailed || !results.every(isDone) ? EXIT.tenantsFailed : EXIT.done;
}

function nothingToClean(group: string): CommandError {
  return new CommandError(
    `${group} is a PostgreSQL source group, and PostgreSQL removes WAL itself after the connector has confirmed it; ` +
      'enable-cdc --dry-run shows the WAL that an unread slot retains',
  );
}

/** Reads an LSN, or a YAML or JSON file with one for each capture instance. */
function readPositions(value: string): Lsn | ReadonlyMap<string, Lsn> {
  const lsn = parseLsn(value);
  if (lsn !== undefined) return lsn;
  if (/^0x/i.test(value)) {
    throw new CommandError(`--not-past ${value}: expected an LSN: ${LSN}`);
  }
  return new Map(
    Object.entries(readMapping(value)).map(([name, position]) => [name, parseLsn(position)!]),
  );
}

const LSN = '0x and 20 hexadecimal digits';

const positionsSchema = v.record(
  v.string(),
  v.pipe(
    text(LSN),
    v.check(
      (position) => parseLsn(position) !== undefined,
      ({ input }) => `expected ${LSN}, found "${input}"`,
    ),
  ),
  `expected a mapping: \`<capture instance>: <${LSN}>\``,
);

function readMapping(file: string): Readonly<Record<string, string>> {
  const written = readPositionsFile(file);
  const parsed = parseHandWritten(file, written);
  const problems: Problem[] = 'problems' in parsed ? [...parsed.problems] : [];
  if ('value' in parsed) {
    const report = reportIn(file, problems);
    const { whole } = parseShape(positionsSchema, parsed.value, report);
    if (whole && Object.keys(whole).length > 0) return whole;
    if (whole) report([], 'expected a position of at least one capture instance, found none');
  }
  const located = locateProblems(problems, () => written);
  throw new CommandError(located.map(formatProblem).join('\n'));
}

function readPositionsFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CommandError(
      `--not-past ${file}: expected an LSN: ${LSN}, or a readable file, found ${reason}`,
      undefined,
      { cause },
    );
  }
}

function report(
  results: readonly CleanCdcResult[],
  { json, emitSql }: CleanCdcCommandOptions,
): void {
  if (json) {
    printJson({ databases: results });
  } else if (emitSql) {
    printScript(results.map(({ sql }) => sql).join('\n'));
  } else {
    for (const { database, instances } of results) {
      for (const instance of instances) {
        print([`${database} ${instance.instance}: ${describe(instance)}`]);
      }
      if (instances.length === 0) print([`${database}: no capture instance`]);
    }
  }
}

function describe(result: CleanupResult): string {
  if (result.step === 'nothing') return `kept, ${result.reason}`;
  const { state, mark, limitedBy, rows, failure } = result;
  const limit = limitedBy === 'days' ? '' : ', as far as its consumer has read';
  const counted = rows === undefined ? '' : `, ${countOf(rows, 'row')}`;
  const failed = failure === undefined ? '' : `, ${failure}`;
  return `${state} before ${formatLsn(mark)}${limit}${counted}${failed}`;
}
