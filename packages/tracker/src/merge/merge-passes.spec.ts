import type { Session } from '../session/session.ts';
import { clearLanes, mergePasses, type MergeRun } from './merge-passes.ts';
import { buildPassQueue } from './pass-queue.ts';
import type { SteadySession } from './steady-session.ts';

const COUNTS = { events: '0', merged: '0', deleted: '0', stale: '0', dead: '0' };
const TABLE = { schema: 'blue', table: 'orders' };
const LANES = [0, 1].map((lane) => ({ ...TABLE, lane }));

interface Answer {
  readonly pass: { readonly lane: number | null; readonly end: number | null };
  readonly failure: string | null;
}

const ended = (lane: number | null): Answer => ({ pass: { lane, end: 64 }, failure: null });
const leftToOthers = (lane: number | null): Answer => ({
  pass: { lane, end: null },
  failure: null,
});
const failed = (lane: number): Answer => ({ pass: { lane, end: 64 }, failure: 'disk full' });

/** Runs passes over the lanes. Each has one batch with this answer of the target. */
async function runLanes(run: MergeRun, ...answers: readonly Answer[]): Promise<string | null> {
  const left = [...answers];
  const session = {
    write: () => Promise.resolve([{ ...left.shift(), done: true, ...COUNTS }]),
  } as unknown as Session;
  run.queue.add(LANES.slice(0, answers.length));
  await mergePasses(run, {
    use: (work: (one: Session) => unknown) => Promise.resolve(work(session)),
  } as unknown as SteadySession);
  return run.totals.get('blue.orders')!.failure;
}

function beginRun(before?: MergeRun): MergeRun {
  return {
    signal: new AbortController().signal,
    onEvent: () => {},
    queue: buildPassQueue({ staysOpen: false }),
    isWatching: false,
    totals: before?.totals ?? new Map(),
    failures: before?.failures ?? new Map(),
    leftOut: { mergeProblems: [], lockedStaging: [] },
    held: new Set(),
    heldUntil: 0,
    lost: null,
  };
}

describe('the failure of a lane', () => {
  it('is kept when another lane is merged or another session has the table', async () => {
    expect(await runLanes(beginRun(), failed(0), ended(1))).toBe('disk full');
    expect(await runLanes(beginRun(), failed(0), leftToOthers(null))).toBe('disk full');
  });

  it('is cleared when that lane or the whole table is merged', async () => {
    const run = beginRun();
    await runLanes(run, failed(0), ended(1));
    expect(await runLanes(beginRun(run), ended(0))).toBeNull();
    expect(await runLanes(beginRun(), failed(0), ended(null))).toBeNull();
  });

  it('is cleared when the table has events to merge but no such lane', async () => {
    const run = beginRun();
    await runLanes(run, failed(0), ended(1));
    clearLanes(run, [{ schema: 'blue', table: 'others', lane: null }]);
    expect(run.failures.size).toBe(1);
    clearLanes(run, [{ ...TABLE, lane: null }]);
    expect(run.failures.size).toBe(0);
  });
});
