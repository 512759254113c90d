import { TargetError } from '../session/target-error.ts';
import type { MergeEvent, TableReplay } from './merge-event.ts';
import {
  isSelected,
  readDeadLetterTables,
  readNewest,
  readReasons,
  replayStep,
  type DeadLetterTable,
  type TableSelection,
} from './merge-statements.ts';
import { jitter, pause } from '@cdc-migrations/session';
import { readIfThere } from '../session/read-if-there.ts';
import type { SteadySession } from './steady-session.ts';

interface ReplayOptions extends TableSelection {
  readonly signal: AbortSignal;
  readonly onEvent: (event: MergeEvent) => void;
}

/**
 * Replays the current dead letters and refused events, table by table, in large transactions. A failed table does not
 * stop the others, and its events stay.
 *
 * @throws TargetError if the connection is lost
 */
export async function replayDeadLetters(
  session: SteadySession,
  options: ReplayOptions,
): Promise<readonly TableReplay[]> {
  const deadLetterTables = await session.use(readDeadLetterTables);
  const replays: TableReplay[] = [];
  for (const table of deadLetterTables.filter((name) => isSelected(name, options))) {
    if (options.signal.aborted) break;
    const replay = await replayTable(session, table, options.signal);
    options.onEvent({ kind: 'letters replayed', ...replay });
    replays.push(replay);
  }
  return replays;
}

async function replayTable(
  session: SteadySession,
  deadLetterTable: DeadLetterTable,
  signal: AbortSignal,
): Promise<TableReplay> {
  const { schema, table, by } = deadLetterTable;
  const what =
    by === 'replay_dead_letters' ? ('dead letters' as const) : ('refused events' as const);
  const total = { schema, table, what, replayed: 0, merged: 0, deleted: 0, stale: 0, dead: 0 };
  const before = await session.use((one) => readIfThere(() => readNewest(one, deadLetterTable)));
  const reasons = () =>
    before && total.dead > 0
      ? session.use((one) => readReasons(one, deadLetterTable, before))
      : Promise.resolve([]);
  try {
    while (!signal.aborted) {
      const step = await insist(
        () => session.use((one) => replayStep(one, deadLetterTable)),
        signal,
      );
      if (step.replayed === 0) break;
      total.replayed += step.replayed;
      total.merged += step.merged;
      total.deleted += step.deleted;
      total.stale += step.stale;
      total.dead += step.dead;
    }
    return { ...total, failure: null, reasons: await reasons() };
  } catch (error) {
    if (!(error instanceof TargetError) || error.kind === 'connection') throw error;
    const failure = `${error.message} (SQLSTATE ${error.code})`;
    return { ...total, failure, reasons: await reasons() };
  }
}

/** SQLSTATEs if another session merges the table or changed what this one read. */
const BUSY = new Set(['55P03', '40001']);
const ATTEMPTS = 100;
const PAUSE_MS = 50;

/** Retries while another session merges the table. */
async function insist<Result>(work: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const isBusy = error instanceof TargetError && BUSY.has(error.code);
      if (!isBusy || attempt === ATTEMPTS || signal.aborted) throw error;
    }
    await pause(jitter(PAUSE_MS), signal);
  }
}
