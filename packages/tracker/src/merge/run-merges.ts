import { pause } from '@cdc-migrations/session';
import type { Session, TargetAddress } from '../session/session.ts';
import { TargetError } from '../session/target-error.ts';
import {
  keyOf,
  labelOf,
  type MergeEvent,
  type TableMerge,
  type TableReplay,
} from './merge-event.ts';
import { readLockedStaging, readMergeProblems, type LockedTable } from '../status/read-concerns.ts';
import { readIfThere } from '../session/read-if-there.ts';
import { describeLeftOut, type LeftOut } from './left-out.ts';
import { clearLanes, mergePasses, type MergeRun } from './merge-passes.ts';
import {
  cleanUpOld,
  isSelected,
  readHeldTables,
  readTransaction,
  readWaiting,
  refuseUnknown,
  type TableSelection,
} from './merge-statements.ts';
import { buildPassQueue } from './pass-queue.ts';
import { replayDeadLetters } from './replay-dead-letters.ts';
import {
  isConnectionError,
  openSteadySession,
  type Line,
  type SteadySession,
} from './steady-session.ts';

/** Selection of tables for a run, and its duration. */
export interface MergeOptions extends TableSelection {
  /** Number of sessions that merge. The default is 4. */
  readonly jobs?: number | undefined;
  /**
   * Interval of an endless run in milliseconds. Without it the run ends when the events that were staged at its
   * beginning are merged.
   */
  readonly everyMs?: number | undefined;
  /** Replays dead letters first. */
  readonly replay?: boolean | undefined;
  /** Ends the run after the current batches. */
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: MergeEvent) => void) | undefined;
}

/** Result of a run and the tables that it skipped. */
export interface MergeResult extends LeftOut {
  /** Tables that had events or failed, in order of name. */
  readonly tables: readonly TableMerge[];
  readonly replays: readonly TableReplay[];
  /** Tables with events from before the run that another session merges, or keeps from being merged. */
  readonly heldTables: readonly LockedTable[];
  /** Reason why the run ended early. */
  readonly lost: string | null;
}

const DEFAULT_JOBS = 4;
const CLEAN_UP_EVERY_MS = 60_000;
/** How long a run waits for sessions that merge its tables. */
const HELD_FOR_MS = 10_000;

/**
 * Merges staged events in a target. Several sessions share the work, and tables take turns by batch. A failed table
 * does not stop the others. With `everyMs` it continues until `signal` aborts, also over lost connections.
 *
 * @throws NoBookkeepingError, UnknownTableError, and TargetError if the target is not reachable at the beginning
 */
export async function runMerges(
  address: TargetAddress,
  options: MergeOptions = {},
): Promise<MergeResult> {
  const { everyMs, jobs = DEFAULT_JOBS, onEvent = () => {} } = options;
  const signal = options.signal ?? new AbortController().signal;
  const queue = buildPassQueue({ staysOpen: everyMs !== undefined });
  const run: MergeRun = {
    ...{ signal, onEvent, queue, isWatching: everyMs !== undefined },
    ...{
      totals: new Map(),
      failures: new Map(),
      held: new Set(),
      heldUntil: performance.now() + HELD_FOR_MS,
      leftOut: { mergeProblems: [], lockedStaging: [] },
      lost: null,
    },
  };
  const line: Line = { onEvent, isLost: false };
  const looker = openSteadySession(address, 'cdc merge', line);
  const workers = Array.from({ length: jobs }, (_, n) =>
    openSteadySession(address, `cdc merge ${n + 1}`, line),
  );
  signal.addEventListener('abort', queue.close);
  try {
    await looker.use((session) => refuseUnknown(session, options));
    const begunAt = await looker.use(readTransaction);
    const replays = options.replay
      ? await replayDeadLetters(looker, { ...options, signal, onEvent })
      : [];
    const looking =
      everyMs === undefined
        ? lookOnce(run, looker, options)
        : watch(run, looker, { ...options, everyMs });
    await Promise.all([looking, ...workers.map((worker) => mergePasses(run, worker))]);
    await noteLeftOut(run, looker, options);
    const heldTables = await readHeld(run, looker, begunAt);
    return { tables: tablesOf(run), replays, ...run.leftOut, heldTables, lost: run.lost };
  } finally {
    signal.removeEventListener('abort', queue.close);
    await Promise.all([looker, ...workers].map((session) => session.close()));
  }
}

