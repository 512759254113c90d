import type { Session } from './session.ts';

/** Between us and the target, statements of one session go to several: locks of a session hold nothing there. */
export class PoolingProxyError extends Error {
  override readonly name = 'PoolingProxyError';
  constructor() {
    super(
      'the connection goes through a proxy that pools transactions (PgBouncer with pool_mode = transaction?), so the ' +
        'lock against a second apply does not hold; connect to PostgreSQL itself, or to a pool of sessions',
    );
  }
}

/**
 * Refuses a proxy that pools transactions: while one session is in a transaction, another session that is not has the
 * same process at the target, or changes it.
 *
 * @param holder session with the lock, in no transaction.
 * @param other another session, in no transaction.
 * @throws PoolingProxyError
 */
export async function refusePooling(holder: Session, other: Session): Promise<void> {
  const before = await pidOf(holder);
  await other.query('BEGIN');
  try {
    const inTransaction = await pidOf(other);
    if (inTransaction === before || (await pidOf(holder)) !== before) throw new PoolingProxyError();
  } finally {
    await other.execute('ROLLBACK');
  }
}

async function pidOf(session: Session): Promise<number> {
  const [row] = await session.query<{ pid: number }>('SELECT pg_catalog.pg_backend_pid() AS pid');
  return row!.pid;
}
