import { randomUUID } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { readConfig } from '@cdc-migrations/config';
import { visible } from '@cdc-migrations/generated-file';
import { openRowReader, SourceError, type RowReader } from '@cdc-migrations/introspect';
import { openSession, TargetError, type Session } from '@cdc-migrations/tracker';
import { standardError, type ProgressOutput } from '../apply/progress.ts';
import { countOf } from '../count-of.ts';
import { CommandError, EXIT } from '../exit-code.ts';
import { findRoot } from '../repo/find-root.ts';
import { reasonOf } from '../repo/repo-files.ts';
import { readDefinitions, readSets, readSnapshots } from '../repo/read-outputs.ts';
import { untilSignal } from '../merge/until-signal.ts';
import { startPace } from '../pace.ts';
import { printable, printMessage } from '../print.ts';
import { resolveSources } from '../source/resolve-sources.ts';
import { locateTargetError } from '../target/locate-target-error.ts';
import type { CommandTarget, TargetOptions } from '../target/open-targets.ts';
import { reportTargets, type TargetReport } from '../target/report-targets.ts';
import { worstExitCode } from '../target/worst-exit-code.ts';
import { compareTable, type RowDifference, type TableComparison } from './compare-table.ts';
import type { SkippedColumn } from './compared-columns.ts';
import {
  jsonOf,
  keyHash,
  mssqlSide,
  postgresSide,
  SAMPLE_DIGITS,
  type ReadText,
  type RowSide,
} from './row-sides.ts';
import { listUnknown, listVerified, namesOf, type VerifiedTable } from './verified-tables.ts';

export interface VerifyOptions extends TargetOptions {
  readonly table?: readonly string[];
  readonly customer?: readonly string[];
  /** Approximate number of rows of each table. The default is all. */
  readonly sample?: number;
  readonly limit: number;
  readonly wait: number;
  readonly timeout: number;
  readonly out?: string;
  readonly json?: boolean;
}

/** Result of a table. */
interface TableResult extends Partial<TableComparison> {
  readonly schema: string;
  readonly table: string;
  /** Customer, or service of a db-shared source. */
  readonly tenant: string;
  readonly source: { readonly database: string; readonly schema: string; readonly table: string };
  /** `counted` means that rows were only counted. */
  readonly outcome: 'equal' | 'different' | 'counted' | 'skipped' | 'failed';
  readonly reason?: string;
  readonly skippedColumns: readonly SkippedColumn[];
}

/**
 * Compares rows of the source with those of the targets. Returns the exit code: 1 if rows differ, 3 if a table could
 * not be compared.
 */
export async function verify(options: VerifyOptions): Promise<number> {
  const root = findRoot(options.root);
  const config = readConfig(root);
  const definitions = readDefinitions(root, readSets(root));
  const existing = definitions.filter((table) => table.kind === 'existing');
  const catalogs = readSnapshots(root);
  const out = options.out === undefined ? undefined : openOut(options.out);
  const progress = standardError(process.env);
  const found: VerifiedTable[] = [];
  try {
    return await untilSignal(
      progress,
      async (signal) => {
        const exitCode = await reportTargets(options, async (target) => {
          const tables = listVerified(target, config, { ...options, existing, catalogs });
          found.push(...tables);
          if (tables.length === 0) return { exitCode: EXIT.done, lines: [], document: { tables } };
          const results = await verifyTables(target, tables, {
            ...{ root, options, signal, progress },
          });
          if (out !== undefined) writeOut(out, results);
          return reportOf(target, results);
        });
        const missing = found.length > 0 ? listUnknown(found, options) : namesOf(options);
        if (found.length > 0 && missing.length === 0) return exitCode;
        // A target that is not read says nothing of its tables.
        if (found.length === 0 && exitCode !== EXIT.done) return exitCode;
        const of = missing.length > 0 ? `of ${missing.join(', ')} ` : '';
        printMessage(`verify: no table ${of}in ${options.env}`);
        return worstExitCode([exitCode, EXIT.usage]);
      },
      'stopping',
    );
  } finally {
    if (out !== undefined) closeSync(out);
  }
}

interface Work {
  readonly root: string;
  readonly options: VerifyOptions;
  readonly signal: AbortSignal;
  readonly progress: ProgressOutput;
}

