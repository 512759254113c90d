import { quoteLiteral } from '@cdc-migrations/sql-text';
import { MANAGEMENT_SCHEMA } from '@cdc-migrations/table-defs';
import { openSession, type TargetAddress } from '../session/session.ts';

/** Facts about the server of a target, the user of the session, and a pooler in between. */
export interface TargetDiagnosis {
  /** As `SHOW server_version` has it: `15.18 (Debian 15.18-1)`. */
  readonly version: string;
  /** `150018`. */
  readonly versionNumber: number;
  readonly isStandby: boolean;
  readonly encoding: string;
  readonly user: string;
  /** Whether the user may create schemas. */
  readonly canCreate: boolean;
  /** Whether the role that files grant to is there. */
  readonly hasRole: boolean;
  /** Whether `cdc_management` is there. */
  readonly isInUse: boolean;
  readonly pgCron: 'installed' | 'available' | 'missing';
  /** Transactions until the server refuses writes to protect itself from wraparound. */
  readonly transactionsLeft: number;
  /** Settings as sessions of this user begin with them. */
  readonly settings: Readonly<Record<ServerSetting, string>>;
  /** How far the clock of the target is ahead of ours, in milliseconds; half of the round trip is not known. */
  readonly clockAheadMs: number;
  /** Whether transactions of one session run in several sessions of the server: a pooler. */
  readonly isPooled: boolean;
}

const SETTINGS = ['fsync', 'full_page_writes', 'autovacuum', 'track_counts'] as const;

/** The name of a setting of the server that is looked at. */
export type ServerSetting = (typeof SETTINGS)[number];

/** Transaction ids that there are between the oldest one in use and the newest. */
const TRANSACTION_IDS = 2 ** 31;

interface Row extends Omit<TargetDiagnosis, 'clockAheadMs' | 'isPooled' | 'transactionsLeft'> {
  readonly age: number;
  readonly now: number;
  readonly process: number;
}

/**
 * Reads the facts about a target that its use depends on. Needs no right but to connect.
 *
 * @throws TargetError if it cannot be reached.
 */
export async function diagnoseTarget(
  address: TargetAddress,
  role: string,
): Promise<TargetDiagnosis> {
  const [session, other] = [1, 2].map(() => openSession(address, 'cdc doctor'));
  try {
    await session!.query('SELECT');
    const before = Date.now();
    const [row] = await session!.query<Row>(diagnosisQuery(role));
    const after = Date.now();
    // A pooler gives the next transaction another session while this one is in use.
    const [, [second]] = await Promise.all([
      other!.query('SELECT pg_catalog.pg_sleep(0.3)'),
      afterPause(() => session!.query<{ readonly process: number }>(PROCESS)),
    ]);
    const { age, now, process, ...facts } = row!;
    return {
      ...facts,
      transactionsLeft: TRANSACTION_IDS - age,
      clockAheadMs: Math.round(now - (before + after) / 2),
      isPooled: second!.process !== process,
    };
  } finally {
    await Promise.all([session!.close(), other!.close()]);
  }
}

const PROCESS = 'SELECT pg_catalog.pg_backend_pid() AS process';

async function afterPause<Result>(work: () => Promise<Result>): Promise<Result> {
  await new Promise((resolve) => setTimeout(resolve, 100));
  return work();
}

function diagnosisQuery(role: string): string {
  const names = SETTINGS.map(quoteLiteral).join(', ');
  return `SELECT pg_catalog.current_setting('server_version') AS version,
  pg_catalog.current_setting('server_version_num')::integer AS "versionNumber",
  pg_catalog.pg_is_in_recovery() AS "isStandby", pg_catalog.current_setting('server_encoding') AS encoding,
  current_user AS "user",
  pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE') AS "canCreate",
  EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = ${quoteLiteral(role)}) AS "hasRole",
  pg_catalog.to_regnamespace(${quoteLiteral(MANAGEMENT_SCHEMA)}) IS NOT NULL AS "isInUse",
  CASE
    WHEN EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'pg_cron') THEN 'installed'
    WHEN EXISTS (SELECT FROM pg_catalog.pg_available_extensions WHERE name = 'pg_cron') THEN 'available'
    ELSE 'missing'
  END AS "pgCron",
  (SELECT pg_catalog.age(datfrozenxid) FROM pg_catalog.pg_database
    WHERE datname = pg_catalog.current_database()) AS age,
  (SELECT pg_catalog.jsonb_object_agg(name, reset_val) FROM pg_catalog.pg_settings WHERE name IN (${names})) AS settings,
  (1000 * extract(epoch FROM pg_catalog.clock_timestamp()))::double precision AS now,
  pg_catalog.pg_backend_pid() AS process`;
}
