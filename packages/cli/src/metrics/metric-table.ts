import type { Difference, FileState, TableHealth } from '@cdc-migrations/tracker';

type DriftKind = Difference['kind'];

/** Results of structure checks of a target. */
export interface DriftHealth {
  /** Differences of the last complete check, by schema and kind. Undefined before the first check. */
  readonly counts?: ReadonlyMap<string, Readonly<Record<DriftKind, number>>>;
  /** End of that check, in seconds since 1970. */
  readonly checkedAt?: number;
  readonly hasFailed: boolean;
}

/** State of a target at one moment. */
export interface TargetHealth {
  readonly target: string;
  /** False if the target could not be queried. Nothing else is known of it then. */
  readonly isUp: boolean;
  /** Number of pairs of a file and a schema, by state. */
  readonly files: Readonly<Partial<Record<FileState, number>>>;
  readonly tables: readonly TableHealth[];
  /** Refused events without a table name from the pipeline. */
  readonly refusedWithoutTable: number;
  /** Undefined without --drift, and before the end of the first check. */
  readonly drift?: DriftHealth | undefined;
}

/** An alert, which fires while the metric is above a limit (with `below`: below it). */
export interface Alert {
  readonly name: string;
  readonly above?: number;
  readonly below?: number;
  /** Duration before it fires, in the notation of Prometheus. */
  readonly for: string;
  readonly severity: 'critical' | 'warning';
  /** What to do. */
  readonly action: string;
}

interface MetricFacts {
  readonly name: string;
  readonly help: string;
  /** Unit of the values, in the notation of Grafana. */
  readonly unit: 's' | 'bytes' | 'short' | 'dateTimeAsIso' | 'bool';
  readonly alert?: Alert;
}

/** A metric of a target. */
interface TargetMetric extends MetricFacts {
  readonly scope: 'target';
  /** Label that distinguishes the values. */
  readonly label?: string;
  /** Values by label. The label is '' if there is none. */
  readonly read: (health: TargetHealth) => Readonly<Record<string, number>>;
}

/** A metric of a schema that is not about its tables. */
interface SchemaMetric extends MetricFacts {
  readonly scope: 'schema';
  readonly label: string;
  /** Values by schema, then by label. */
  readonly read: (health: TargetHealth) => ReadonlyMap<string, Readonly<Record<string, number>>>;
}

/** A metric of a table, or of all tables of a schema together. */
interface TableMetric extends MetricFacts {
  readonly scope: 'table';
  /** Returns undefined if the value is unknown. */
  readonly read: (tables: readonly TableHealth[]) => number | undefined;
}

/** Counts of events by outcome. They grow until midnight (UTC). */
interface TableCounter extends MetricFacts {
  readonly scope: 'counter';
  readonly label: string;
  readonly read: (tables: readonly TableHealth[]) => Readonly<Record<string, number>>;
}

export type Metric = TargetMetric | SchemaMetric | TableMetric | TableCounter;

/** States of files that `apply` cannot resolve alone. */
const NEEDS_USERS: readonly FileState[] = ['failed', 'unsafe', 'edited', 'missing'];

