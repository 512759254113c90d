import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '@cdc-migrations/event-model';
import type { PostgresServer } from '@cdc-migrations/postgres-fixture';
import type { ReplicatedTable } from '@cdc-migrations/table-defs';
import { openBreakableSession } from './breakable-session.ts';
import { compareOutcome, MOST_GAPS } from './compare-outcome.ts';
import { type Crash, type CrashKind, prepareCrash } from './crash-server.ts';
import { insertDelivery, mergeSomething, mergeTheRest } from './play-round.ts';
import { type Loss, readPossibleLoss, replayDeliveries } from './possible-loss.ts';
import { addRefusals } from './refusing-triggers.ts';
import { type Delivery, planRound, type RoundPlan } from './round-plan.ts';
import type { SoakEvent } from './soak-event.ts';
import { renderSettings, type RoundResult } from './run-round.ts';
import { openDatabase, type SoakDatabase, type SoakTarget } from './soak-target.ts';
import { watchWrites } from './watch-writes.ts';

const GAPS_WITHIN_MS = 60_000;

/** Number of times each event was sent, by table, and the events to send. */
interface Sent {
  readonly counts: ReadonlyMap<ReplicatedTable, Map<SoakEvent, number>>;
  readonly queue: Delivery[];
  acknowledged: number;
  /** Number of events replayed because of a possible loss. */
  replayed: number;
}

/**
 * Runs a round with a server crash during staging and merging. The sinks continue from what was not acknowledged, and
 * replay what `possible_loss` reports. The result must match the model.
 */
export async function runCrashRound(
  target: SoakTarget,
  seed: number,
  kind: CrashKind,
): Promise<RoundResult> {
  const plan = { ...planRound(seed), isPooled: false };
  const before = await target.openDatabase(plan);
  await watchWrites(before, plan.tables);
  await addRefusals(before, plan.tables);
  await before.owner.unsafe(renderSettings(plan)).simple();
  const crash = await prepareCrash(target, kind);
  try {
    const sent = prepareSent(plan);
    const survivor = await playUntilCrash(plan, sent, target.server, before, crash);
    const after = openDatabase(survivor, before.name);
    const lost = await replayAll(plan, sent, survivor, after);
    const counts = [...sent.counts.values()].flatMap((of) => [...of.values()]);
    const differences = [...lost, ...(await compareAll(plan, sent, after))];
    await after.close();
    return {
      ...{ seed, differences, tables: plan.tables.length, merges: 0, accidents: 1 },
      replayed: sent.replayed,
      events: counts.reduce((sum, times) => sum + times, 0),
    };
  } finally {
    await before.close();
    await crash.cleanUp();
    await target.dropDatabase(before);
  }
}

function prepareSent({ tables, deliveries }: RoundPlan): Sent {
  const counts = new Map(tables.map((table) => [table, new Map<SoakEvent, number>()]));
  return { counts, queue: [...deliveries], acknowledged: 0, replayed: 0 };
}

/** Runs writers and mergers until enough transactions are acknowledged, then crashes the server. */
async function playUntilCrash(
  plan: RoundPlan,
  sent: Sent,
  server: PostgresServer,
  database: SoakDatabase,
  crash: Crash,
): Promise<PostgresServer> {
  const random = createRandom(plan.seed + 1000);
  const rest = plan.deliveries.length - plan.sparseDeliveries;
  const enough = plan.sparseDeliveries + Math.ceil((rest * random.integer(10, 95)) / 100);
  const state = { isOver: false };
  const merging = Array.from({ length: plan.mergers }, async (_, number) => {
    const session = openBreakableSession(server, database);
    const own = createRandom(plan.seed + number);
    while (!state.isOver) {
      await mergeSomething(session, plan, own);
      await sleep(own.integer(0, 20));
    }
    await session.end();
  });
  if (plan.sparseDeliveries > 0) {
    await write(sent, database, plan.writers, () => sent.acknowledged >= plan.sparseDeliveries);
    await waitForGaps(database);
  }
  const writing = Array.from({ length: plan.writers }, (_, number) =>
    write(sent, database, number, () => state.isOver || sent.acknowledged >= enough),
  );
  await Promise.race([Promise.all(writing), waitFor(() => sent.acknowledged >= enough)]);
  await sleep(random.integer(0, 30));
  const survivor = await crash.happen().finally(() => (state.isOver = true));
  await Promise.all([...writing, ...merging]);
  return survivor;
}

