import { setTimeout as sleep } from 'node:timers/promises';
import { startDelays, type Delays } from '@cdc-migrations/session';
import { findStatement, lineOf, type FailedStatement } from './find-statement.ts';
import {
  ALREADY_APPLIED,
  buildTransaction,
  BUSY,
  expandSchema,
  ROLLBACK,
  type FileTransaction,
  type TransactionOptions,
  type Work,
} from './file-transaction.ts';
import {
  INTERRUPTED,
  recordApplied,
  recordFailed,
  type FileInSchema,
} from '../history/history-sql.ts';
import { isWithoutTransaction, type Migrations } from '../migrations/migrations.ts';
import type { Session } from '../session/session.ts';
import { splitStatements } from '../migrations/split-statements.ts';
import { TargetError } from '../session/target-error.ts';

export interface ApplyFileOptions extends TransactionOptions {
  /** Time for retries of a file that cannot get a lock, in milliseconds. */
  readonly retryForMs: number;
  readonly onRetry: (reason: string) => void;
  /** Goes in front of a file without a transaction. */
  readonly tag: string;
}

/** Outcome of a file. `meanwhile` means that another session applied it first. */
export type FileOutcome =
  | {
      readonly kind: 'applied';
      /** Number of statements of each file. */
      readonly statements: readonly number[];
      readonly durationMs: number;
    }
  | { readonly kind: 'meanwhile' }
  | {
      readonly kind: 'failed' | 'unsafe';
      readonly error: TargetError;
      readonly statement?: FailedStatement;
      /** File of the statement, if several files share a transaction. */
      readonly placed?: FileInSchema;
    };

/** Outcome of one attempt, without its duration. */
export type Attempt =
  | Exclude<FileOutcome, { readonly kind: 'applied' }>
  | { readonly kind: 'applied'; readonly statements: readonly number[] };

/** SQLSTATE of `cdc_management.converge_table` for a change that could lose values. */
const UNSAFE = 'CD005';

/** Errors that a retry can solve: locks, deadlocks, and concurrent changes of catalog rows. */
const PASSING = new Set(['55P03', '40P01', '40001', 'XX000', BUSY]);
const CONCURRENT_UPDATE = 'tuple concurrently updated';

/**
 * Applies files and records their history in one transaction. Retries while locks are in the way. A failure is recorded
 * in the history in a separate transaction.
 *
 * @throws TargetError if the connection is lost
 */
export async function applyFile(
  session: Session,
  migrations: Migrations,
  work: Work,
  options: ApplyFileOptions,
): Promise<FileOutcome> {
  const start = performance.now();
  const outcome = isWithoutTransaction(work.files[0].file)
    ? await runAlone(session, migrations, work.files[0], options.tag)
    : await runTransaction(session, buildTransaction(migrations, work, options), options);
  if (outcome.kind === 'applied') return { ...outcome, durationMs: performance.now() - start };
  if (outcome.kind === 'meanwhile') return outcome;
  for (const located of work.recreate && outcome.placed ? [outcome.placed] : work.files) {
    const error = describeError(outcome.error);
    await recordFailure(
      session,
      recordFailed(migrations, located, { outcome: outcome.kind, error }),
    );
  }
  return outcome;
}

const DELAYS: Delays = { firstMs: 50, longestMs: 2000 };

/** Runs a transaction and retries while locks are in the way. */
export async function runTransaction(
  session: Session,
  transaction: FileTransaction,
  { retryForMs, onRetry }: Pick<ApplyFileOptions, 'retryForMs' | 'onRetry'>,
): Promise<Attempt> {
  const { begin, guard, body, parts, record, commit, statements } = transaction;
  const deadline = performance.now() + retryForMs;
  const nextDelayMs = startDelays(DELAYS);
  for (;;) {
    try {
      await session.query(begin + guard + body + record + commit);
      return { kind: 'applied', statements };
    } catch (error) {
      if (!(error instanceof TargetError) || error.kind === 'connection') throw error;
      await session.execute(ROLLBACK);
      if (error.code === ALREADY_APPLIED) return { kind: 'meanwhile' };
      if (!isPassing(error) || performance.now() > deadline) {
        const offset =
          error.offset === undefined ? undefined : error.offset - begin.length - guard.length;
        const found = await findStatement(session, { begin, body, offset, code: error.code });
        const part = found && parts.findLast((one) => one.offset <= found.offset);
        return {
          kind: error.code === UNSAFE ? 'unsafe' : 'failed',
          error,
          ...(found &&
            part && {
              statement: {
                line: lineOf(body.slice(part.offset), found.offset - part.offset),
                text: found.text,
              },
              placed: part.placed,
            }),
        };
      }
      onRetry(error.message);
      await sleep(nextDelayMs());
    }
  }
}

/** True if a retry may succeed. */
export function isPassing({ code, message }: TargetError): boolean {
  return PASSING.has(code) && (code !== 'XX000' || message === CONCURRENT_UPDATE);
}

/** Runs a file outside of a transaction. Its history says that it failed until it has succeeded. */
async function runAlone(
  session: Session,
  migrations: Migrations,
  located: FileInSchema,
  tag: string,
): Promise<Attempt> {
  const text = expandSchema(located);
  await session.write(recordFailed(migrations, located, { outcome: 'failed', error: INTERRUPTED }));
  try {
    await session.execute(tag + text);
  } catch (failure) {
    if (!(failure instanceof TargetError) || failure.kind === 'connection') throw failure;
    return { kind: 'failed', error: failure };
  }
  const statements = splitStatements(text).length;
  await session.write(recordApplied(migrations, located, { outcome: 'applied', statements }));
  return { kind: 'applied', statements: [statements] };
}

/**
 * Records a failure in the history. If the very first file fails there is no history yet, and only the caller reports
 * the failure.
 */
async function recordFailure(session: Session, statement: string): Promise<void> {
  try {
    await session.write(statement);
  } catch (error) {
    if (!(error instanceof TargetError) || error.kind === 'connection') throw error;
  }
}

/** Joins all parts of a target's error to one text. */
function describeError({ message, code, detail, hint, context }: TargetError): string {
  return [
    `${message} (SQLSTATE ${code})`,
    ...(detail ? [`detail: ${detail}`] : []),
    ...(hint ? [`hint: ${hint}`] : []),
    ...(context ? [`where: ${context}`] : []),
  ].join('\n');
}