async function verifyTables(
  target: CommandTarget,
  tables: readonly VerifiedTable[],
  work: Work,
): Promise<readonly TableResult[]> {
  // Problems of the whole target are reported before any table.
  await withOpen(openSession(target.address(), APPLICATION), (session) =>
    session.read('SELECT 1 AS answer'),
  );
  const results: TableResult[] = [];
  const describePace = startPace();
  for (const [i, table] of tables.entries()) {
    const result = await verifyTable(target, table, work);
    results.push(result);
    const pace = work.progress.isTerminal ? describePace(i + 1, tables.length, 'tables') : '';
    const text = `[${i + 1}/${tables.length}] ${locationOf(result)}: ${describe(result)}`;
    work.progress.write(`${printable(pace === '' ? text : `${text}; ${pace}`)}\n`);
    if (work.signal.aborted) break;
  }
  return results;
}

const APPLICATION = 'cdc verify';

async function verifyTable(
  target: CommandTarget,
  table: VerifiedTable,
  { root, options, signal }: Work,
): Promise<TableResult> {
  const { feed, group, source, problem } = table;
  const result = {
    schema: table.schema,
    table: table.name,
    tenant: feed.tenant,
    source: { database: feed.database, ...source },
    skippedColumns: table.skipped,
  };
  if (problem !== undefined) return { ...result, outcome: 'skipped', reason: problem };
  let reader: RowReader | undefined;
  const session = openSession(target.address(), APPLICATION);
  const stop = () => void Promise.allSettled([reader?.close(), session.close()]);
  signal.addEventListener('abort', stop, { once: true });
  try {
    const [planned] = resolveSources(root, [
      { group, server: feed.server, database: feed.database },
    ]);
    reader = await openRowReader(planned!.source, { timeoutMs: options.timeout });
    return { ...result, ...(await compareSides(table, { reader, session, options, signal })) };
  } catch (error) {
    if (signal.aborted) return { ...result, outcome: 'failed', reason: 'stopped by a signal' };
    return { ...result, outcome: 'failed', reason: describeFailure(error, target) };
  } finally {
    signal.removeEventListener('abort', stop);
    await Promise.allSettled([reader?.close(), session.close()]);
  }
}

/** Returns the reason why a table failed. Throws defects. */
function describeFailure(error: unknown, { label, place }: CommandTarget): string {
  if (error instanceof SourceError) return error.message;
  if (error instanceof CommandError) return error.message;
  const located = error instanceof TargetError ? locateTargetError(error, label, place) : undefined;
  if (located instanceof CommandError) return visible(located.message);
  throw error;
}

interface Sides {
  readonly reader: RowReader;
  readonly session: Session;
  readonly options: VerifyOptions;
  readonly signal: AbortSignal;
}

async function compareSides(
  table: VerifiedTable,
  { reader, session, options, signal }: Sides,
): Promise<Pick<TableResult, 'outcome' | 'reason'> & Partial<TableComparison>> {
  const readTarget: ReadText = async (query, onRow) => {
    const rows = await session.read<Record<string, string | null>>(ALL_ROWS + query);
    for (const row of rows) onRow(Object.values(row));
  };
  const { columns, key } = table;
  const isSample = options.sample !== undefined && key.length > 0;
  const compared = { columns, key, salt: isSample ? randomUUID() : '' };
  const all = targetSide(table, { ...compared, read: readTarget });
  const sampleBelow = isSample ? sampleLimit(await all.count(), options.sample!) : undefined;
  const selected = { ...compared, ...(sampleBelow !== undefined && { sampleBelow }) };
  const ours = targetSide(table, { ...selected, read: readTarget });
  const theirs =
    table.group.type === 'mssql'
      ? mssqlSide({
          ...selected,
          reader,
          table: table.sourceTable,
          conditions: table.sourceConditions,
        })
      : postgresSide({
          ...selected,
          read: (query, onRow) => reader.read(query, onRow),
          table: table.sourceTable,
          conditions: table.sourceConditions,
          textOf: ({ source }) => source,
        });
  if (key.length === 0) return countRows(theirs, ours);
  const comparison = await compareTable(theirs, ours, {
    ...{ key, columns, limit: options.limit, waitMs: options.wait, signal },
    stagedOf: (keys) => findStaged(table, { keys, session, salt: compared.salt }),
  });
  return {
    ...comparison,
    outcome: comparison.differences.length > 0 || comparison.isCut ? 'different' : 'equal',
  };
}

/** Rows that a policy hides from the login are an error. */
const ALL_ROWS = 'SET LOCAL row_security = off;\n';

function targetSide(
  { target }: VerifiedTable,
  compared: Omit<Parameters<typeof postgresSide>[0], 'table' | 'conditions' | 'textOf'>,
): RowSide {
  return postgresSide({ ...compared, ...target });
}

/** Returns the limit of hashes that selects about `sample` rows, or undefined if those are all rows. */
function sampleLimit(rows: number, sample: number): string | undefined {
  const all = 16 ** SAMPLE_DIGITS;
  const below = Math.ceil((sample / rows) * all);
  return below < all ? below.toString(16).padStart(SAMPLE_DIGITS, '0') : undefined;
}

