import { setTimeout as sleep } from 'node:timers/promises';
import { openSession, type Session, type TargetAddress } from './session.ts';

/** Error: the pool before a target gives no further connection while one is in a transaction. */
export class NoConnectionError extends Error {
  override readonly name = 'NoConnectionError';
  constructor() {
    super(
      `expected two connections at a time, found one, and no response on another within ${CONNECT_WITHIN_MS / 1000} s; ` +
        'give the pool before it more connections (pool_size), or connect to PostgreSQL itself',
    );
  }
}

const CONNECT_WITHIN_MS = 10_000;

/**
 * Runs work on several sessions of a target, as many as it has connections for.
 *
 * @throws NoConnectionError if it has none, TargetError if it refuses all
 */
export async function withWorkers<Result>(
  address: TargetAddress,
  count: number,
  work: (workers: readonly [Session, ...Session[]]) => Promise<Result>,
): Promise<Result> {
  const sessions = Array.from({ length: count }, (_, n) =>
    openSession(address, `cdc apply ${n + 1}`),
  );
  const late = new AbortController();
  try {
    const tries = sessions.map((session) => session.read('SELECT 1').then(() => session));
    const time = sleep(CONNECT_WITHIN_MS, undefined, { signal: late.signal }).catch(
      () => undefined,
    );
    const ends = await Promise.allSettled(tries.map((one) => Promise.race([one, time])));
    const [first, ...others] = ends.flatMap((end) =>
      end.status === 'fulfilled' ? (end.value ?? []) : [],
    );
    if (first) return await work([first, ...others]);
    const failed = ends.find((end) => end.status === 'rejected');
    throw failed ? failed.reason : new NoConnectionError();
  } finally {
    late.abort();
    await Promise.all(sessions.map((session) => session.close()));
  }
}
