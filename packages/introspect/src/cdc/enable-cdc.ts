import type { MssqlSession } from '../mssql/open-mssql.ts';
import { SourceError } from '../source-error.ts';
import { DEFAULT_TIMEOUT_MS, type SourceOptions, type SourceDatabase } from '../source-database.ts';
import { withRetry } from '../with-retry.ts';
import type { CaptureRequest } from './capture-state.ts';
import {
  planCapture,
  type CaptureOptions,
  type CapturePlan,
  type TablePlan,
} from './plan-capture.ts';
import { readCaptureState } from './read-capture-state.ts';
import { callEnable, renderCaptureSql } from './render-capture-sql.ts';

/** Options for enabling capture. */
export interface EnableCdcOptions extends SourceOptions, Partial<CaptureOptions> {
  /** If true, makes the plan and changes nothing. */
  readonly dryRun?: boolean;
}

/** Result for one table. */
export interface TableResult extends Omit<TablePlan, 'step'> {
  readonly state: 'kept' | 'enabled' | 'would be enabled' | 'blocked' | 'failed';
  /** Error message of the server. */
  readonly reason?: string;
}

/** Results for a database and its tables. */
export interface EnableCdcResult {
  readonly plan: CapturePlan;
  readonly databaseState: 'kept' | 'enabled' | 'would be enabled' | 'blocked';
  readonly tables: readonly TableResult[];
  /** The plan as a script, for a login with more rights. */
  readonly sql: string;
}

/**
 * Enables change data capture for tables of a SQL Server database. It enables the database first if necessary. All
 * findings are collected before any change. A failure of one table does not stop the others.
 *
 * @throws SourceError if the database cannot be read.
 */
export async function enableCdc(
  source: SourceDatabase,
  requests: readonly CaptureRequest[],
  options: EnableCdcOptions = {},
): Promise<EnableCdcResult> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, onEvent = () => undefined, dryRun = false } = options;
  const { accepted = [], secondInstance = false } = options;
  const { database, server } = source;
  const { openMssql } = await import('../mssql/open-mssql.ts');
  onEvent({ kind: 'connecting', database, host: server.host });
  const { session, state } = await withRetry(async () => {
    const opened = await openMssql(source, timeoutMs);
    try {
      return { session: opened, state: await readCaptureState(opened, requests) };
    } catch (error) {
      opened.close();
      throw error;
    }
  }, onEvent);
  try {
    const plan = planCapture(state, requests, { accepted, secondInstance });
    const sql = renderCaptureSql(plan);
    if (dryRun || plan.isBlocked) return { plan, sql, ...describe(plan) };
    const enables = plan.enablesDatabase && plan.tables.some(({ step }) => step === 'enable');
    if (enables) await session.call('sys.sp_cdc_enable_db', {});
    const tables: TableResult[] = [];
    for (const table of plan.tables) {
      onEvent({ kind: 'enabling', database, table: `${table.schema}.${table.table}` });
      tables.push(await runTable(session, table));
    }
    return { plan, sql, databaseState: enables ? 'enabled' : 'kept', tables };
  } finally {
    session.close();
  }
}

function describe(plan: CapturePlan): Pick<EnableCdcResult, 'databaseState' | 'tables'> {
  const states = { keep: 'kept', enable: 'would be enabled', blocked: 'blocked' } as const;
  const tables = plan.tables.map(({ step, ...table }) => ({ ...table, state: states[step] }));
  if (plan.isBlocked) return { databaseState: 'blocked', tables };
  return { databaseState: plan.enablesDatabase ? 'would be enabled' : 'kept', tables };
}

async function runTable(
  session: MssqlSession,
  { step, ...table }: TablePlan,
): Promise<TableResult> {
  if (step !== 'enable') return { ...table, state: step === 'keep' ? 'kept' : 'blocked' };
  try {
    await callEnable(session, table);
    return { ...table, state: 'enabled' };
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    return { ...table, state: 'failed', reason: error.message };
  }
}