/** Begins passes over the tables with staged events once. */
async function lookOnce(
  run: MergeRun,
  looker: SteadySession,
  selection: TableSelection,
): Promise<void> {
  if (run.signal.aborted) return run.queue.close();
  try {
    while (!(await looker.use(cleanUpOld)) && !run.signal.aborted);
    await looker.use((session) => look(run, session, selection));
  } catch (error) {
    run.queue.close();
    throw error;
  }
}

/** Begins passes repeatedly. A slow pass does not block others. */
async function watch(
  run: MergeRun,
  looker: SteadySession,
  options: TableSelection & { readonly everyMs: number },
): Promise<void> {
  const { signal } = run;
  try {
    for (let clearedAt = -Infinity; !signal.aborted; await pause(options.everyMs, signal)) {
      await looker.insist((session) => look(run, session, options), signal);
      if (performance.now() < clearedAt + CLEAN_UP_EVERY_MS) continue;
      await noteLeftOut(run, looker, options);
      const isAll = await looker.insist(cleanUpOld, signal);
      if (isAll !== false) clearedAt = performance.now();
    }
  } finally {
    run.queue.close();
  }
}

/** Records selected tables that cannot be merged now, and reports new ones. */
async function noteLeftOut(
  run: MergeRun,
  looker: SteadySession,
  selection: TableSelection,
): Promise<void> {
  const found = await looker
    .use((session) => Promise.all([readMergeProblems(session), readLockedStaging(session)]))
    .catch((error: unknown) => {
      const isPassing = run.isWatching ? error instanceof TargetError : isConnectionError(error);
      if (!isPassing) throw error;
      return undefined; // keeps the last result
    });
  if (!found) return;
  const [mergeProblems, lockedStaging] = found;
  const before = new Set(describeLeftOut(run.leftOut).map(({ reason }) => reason));
  run.leftOut = {
    mergeProblems: (mergeProblems ?? []).filter((one) => isSelected(one, selection)),
    lockedStaging: lockedStaging.filter((one) => isSelected(one, selection)),
  };
  for (const one of describeLeftOut(run.leftOut)) {
    if (run.isWatching && !before.has(one.reason)) run.onEvent({ kind: 'table left out', ...one });
  }
}

/** Reads which of the tables that another session had still hold events from before the run. */
async function readHeld(
  { held, isWatching }: MergeRun,
  looker: SteadySession,
  begunAt: string,
): Promise<readonly LockedTable[]> {
  if (isWatching || held.size === 0) return [];
  try {
    const waiting = await looker.use((session) =>
      readIfThere(() => readHeldTables(session, begunAt)),
    );
    return (waiting ?? []).filter((one) => held.has(labelOf(one)));
  } catch (error) {
    if (!(error instanceof TargetError)) throw error;
    return []; // A locked staging table and a lost connection are reported elsewhere.
  }
}

/** Begins passes over the tables with something to merge, except those with a recent failure. */
async function look(run: MergeRun, session: Session, selection: TableSelection): Promise<void> {
  const now = performance.now();
  const waiting = await readWaiting(session);
  clearLanes(run, waiting);
  run.queue.add(
    waiting.filter(
      (lane) => isSelected(lane, selection) && (run.failures.get(keyOf(lane))?.until ?? 0) <= now,
    ),
  );
}

function tablesOf({ totals }: MergeRun): readonly TableMerge[] {
  return [...totals]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([, table]) => table)
    .filter(({ events, failure }) => events > 0 || failure !== null);
}
