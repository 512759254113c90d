import type { PostgresServer } from '@cdc-migrations/postgres-fixture';

/** A session that stood in a queue for a lock, as the server's log has it. */
export interface LockWait {
  readonly pid: number;
  /** `ShareLock on transaction 745`, `RowExclusiveLock on relation 16400 of database 5`. */
  readonly lock: string;
  readonly ms: number;
}

/** Has the server log each wait for a lock of more than a millisecond, in sessions of a database that begin from now on. */
export async function logLockWaits(server: PostgresServer, database: string): Promise<void> {
  const admin = server.connect({ max: 1 });
  await admin.unsafe(`ALTER DATABASE "${database}" SET log_lock_waits = on`);
  await admin.unsafe(`ALTER DATABASE "${database}" SET deadlock_timeout = '1ms'`);
  await admin.end();
}

/**
 * Waits that are over. Those for the lock to make a table longer are left out: a session holds it while it writes a page,
 * and not until its commit.
 */
export function readLockWaits(log: string): readonly LockWait[] {
  const waits = log.matchAll(/process (\d+) acquired (.+) after ([\d.]+) ms\b/g);
  return [...waits]
    .map(([, pid, lock, ms]) => ({ pid: Number(pid), lock: lock!, ms: Number(ms) }))
    .filter(({ lock }) => !lock.includes('extension of relation'));
}
