import { pause } from '@cdc-migrations/session';
import type { Session } from '../session/session.ts';
import { TargetError } from '../session/target-error.ts';
import {
  addCounts,
  keyOf,
  labelOf,
  NOTHING,
  type MergeEvent,
  type TableLane,
  type TableMerge,
  type TableName,
} from './merge-event.ts';
import type { LeftOut } from './left-out.ts';
import { mergeStep, type MergeStep, type PassState } from './merge-statements.ts';
import type { Pass, PassQueue } from './pass-queue.ts';
import { isConnectionError, type SteadySession } from './steady-session.ts';

/** A run of merges. */
export interface MergeRun {
  readonly signal: AbortSignal;
  readonly onEvent: (event: MergeEvent) => void;
  readonly queue: PassQueue;
  /** True if the run never ends by itself and survives lost connections. */
  readonly isWatching: boolean;
  /** Totals by label of the table. */
  readonly totals: Map<string, TableMerge>;
  /** Reason and pause of the last failed pass, by key of the lane. */
  readonly failures: Map<string, LaneFailure>;
  leftOut: LeftOut;
  /** Labels of tables that another session was merging when a pass began. */
  readonly held: Set<string>;
  /** Time until which passes over such tables are retried. A run that watches leaves them to its next look. */
  readonly heldUntil: number;
  lost: string | null;
}

export interface LaneFailure extends TableLane {
  readonly reason: string;
  readonly until: number;
  readonly ms: number;
}

/** Pause of a table after a failure. It doubles with each failure. */
const SKIPPED_MS = { first: 1000, longest: 60_000 };

const WAIT_MS = 10;
const HELD_WAIT_MS = 100;

/** Merges batches of one pass after the other, until the queue is closed. */
export async function mergePasses(run: MergeRun, session: SteadySession): Promise<void> {
  const { queue } = run;
  for (let pass = await queue.take(); pass; pass = await queue.take()) {
    const step = await mergeBatch(run, session, pass);
    if (!step) continue;
    const isHeld = step.done && step.failure === null && step.pass.end === null;
    if (isHeld) run.held.add(labelOf(pass));
    const isAgain = isHeld && !run.isWatching && performance.now() < run.heldUntil;
    account(run, pass, isAgain ? { ...step, done: false } : step);
    if (isAgain) await pause(HELD_WAIT_MS, run.signal);
    // Other sessions finish their batches of its lanes.
    else if (!step.done && step.pass.end === null) await pause(WAIT_MS, run.signal);
  }
}

/** Merges a batch. Returns undefined if the run ended before. */
async function mergeBatch(
  run: MergeRun,
  session: SteadySession,
  pass: Pass,
): Promise<MergeStep | undefined> {
  const work = (one: Session) => tryStep(one, pass);
  try {
    return await (run.isWatching ? session.insist(work, run.signal) : session.use(work));
  } catch (error) {
    run.queue.close();
    if (!isConnectionError(error)) throw error;
    run.lost ??= error.message;
    return undefined;
  }
}

/** Runs a batch. An error of a statement is a failure of the table, and an error of the connection is not. */
async function tryStep(session: Session, pass: Pass): Promise<MergeStep> {
  try {
    return await mergeStep(session, pass, pass.state);
  } catch (error) {
    if (!(error instanceof TargetError) || error.kind === 'connection') throw error;
    const failure = `${error.message} (SQLSTATE ${error.code})`;
    return { pass: { lane: null, end: null }, done: true, failure, ...NOTHING };
  }
}

function account(run: MergeRun, pass: Pass, step: MergeStep): void {
  const { queue, totals, onEvent } = run;
  const { schema, table } = pass;
  const { pass: state, done, failure, ...own } = step;
  const counts = addCounts(pass.counts, own);
  if (failure !== null) noteFailure(run, pass, failure);
  else if (done && state.end !== null) clearFailures(run, pass, state);
  const before = totals.get(labelOf(pass)) ?? NOTHING;
  totals.set(labelOf(pass), {
    ...{ schema, table, ...addCounts(before, own) },
    failure: failuresOf(run, pass)[0]?.reason ?? null,
  });
  if (own.events > 0) {
    onEvent({ kind: 'batch merged', waiting: queue.open, schema, table, ...own });
  }
  if (!done) return queue.putBack({ ...pass, state, counts });
  queue.finish(pass);
  if (counts.events > 0) {
    const durationMs = performance.now() - pass.startedAt;
    onEvent({ kind: 'table merged', schema, table, durationMs, ...counts });
  }
  if (failure !== null) onEvent({ kind: 'table failed', schema, table, reason: failure });
}

function noteFailure({ failures }: MergeRun, { schema, table, lane }: Pass, reason: string): void {
  const key = keyOf({ schema, table, lane });
  const before = failures.get(key)?.ms;
  const { first, longest } = SKIPPED_MS;
  const ms = before === undefined ? first : Math.min(before * 2, longest);
  failures.set(key, { schema, table, lane, reason, until: performance.now() + ms, ms });
}

/** Resets failures of a pass. After a pass over the whole table, also those of its lanes. */
function clearFailures(run: MergeRun, pass: Pass, state: PassState): void {
  const isWhole = state.lane === null;
  for (const failure of failuresOf(run, pass)) {
    if (isWhole || failure.lane === pass.lane) run.failures.delete(keyOf(failure));
  }
}

/** Removes failures of lanes that no longer exist, for tables with something to merge. */
export function clearLanes({ failures }: MergeRun, waiting: readonly TableLane[]): void {
  const [tables, lanes] = [new Set(waiting.map(labelOf)), new Set(waiting.map(keyOf))];
  for (const [key, failure] of failures) {
    if (tables.has(labelOf(failure)) && !lanes.has(key)) failures.delete(key);
  }
}

function failuresOf({ failures }: MergeRun, table: TableName): readonly LaneFailure[] {
  return [...failures.values()].filter((failure) => labelOf(failure) === labelOf(table));
}
