import { quoteLiteral } from '@cdc-migrations/sql-text';
import { tryUntil } from './back-off.ts';
import type { Session } from './session.ts';

/** Who holds the lock of an apply. */
export interface LockHolder {
  readonly pid: number;
  readonly application: string;
  readonly user: string;
  /** When that session began, in ISO 8601. */
  readonly since: string;
}

/** Another apply works on the same set in the same database. */
export class LockNotObtainedError extends Error {
  override readonly name = 'LockNotObtainedError';
  constructor(
    readonly set: string,
    readonly holder: LockHolder | undefined,
  ) {
    super(`another apply works on ${set}: ${describeHolder(holder)}; try again, or wait longer`);
  }
}

/** `pid 4711, application "cdc apply", user app, since 2026-01-31T12:00:00Z`. */
export function describeHolder(holder: LockHolder | undefined): string {
  if (!holder) return 'a session that has ended meanwhile';
  const { pid, application, user, since } = holder;
  return `pid ${pid}, application "${application}", user ${user}, since ${since}`;
}

interface LockOptions {
  readonly timeoutMs: number;
  readonly onWait: (holder: LockHolder | undefined) => void;
}

/**
 * Takes the lock of an apply of a set for as long as the session lasts, without ever standing in a queue: a session that
 * waits holds a snapshot and gets in the way of others.
 *
 * @throws LockNotObtainedError
 */
export async function takeLock(
  session: Session,
  set: string,
  { timeoutMs, onWait }: LockOptions,
): Promise<void> {
  let hasTold = false;
  const isLocked = await tryUntil(timeoutMs, async () => {
    const [row] = await session.query<{ locked: boolean }>(
      `SET idle_session_timeout = 0; SELECT pg_catalog.pg_try_advisory_lock(${keyOf(set)}) AS locked`,
    );
    if (row!.locked) return true;
    if (!hasTold) onWait(await readHolder(session, set));
    hasTold = true;
    return undefined;
  });
  if (isLocked === undefined) throw new LockNotObtainedError(set, await readHolder(session, set));
}

function keyOf(set: string): string {
  return `pg_catalog.hashtextextended(${quoteLiteral(`cdc apply ${set}`)}, 0)`;
}

async function readHolder(session: Session, set: string): Promise<LockHolder | undefined> {
  const [holder] =
    await session.query<LockHolder>(`SELECT activity.pid, activity.application_name AS application,
  activity.usename AS user,
  pg_catalog.to_char(activity.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS since
FROM pg_catalog.pg_locks AS lock
JOIN pg_catalog.pg_stat_activity AS activity USING (pid)
WHERE lock.locktype = 'advisory' AND lock.granted AND lock.objsubid = 1
  AND lock.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
  AND (lock.classid::bigint << 32) | lock.objid::bigint = ${keyOf(set)}
LIMIT 1`);
  return holder;
}
