import { setTimeout as sleep } from 'node:timers/promises';
import { jitter } from '@cdc-migrations/session';
import {
  ConnectionLostError,
  ServerUnreachableError,
  SourceQueryError,
  type SourceError,
} from './source-error.ts';
import type { SourceEvent } from './source-database.ts';

/** Pause before the second attempt. It is enough for a busy server, but not for a failover. */
const PAUSE_MS = 500;

/**
 * Transient errors: resource limits, failover and deadlocks of SQL Server, and startup, too many connections,
 * serialization failures and deadlocks of PostgreSQL.
 * https://learn.microsoft.com/azure/azure-sql/database/troubleshoot-common-errors-issues
 */
const PASSING: ReadonlySet<string> = new Set([
  ...['1205', '10928', '10929', '10936', '40143', '40197', '40501', '40540', '40613', '49918'],
  ...['49919', '49920', '53300', '57P01', '57P02', '57P03', '40001', '40P01'],
]);

/** Runs a read-only operation, and retries it once after a transient failure. */
export async function withRetry<T>(
  operation: () => Promise<T>,
  onEvent: (event: SourceEvent) => void,
): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    if (!isPassing(error)) throw error;
    onEvent({ kind: 'retrying', database: error.database, reason: error.message });
    await sleep(jitter(PAUSE_MS));
    return operation();
  }
}

/** Checks if an error is transient. Timeouts do not count, so that nobody waits twice. */
function isPassing(error: unknown): error is SourceError {
  if (error instanceof ConnectionLostError) return true;
  if (error instanceof ServerUnreachableError) return error.reason === 'no database server';
  return error instanceof SourceQueryError && PASSING.has(error.code);
}
