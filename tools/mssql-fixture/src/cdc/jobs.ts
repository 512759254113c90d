import { randomUUID } from 'node:crypto';
import { infoMessage } from '../batch/error-message.ts';
import type { Frame } from '../batch/session.ts';
import { raise } from '../engine/sql-server-error.ts';
import { BIGINT, BIT, INT, nvarchar, SYSNAME, type SqlValue } from '../tds/sql-type.ts';
import type { ServerMessage } from '../tds/tokens.ts';
import { cdcContext, requireOwner, type CdcContext } from './cdc-context.ts';
import { textArgument, type Procedure, type ProcedureResult } from './procedure.ts';

const JOB_TYPES = ['capture', 'cleanup'] as const;
const MAX_RETENTION_MINUTES = 52_594_800;

/** What SQL Server gives new jobs: polls every 5 s, keeps changes for three days. */
const DEFAULTS: Readonly<Record<(typeof JOB_TYPES)[number], Readonly<Record<string, SqlValue>>>> = {
  capture: {
    ...{ maxtrans: 500, maxscans: 10, continuous: 1, pollinginterval: 5 },
    ...{ retention: 0, threshold: 0 },
  },
  cleanup: {
    ...{ maxtrans: 0, maxscans: 0, continuous: 0, pollinginterval: 0 },
    ...{ retention: 4320, threshold: 5000 },
  },
};

/** Makes the two jobs of a database that has none; what SQL Server says of it. */
export function addJobs(context: CdcContext): readonly ServerMessage[] {
  const databaseId = databaseIdOf(context);
  const { rows, database } = context;
  if (rows.find('msdb.dbo.cdc_jobs', { database_id: databaseId }).length > 0) return [];
  for (const type of JOB_TYPES) {
    const id = randomUUID().toUpperCase();
    rows.insert('msdb.dbo.cdc_jobs', {
      database_id: databaseId,
      job_type: type,
      job_id: id,
      ...DEFAULTS[type],
    });
    rows.insert('msdb.dbo.sysjobs', { job_id: id, name: jobName(database, type) });
  }
  return JOB_TYPES.map((type) => startMessage(context, type));
}

function startMessage({ rows, database }: CdcContext, type: string): ServerMessage {
  const agent = rows
    .find('sys.dm_server_services')
    .find((row) => String(row['servicename']).startsWith('SQL Server Agent'));
  const isRunning = agent?.['status_desc'] === 'Running';
  return infoMessage(
    isRunning
      ? `Job '${jobName(database, type)}' started successfully.`
      : 'SQLServerAgent is not currently running so it cannot be notified of this action.',
  );
}

/** Removes the jobs of a database. */
export function dropJobs(context: CdcContext): void {
  const { rows } = context;
  const databaseId = databaseIdOf(context);
  for (const job of rows.find('msdb.dbo.cdc_jobs', { database_id: databaseId })) {
    rows.remove('msdb.dbo.sysjobs', { job_id: job['job_id'] ?? null });
  }
  rows.remove('msdb.dbo.cdc_jobs', { database_id: databaseId });
}

function jobName(database: string, type: string): string {
  return `cdc.${database}_${type}`;
}

function databaseIdOf({ rows, database }: CdcContext): SqlValue {
  return rows.find('sys.databases', { name: database })[0]?.['database_id'] ?? null;
}

const optional = (name: string, type = INT): Procedure['parameters'][number] => ({
  name,
  type,
  fallback: null,
});

/** sys.sp_cdc_change_job. */
export const CHANGE_JOB: Procedure = {
  name: 'sp_cdc_change_job',
  parameters: [
    { name: 'job_type', type: nvarchar(20), fallback: 'capture' },
    optional('maxtrans'),
    optional('maxscans'),
    optional('continuous', BIT),
    optional('pollinginterval', BIGINT),
    optional('retention', BIGINT),
    optional('threshold', BIGINT),
  ],
  run: (args, frame) => changeJob(args, frame),
};

function changeJob(args: ReadonlyMap<string, SqlValue>, frame: Frame): ProcedureResult {
  const context = cdcContext(frame);
  requireOwner(frame, context);
  const type = textArgument(args, 'job_type') ?? '';
  if (!JOB_TYPES.some((known) => known === type.toLowerCase())) throw raise(22992, [type]);
  const retention = args.get('retention') ?? null;
  const isKept =
    retention === null || (Number(retention) > 0 && Number(retention) <= MAX_RETENTION_MINUTES);
  if (!isKept) throw raise(22994);
  const changes = [...args].filter(([name, value]) => name !== 'job_type' && value !== null);
  if (changes.length > 0) {
    const job = { database_id: databaseIdOf(context), job_type: type.toLowerCase() };
    context.rows.update('msdb.dbo.cdc_jobs', job, Object.fromEntries(changes));
  }
  return {};
}

/** sys.sp_cdc_help_jobs. */
export const HELP_JOBS: Procedure = {
  name: 'sp_cdc_help_jobs',
  parameters: [],
  run: (_args, frame) => helpJobs(frame),
};

function helpJobs(frame: Frame): ProcedureResult {
  const context = cdcContext(frame);
  requireOwner(frame, context);
  const jobs = context.rows.find('msdb.dbo.cdc_jobs', { database_id: databaseIdOf(context) });
  const columns = [
    { name: 'job_id', type: { name: 'uniqueidentifier' } },
    { name: 'job_type', type: nvarchar(20) },
    { name: 'job_name', type: SYSNAME },
    { name: 'maxtrans', type: INT },
    { name: 'maxscans', type: INT },
    { name: 'continuous', type: BIT },
    { name: 'pollinginterval', type: BIGINT },
    { name: 'retention', type: BIGINT },
    { name: 'threshold', type: BIGINT },
  ] as const;
  const rows = jobs.map((job) =>
    columns.map(({ name }) =>
      name === 'job_name'
        ? jobName(context.database, String(job['job_type']))
        : (job[name] ?? null),
    ),
  );
  return { results: [{ columns, rows }] };
}
