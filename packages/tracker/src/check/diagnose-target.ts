import { quoteLiteral } from '@cdc-migrations/sql-text';
import { MANAGEMENT_SCHEMA } from '@cdc-migrations/table-defs';
import { openSession, type TargetAddress } from '../session/session.ts';

/** Facts about a target's server, the user of the session, and a pooler in between. */
export interface TargetDiagnosis {
  /** Value of `SHOW server_version`: `15.18 (Debian 15.18-1)`. */
  readonly version: string;
  /** Number such as `150018`. */
  readonly versionNumber: number;
  readonly isStandby: boolean;
  readonly encoding: string;
  readonly user: string;
  /** True if the user may create schemas. */
  readonly canCreate: boolean;
  /** True if the role that files grant to exists. */
  readonly hasRole: boolean;
  /** True if `cdc_management` exists. */
  readonly isInUse: boolean;
  readonly pgCron: 'installed' | 'available' | 'missing';
  /** Transactions until the server refuses writes to protect itself from wraparound. */
  readonly transactionsLeft: number;
  /** Initial settings of this user's sessions. */
  readonly settings: Readonly<Record<ServerSetting, string>>;
  /** Milliseconds by which the target's clock is ahead of ours, accurate to half a round trip. */
  readonly clockAheadMs: number;
  /** True if transactions of one session run in several sessions of the server, which shows a pooler. */
  readonly isPooled: boolean;
}

const SETTINGS = ['fsync', 'full_page_writes', 'autovacuum', 'track_counts'] as const;

/** Name of a server setting that is checked. */
export type ServerSetting = (typeof SETTINGS)[number];

/** Number of transaction ids between the oldest one in use and the newest. */
const TRANSACTION_IDS = 2 ** 31;

interface Row extends Omit<TargetDiagnosis, 'clockAheadMs' | 'isPooled' | 'transactionsLeft'> {
  readonly age: number;
  readonly now: number;
  readonly process: number;
}

/**
 * Reads facts that the use of a target depends on. Needs only the right to connect.
 *
 * @throws TargetError if it is not reachable
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
