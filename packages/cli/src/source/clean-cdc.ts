import { readFileSync } from 'node:fs';
import { readConfig } from '@cdc-migrations/config';
import { parseYaml } from '@cdc-migrations/generated-file';
import {
  cleanCdc as clean,
  formatLsn,
  parseLsn,
  type CleanCdcResult,
  type CleanupResult,
  type Lsn,
} from '@cdc-migrations/introspect';
import { CommandError, EXIT } from '../exit-code.ts';
import { findRoot } from '../find-root.ts';
import { locateError } from '../locate-error.ts';
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

/** Databases that are worked on at a time. */
const JOBS = 4;

/** Forgets old changes, or says what that would do, and returns the exit code. */
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
  const plans = selectDatabases(readConfig(root), options);
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

/** An LSN, or a YAML or JSON file with one for each capture instance. */
function readPositions(value: string): Lsn | ReadonlyMap<string, Lsn> {
  const lsn = parseLsn(value);
  if (lsn !== undefined) return lsn;
  if (/^0x/i.test(value)) {
    throw new CommandError(`--not-past ${value}: an LSN is 0x and 20 hexadecimal digits`);
  }
  const entries = Object.entries(readMapping(value));
  const wrong = entries.filter(([, text]) => parseLsn(String(text)) === undefined);
  if (wrong.length > 0 || entries.length === 0) {
    const names = wrong.map(([name]) => name).join(', ') || 'nothing';
    throw new CommandError(
      `${value}: expected <capture instance>: "0x<20 hexadecimal digits>" on each line; ${names} is none`,
    );
  }
  return new Map(entries.map(([name, text]) => [name, parseLsn(String(text))!]));
}

function readMapping(file: string): object {
  try {
    const parsed = parseYaml(readFileSync(file, 'utf8'));
    return typeof parsed === 'object' && parsed !== null ? parsed : {};
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CommandError(
      `--not-past ${file}: neither an LSN (0x and 20 hexadecimal digits) nor a file that can be read (${reason})`,
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