/** All metrics. The output, the dashboard and the alerts are built from this table. */
export const METRICS: readonly Metric[] = [
  {
    scope: 'target',
    name: 'cdc_up',
    help: '1 if the target responded, else 0.',
    unit: 'bool',
    read: ({ isUp }) => ({ '': isUp ? 1 : 0 }),
    alert: {
      name: 'CdcTargetDown',
      below: 1,
      for: '5m',
      severity: 'critical',
      action: 'Connect to the target with psql; `status` prints the error.',
    },
  },
  {
    scope: 'target',
    name: 'cdc_files',
    help: 'Files of the target by state. A file counts once in each schema.',
    unit: 'short',
    label: 'state',
    read: ({ files, isUp }) => (isUp ? { applied: 0, pending: 0, ...files } : {}),
  },
  {
    scope: 'target',
    name: 'cdc_files_to_resolve',
    help: `Files in a state that users have to resolve: ${NEEDS_USERS.join(', ')}.`,
    unit: 'short',
    read: ({ files, isUp }): Readonly<Record<string, number>> =>
      isUp ? { '': sum(NEEDS_USERS.map((state) => files[state] ?? 0)) } : {},
    alert: {
      name: 'CdcFilesToResolve',
      above: 0,
      for: '30m',
      severity: 'warning',
      action: 'Run `status`, which names the files and the errors.',
    },
  },
  {
    scope: 'table',
    name: 'cdc_merge_failing_tables',
    help: 'Tables whose last merge failed.',
    unit: 'short',
    read: (tables) => count(tables, ({ isFailing }) => isFailing),
    alert: {
      name: 'CdcMergeFailing',
      above: 0,
      for: '10m',
      severity: 'critical',
      action: 'Run `status` or read cdc_management.recent_errors for the error.',
    },
  },
  {
    scope: 'table',
    name: 'cdc_merge_blocked_tables',
    help: 'Tables that cannot be merged, because an object that is required for merges was changed.',
    unit: 'short',
    read: (tables) => count(tables, ({ isBlocked }) => isBlocked),
    alert: {
      name: 'CdcMergeBlocked',
      above: 0,
      for: '5m',
      severity: 'critical',
      action: 'Run `status`, which names the problem, then `apply --again`.',
    },
  },
  {
    scope: 'table',
    name: 'cdc_possible_loss_streams',
    help: 'Streams that may have lost staged events in a crash, promotion or restore.',
    unit: 'short',
    read: (tables) => sum(tables.map(({ lossStreams }) => lossStreams)),
    alert: {
      name: 'CdcPossibleLoss',
      above: 0,
      for: '1m',
      severity: 'critical',
      action: 'Replay each stream from the offset in cdc_management.possible_loss.',
    },
  },
  {
    scope: 'table',
    name: 'cdc_dead_letters',
    help: 'Events that could not be merged.',
    unit: 'short',
    read: (tables) => sum(tables.map(({ deadLetters }) => deadLetters)),
    alert: {
      name: 'CdcDeadLetters',
      above: 0,
      for: '15m',
      severity: 'warning',
      action: 'Run `dead-letters list`, fix the cause, then `dead-letters replay`.',
    },
  },
  {
    scope: 'table',
    name: 'cdc_refused_events',
    help: 'Events that the target refused when the pipeline inserted them.',
    unit: 'short',
    read: (tables) => sum(tables.map(({ refusedEvents }) => refusedEvents)),
    alert: {
      name: 'CdcRefusedEvents',
      above: 0,
      for: '15m',
      severity: 'warning',
      action: 'Run `dead-letters list`, fix the cause, then `dead-letters replay`.',
    },
  },
  {
    scope: 'target',
    name: 'cdc_refused_events_without_table',
    help: 'Refused events that the pipeline stored without the name of their table.',
    unit: 'short',
    read: ({ isUp, refusedWithoutTable }): Readonly<Record<string, number>> =>
      isUp ? { '': refusedWithoutTable } : {},
    alert: {
      name: 'CdcRefusedEventsWithoutTable',
      above: 0,
      for: '15m',
      severity: 'warning',
      action: 'Read cdc_management.refused_event; generate the pipelines again.',
    },
  },
  {
    scope: 'table',
    name: 'cdc_staged_wait_seconds',
    help: 'Time that the oldest staged event has waited for a merge.',
    unit: 's',
    read: (tables) => most(tables.map(({ waitingSeconds }) => waitingSeconds)),
    alert: {
      name: 'CdcEventsWait',
      above: 900,
      for: '5m',
      severity: 'critical',
      action: 'Check that `merge --watch` runs. `status` names a session that holds a table.',
    },
  },
  {
    scope: 'table',
    name: 'cdc_replication_lag_seconds',
    help: 'Time between the change in the source and the merge, for the newest event of the last batch.',
    unit: 's',
    read: (tables) => most(tables.map(({ lagSeconds }) => lagSeconds)),
    alert: {
      name: 'CdcReplicationLag',
      above: 3600,
      for: '15m',
      severity: 'warning',
      action:
        'Compare cdc_staged_wait_seconds: if it is low, the delay is in the connector or Kafka.',
    },
  },
  {
    scope: 'table',
    name: 'cdc_last_merge_timestamp_seconds',
    help: 'Time at which the last merge ended, in seconds since 1970.',
    unit: 'dateTimeAsIso',
    read: (tables) => most(tables.map(({ lastMergedAt }) => lastMergedAt)),
  },
  {
    scope: 'table',
    name: 'cdc_staging_bytes',
    help: 'Size of staging tables.',
    unit: 'bytes',
    read: (tables) => sum(tables.map(({ stagingBytes }) => stagingBytes ?? 0)),
  },
  {
    scope: 'counter',
    name: 'cdc_events',
    help: 'Events by outcome. The count restarts at midnight (UTC).',
    unit: 'short',
    label: 'outcome',
    read: (tables) => ({
      merged: sum(tables.map(({ merged }) => merged)),
      deleted: sum(tables.map(({ deleted }) => deleted)),
      stale: sum(tables.map(({ stale }) => stale)),
      dead: sum(tables.map(({ dead }) => dead)),
    }),
  },
  {
    scope: 'schema',
    name: 'cdc_drift',
    help: 'Differences between the target and the definitions that the last check found.',
    unit: 'short',
    label: 'kind',
    read: ({ drift }) => drift?.counts ?? new Map(),
    alert: {
      name: 'CdcDrift',
      above: 0,
      for: '1h',
      severity: 'warning',
      action:
        'Run `check`, which names each difference. `apply --again` repairs what is missing; `--exclude` leaves out what is meant to be extra.',
    },
  },
  {
    scope: 'target',
    name: 'cdc_drift_check_failed',
    help: '1 if the last check for drift failed, else 0.',
    unit: 'bool',
    read: ({ drift }): Readonly<Record<string, number>> =>
      drift ? { '': drift.hasFailed ? 1 : 0 } : {},
    alert: {
      name: 'CdcDriftCheckFailed',
      above: 0,
      for: '30m',
      severity: 'warning',
      action: 'Run `check`, which prints the error.',
    },
  },
  {
    scope: 'target',
    name: 'cdc_drift_check_timestamp_seconds',
    help: 'Time at which the last successful check for drift ended, in seconds since 1970.',
    unit: 'dateTimeAsIso',
    read: ({ drift }): Readonly<Record<string, number>> =>
      drift?.checkedAt === undefined ? {} : { '': drift.checkedAt },
  },
];

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function count(tables: readonly TableHealth[], is: (table: TableHealth) => boolean): number {
  return tables.filter(is).length;
}

/** Returns the largest of the known values. */
function most(values: readonly (number | null)[]): number | undefined {
  const known = values.filter((value) => value !== null);
  return known.length > 0 ? Math.max(...known) : undefined;
}
