import type { MssqlSession } from '../mssql/open-mssql.ts';
import { quoteName } from '../mssql/quote-t-sql.ts';
import { CaptureDisabledError, SourceError } from '../source-error.ts';
import { DEFAULT_TIMEOUT_MS, type SourceOptions, type SourceDatabase } from '../source-database.ts';
import { withRetry } from '../with-retry.ts';
import { formatLsn, readLsn, type Lsn } from './lsn.ts';
import { renderCleanupSql, THRESHOLD } from './render-capture-sql.ts';
import { planCleanup, type CleanupInstance, type CleanupStep } from './plan-cleanup.ts';

/** Limits of a cleanup: the age of changes, the position of consumers, and the tables. */
export interface CleanCdcOptions extends SourceOptions {
  /** Age in days. Older changes are removed. */
  readonly days: number;
  /**
   * Position that the slowest consumer has read, for all instances or by instance. Later changes are kept. An instance
   * that is missing in the map is skipped.
   */
  readonly notPast?: Lsn | ReadonlyMap<string, Lsn>;
  /** Source tables, `Actor` or `dbo.Actor`. The default is all tables. */
  readonly tables?: readonly string[];
  readonly dryRun?: boolean;
}

/** Result for one capture instance. */
export type CleanupResult = CleanupStep & {
  readonly state: 'cleaned' | 'would be cleaned' | 'kept' | 'failed';
  /** Number of rows to delete, counted by a dry run. */
  readonly rows?: number;
  readonly failure?: string;
};

/** Results for the capture instances of a database. */
export interface CleanCdcResult {
  readonly database: string;
  readonly instances: readonly CleanupResult[];
  /** The cleanup as a script. */
  readonly sql: string;
}

/**
 * Removes old changes from the capture instances of a database. A failure of one instance does not stop the others.
 *
 * @throws SourceError, and CaptureDisabledError if the database has no change data capture.
 */
export async function cleanCdc(
  source: SourceDatabase,
  options: CleanCdcOptions,
): Promise<CleanCdcResult> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, onEvent = () => undefined } = options;
  const { database, server } = source;
  const { openMssql } = await import('../mssql/open-mssql.ts');
  onEvent({ kind: 'connecting', database, host: server.host });
  const session = await withRetry(() => openMssql(source, timeoutMs), onEvent);
  try {
    const all = await readInstances(session);
    const instances = all.filter((instance) => isSelected(instance, options.tables));
    const steps = planCleanup(instances, await readLimits(session, instances, options));
    const sql = renderCleanupSql(database, steps);
    if (options.dryRun) {
      const rows = await countRows(session, steps);
      const results = steps.map((step): CleanupResult => {
        const count = rows.get(step.instance);
        const state = step.step === 'clean' ? 'would be cleaned' : 'kept';
        return { ...step, state, ...(count !== undefined && { rows: count }) };
      });
      return { database, instances: results, sql };
    }
    const results: CleanupResult[] = [];
    for (const step of steps) {
      onEvent({ kind: 'cleaning', database, instance: step.instance });
      results.push(await runStep(session, step));
    }
    return { database, instances: results, sql };
  } finally {
    session.close();
  }
}

const ENABLED_SQL = 'SELECT is_cdc_enabled FROM sys.databases WHERE database_id = DB_ID();';

const CLEANUP_INSTANCES_SQL = `
SELECT c.capture_instance, c.start_lsn, s.name AS schema_name, t.name AS table_name, x.name AS change_table
FROM cdc.change_tables AS c
JOIN sys.tables AS t ON t.object_id = c.source_object_id
JOIN sys.schemas AS s ON s.schema_id = t.schema_id
JOIN sys.tables AS x ON x.object_id = c.object_id
ORDER BY c.capture_instance;`;

async function readInstances(session: MssqlSession): Promise<readonly CleanupInstance[]> {
  const [[head] = []] = await session.batch(ENABLED_SQL);
  if (!head?.['is_cdc_enabled']) throw new CaptureDisabledError(session.source);
  const [rows = []] = await session.batch(CLEANUP_INSTANCES_SQL);
  return rows.map((row) => ({
    instance: String(row['capture_instance']),
    schema: String(row['schema_name']),
    table: String(row['table_name']),
    changeTable: String(row['change_table']),
    startLsn: readLsn(row['start_lsn']) ?? '',
  }));
}

function isSelected({ schema, table }: CleanupInstance, tables?: readonly string[]): boolean {
  const names = [table, `${schema}.${table}`].map((name) => name.toLowerCase());
  return tables?.some((name) => names.includes(name.toLowerCase())) ?? true;
}

/** Reads both limits as entries of the log's time table. Times are those of the server's clock. */
async function readLimits(
  session: MssqlSession,
  instances: readonly CleanupInstance[],
  { days, notPast }: CleanCdcOptions,
) {
  const positions = instances.flatMap(({ instance }) => {
    const lsn = typeof notPast === 'string' ? notPast : findPosition(notPast, instance);
    return lsn === undefined ? [] : [{ instance, lsn }];
  });
  const [[time] = [], ...found] = await session.batch(
    [
      `SELECT sys.fn_cdc_map_time_to_lsn('largest less than or equal', DATEADD(day, -${days}, GETDATE())) AS mark;`,
      ...positions.map(
        ({ lsn }) =>
          `SELECT MAX(start_lsn) AS mark FROM cdc.lsn_time_mapping WHERE start_lsn <= ${formatLsn(lsn)};`,
      ),
    ].join('\n'),
  );
  const byConsumer = new Map(
    positions.map(({ instance }, i) => [instance, readLsn(found[i]?.[0]?.['mark'])]),
  );
  return { byTime: readLsn(time?.['mark']), ...(notPast !== undefined && { byConsumer }) };
}

function findPosition(
  positions: ReadonlyMap<string, Lsn> | undefined,
  instance: string,
): Lsn | undefined {
  const entries = [...(positions ?? [])];
  return entries.find(([name]) => name.toLowerCase() === instance.toLowerCase())?.[1];
}

/** Counts the rows that the steps would delete, in one round trip. */
async function countRows(
  session: MssqlSession,
  steps: readonly CleanupStep[],
): Promise<ReadonlyMap<string, number>> {
  const cleaned = steps.filter((step) => step.step === 'clean');
  if (cleaned.length === 0) return new Map();
  const results = await session.batch(
    cleaned
      .map(
        ({ changeTable, mark }) =>
          `SELECT COUNT_BIG(*) AS n FROM cdc.${quoteName(changeTable)} WHERE [__$start_lsn] < ${formatLsn(mark)};`,
      )
      .join('\n'),
  );
  return new Map(cleaned.map(({ instance }, i) => [instance, Number(results[i]?.[0]?.['n'])]));
}

async function runStep(session: MssqlSession, step: CleanupStep): Promise<CleanupResult> {
  if (step.step !== 'clean') return { ...step, state: 'kept' };
  try {
    await session.call('sys.sp_cdc_cleanup_change_table', {
      capture_instance: step.instance,
      low_water_mark: Buffer.from(step.mark, 'hex'),
      threshold: THRESHOLD,
    });
    return { ...step, state: 'cleaned' };
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    return { ...step, state: 'failed', failure: error.message };
  }
}