/** Writes deliveries. Unacknowledged ones return to the front of the queue, and the writer ends. */
async function write(
  sent: Sent,
  database: SoakDatabase,
  number: number,
  isOver: () => boolean,
): Promise<void> {
  const sql = database.connectSink(`writer ${number}`);
  for (let next = sent.queue.shift(); next; next = sent.queue.shift()) {
    if (next.end === 'commit') count(sent, next);
    try {
      await insertDelivery(sql, next);
    } catch {
      sent.queue.unshift(next);
      return;
    }
    sent.acknowledged++;
    if (isOver()) return;
  }
}

function count({ counts }: Sent, { table, events }: Delivery): void {
  const of = counts.get(table)!;
  for (const event of events) of.set(event, (of.get(event) ?? 0) + 1);
}

/** Waits until a stream has this number of gaps that older ones are merged into one. */
async function waitForGaps({ superuser }: SoakDatabase): Promise<void> {
  for (const deadline = Date.now() + GAPS_WITHIN_MS; ;) {
    const [row] = await superuser<{ gaps: number }[]>`
      SELECT coalesce(max((SELECT count(*) FROM unnest(offsets))), 0)::integer - 1 AS gaps
      FROM cdc_management.stream_coverage`;
    if (row!.gaps >= MOST_GAPS) return;
    if (Date.now() > deadline) throw new Error(`expected ${MOST_GAPS} gaps, found ${row!.gaps}`);
    await sleep(20);
  }
}

async function waitFor(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await sleep(5);
}

/** Replays and continues. Returns problems with the reported losses. */
async function replayAll(
  plan: RoundPlan,
  sent: Sent,
  server: PostgresServer,
  database: SoakDatabase,
): Promise<readonly string[]> {
  const sink = database.connectSink('sink');
  const losses = await readPossibleLoss(sink);
  const replays = replayDeliveries([...losses, ...readAgain(plan)], sent.counts);
  sent.replayed = replays.flatMap(({ events }) => events).length;
  sent.queue.unshift(...replays);
  const state = { isOver: false };
  const session = openBreakableSession(server, database);
  const random = createRandom(plan.seed);
  const failures: string[] = [];
  const merging = (async () => {
    while (!state.isOver) {
      const failure = await mergeSomething(session, plan, random);
      if (failure !== null) failures.push(`a merge failed: ${failure}`);
      await sleep(random.integer(0, 20));
    }
  })();
  await write(sent, database, 0, () => false).finally(() => (state.isOver = true));
  await merging;
  await session.end();
  await mergeTheRest(plan, database);
  if (sent.queue.length > 0) failures.push('a writer failed after the crash');
  const logged = new Set(
    plan.tables.filter(({ staging }) => staging === 'logged').map(({ name }) => name),
  );
  return [
    ...failures,
    ...losses
      .filter(({ table, cause }) => logged.has(table) && cause === 'crash')
      .map(({ table }) => `possible loss of a logged table: ${table}`),
    ...(await listOpenLosses(sent, database)),
  ];
}

/**
 * Reads everything again for tables with LSN positions. They are never listed as lost, because their readers go back by
 * themselves.
 */
function readAgain({ tables }: RoundPlan): readonly Loss[] {
  return tables
    .filter(({ positions }) => positions === 'lsn')
    .flatMap(({ name: table }) =>
      [0, 1, 2].flatMap((partition) =>
        [0, 1].map((generation) => ({ table, partition, generation, replayFrom: 0, cause: 'lsn' })),
      ),
    );
}

/** Lists losses that are still open although an event with that offset was merged. */
async function listOpenLosses(sent: Sent, { superuser }: SoakDatabase): Promise<readonly string[]> {
  const open = await readPossibleLoss(superuser);
  const positions = new Set(
    [...sent.counts].flatMap(([{ name }, events]) =>
      [...events.keys()].map(({ values }) =>
        [
          name,
          values['__kafka_partition'],
          values['__stream_generation'] ?? '0',
          values['__kafka_offset'],
        ].join('/'),
      ),
    ),
  );
  return open
    .map(({ table, partition, generation, replayFrom }) =>
      [table, partition, generation, replayFrom].join('/'),
    )
    .filter((position) => positions.has(position))
    .map((position) => `still a possible loss: ${position}`);
}

async function compareAll(
  { tables }: RoundPlan,
  { counts }: Sent,
  database: SoakDatabase,
): Promise<readonly string[]> {
  const differences: string[] = [];
  for (const table of tables) {
    differences.push(
      ...(await compareOutcome(database, table, counts.get(table)!, 'at least once')),
    );
  }
  return differences;
}
