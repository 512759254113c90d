import type { PostgresServer } from '@cdc-migrations/postgres-fixture';

/** A session that waited for a lock, according to the server's log. */
export interface LockWait {
  readonly pid: number;
  /** `ShareLock on transaction 745`, `RowExclusiveLock on relation 16400 of database 5`. */
  readonly lock: string;
  readonly ms: number;
}

/** Makes the server log each lock wait of more than a millisecond, in new sessions of a database. */
export async function logLockWaits(server: PostgresServer, database: string): Promise<void> {
  const admin = server.connect({ max: 1 });
  await admin.unsafe(`ALTER DATABASE "${database}" SET log_lock_waits = on`);
  await admin.unsafe(`ALTER DATABASE "${database}" SET deadlock_timeout = '1ms'`);
  await admin.end();
}

/**
 * Reads the finished lock waits. Waits for relation extension are skipped, because that lock is held for one page and
 * not until commit.
 */
export function readLockWaits(log: string): readonly LockWait[] {
  const waits = log.matchAll(/process (\d+) acquired (.+) after ([\d.]+) ms\b/g);
  return [...waits]
    .map(([, pid, lock, ms]) => ({ pid: Number(pid), lock: lock!, ms: Number(ms) }))
    .filter(({ lock }) => !lock.includes('extension of relation'));
}
