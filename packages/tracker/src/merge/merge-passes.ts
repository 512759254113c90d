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

/** A run that is at work. */
export interface MergeRun {
  readonly signal: AbortSignal;
  readonly onEvent: (event: MergeEvent) => void;
  readonly queue: PassQueue;
  /** Whether the run goes on for ever, also over lost connections. */
  readonly isWatching: boolean;
  /** By label of the table. */
  readonly totals: Map<string, TableMerge>;
  /** By key of the lane: why the last pass failed, and how long the lane is left alone for it. */
  readonly failures: Map<string, LaneFailure>;
  leftOut: LeftOut;
  lost: string | null;
}

export interface LaneFailure extends TableLane {
  readonly reason: string;
  readonly until: number;
  readonly ms: number;
}

/** A table that fails is left alone for a time, twice as long from failure to failure. */
const LEFT_ALONE_MS = { first: 1000, longest: 60_000 };

const WAIT_MS = 10;

/** Merges a batch of one pass after the other, until the queue is closed. */
export async function mergePasses(run: MergeRun, session: SteadySession): Promise<void> {
  const { queue } = run;
  for (let pass = await queue.take(); pass; pass = await queue.take()) {
    const step = await mergeBatch(run, session, pass);
    if (step) account(run, pass, step);
    // Others end their batches of its lanes.
    if (step && !step.done && step.pass.end === null) await pause(WAIT_MS, run.signal);
  }
}

/** A batch, or undefined when the run is over without it. */
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

/** What the target refuses is a failure of the table; what the connection does is not. */
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
  else if (done && state.end !== null) forgetFailures(run, pass, state);
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
  const { first, longest } = LEFT_ALONE_MS;
  const ms = before === undefined ? first : Math.min(before * 2, longest);
  failures.set(key, { schema, table, lane, reason, until: performance.now() + ms, ms });
}

/** After a pass over the whole table also those of lanes. */
function forgetFailures(run: MergeRun, pass: Pass, state: PassState): void {
  const isWhole = state.lane === null;
  for (const failure of failuresOf(run, pass)) {
    if (isWhole || failure.lane === pass.lane) run.failures.delete(keyOf(failure));
  }
}

/** Forgets what failed in lanes that tables with something to merge have no more. */
export function forgetLanes({ failures }: MergeRun, waiting: readonly TableLane[]): void {
  const [tables, lanes] = [new Set(waiting.map(labelOf)), new Set(waiting.map(keyOf))];
  for (const [key, failure] of failures) {
    if (tables.has(labelOf(failure)) && !lanes.has(key)) failures.delete(key);
  }
}

function failuresOf({ failures }: MergeRun, table: TableName): readonly LaneFailure[] {
  return [...failures.values()].filter((failure) => labelOf(failure) === labelOf(table));
}
