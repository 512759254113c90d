import { setTimeout as sleep } from 'node:timers/promises';
import { jitter } from '@cdc-migrations/session';
import {
  ConnectionLostError,
  ServerUnreachableError,
  SourceQueryError,
  type SourceError,
} from './source-error.ts';
import type { SourceEvent } from './source-database.ts';

/** Before the second attempt; a server that fails over takes longer, one that was busy does not. */
const PAUSE_MS = 500;

/**
 * Errors that pass by themselves: SQL Server's resource limits, fail-over and deadlocks, PostgreSQL's start-up, too many
 * connections, serialization and deadlocks.
 * https://learn.microsoft.com/azure/azure-sql/database/troubleshoot-common-errors-issues
 */
const PASSING: ReadonlySet<string> = new Set([
  ...['1205', '10928', '10929', '10936', '40143', '40197', '40501', '40540', '40613', '49918'],
  ...['49919', '49920', '53300', '57P01', '57P02', '57P03', '40001', '40P01'],
]);

/** Runs a read-only operation, and once more when it failed for a reason that may be gone. */
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

/** A time-out is not among them: who has waited once does not wait as long again. */
function isPassing(error: unknown): error is SourceError {
  if (error instanceof ConnectionLostError) return true;
  if (error instanceof ServerUnreachableError) return error.reason === 'no database server';
  return error instanceof SourceQueryError && PASSING.has(error.code);
}