async function countRows(
  theirs: RowSide,
  ours: RowSide,
): Promise<Pick<TableResult, 'outcome' | 'reason' | 'rows'>> {
  const [source, target] = await Promise.all([theirs.count(), ours.count()]);
  return {
    rows: { source, target },
    outcome: source === target ? 'counted' : 'different',
    reason: 'it has no key that can be compared: its rows were only counted',
  };
}

async function findStaged(
  { target: { staged }, key }: VerifiedTable,
  {
    keys,
    session,
    salt,
  }: { readonly keys: ReadonlySet<string>; readonly session: Session; readonly salt: string },
): Promise<ReadonlySet<string>> {
  if (!staged) return new Set();
  const hash = keyHash(jsonOf(key.map(staged.textOf)), salt);
  try {
    const rows = await session.read<{ readonly key: string }>(
      `${ALL_ROWS}SELECT DISTINCT key FROM (SELECT ${hash} AS key FROM ${staged.table}) AS staged
WHERE key = ANY ('{${[...keys].join(',')}}'::text[])`,
    );
    return new Set(rows.map((row) => row.key));
  } catch (error) {
    // A staged key that is invalid for the table's type says nothing about other rows.
    if (error instanceof TargetError && error.code.startsWith('22')) return new Set();
    throw error;
  }
}

async function withOpen<Result>(
  session: Session,
  work: (session: Session) => Promise<Result>,
): Promise<Result> {
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

function reportOf({ label }: CommandTarget, results: readonly TableResult[]): TargetReport {
  return {
    exitCode: worstExitCode(results.map(exitCodeOf)),
    lines: [
      `${label}:`,
      ...results.flatMap((result) => [
        `  ${locationOf(result)}: ${describe(result)}`,
        ...(result.differences ?? []).map((one) => `    ${describeRow(one)}`),
        ...result.skippedColumns.map(
          ({ name, reason }) => `    column "${name}" is not compared: ${reason}`,
        ),
      ]),
    ],
    document: { tables: results },
  };
}

function exitCodeOf({ outcome }: TableResult): number {
  if (outcome === 'failed') return EXIT.tenantsFailed;
  return outcome === 'different' ? EXIT.differences : EXIT.done;
}

/** Describes a place: `blue.Actor`, `public.Everybody of blue`. */
function locationOf({ schema, table, tenant }: TableResult): string {
  return `${schema}.${table}${schema === tenant ? '' : ` of ${tenant}`}`;
}

/** Describes a result: `1200 rows equal`, `1200 rows at the source, 1199 in the target: 1 missing, 2 different`. */
function describe(result: TableResult): string {
  const { outcome, rows, differences = [], arrived = 0, isCut, reason } = result;
  if (outcome === 'failed' || outcome === 'skipped') return `${outcome}: ${reason}`;
  const late = arrived > 0 ? `, ${arrived} of them after a while` : '';
  const both = `${countOf(rows!.source, 'row')} at the source, ${rows!.target} in the target`;
  if (differences.length === 0 && reason !== undefined) return `${both}; ${reason}`;
  if (differences.length === 0 && isCut)
    return `${both}: too many rows differed to check all of them again; compare again when fewer events are in flight${late}`;
  if (outcome === 'equal') return `${countOf(rows!.source, 'row')} equal${late}`;
  const counts = KINDS.flatMap((kind) => {
    const count = differences.filter((one) => one.kind === kind).length;
    return count > 0 ? `${count} ${kind}` : [];
  });
  return `${both}: ${counts.join(', ')}${isCut ? '; there are more (--limit)' : ''}${late}`;
}

const KINDS: readonly RowDifference['kind'][] = [
  ...(['missing', 'extra', 'different', 'duplicate', 'staged', 'changing'] as const),
];

/** Describes a row: `different {"actno":"5"}: Navn, StartDato`. */
function describeRow({ kind, key, columns }: RowDifference): string {
  const names = columns.length > 0 ? `: ${columns.join(', ')}` : '';
  return `${kind} ${JSON.stringify(key)}${names}`;
}

function openOut(path: string): number {
  try {
    return openSync(path, 'w');
  } catch (error) {
    throw new CommandError(`--out ${path}: cannot be written: ${reasonOf(error)}`);
  }
}

/** Writes a line of JSON for each row that differs. */
function writeOut(file: number, results: readonly TableResult[]): void {
  for (const { schema, table, tenant, source, differences = [] } of results)
    for (const difference of differences)
      writeSync(file, `${JSON.stringify({ schema, table, tenant, source, ...difference })}\n`);
}
