import { setTimeout as sleep } from 'node:timers/promises';
import { compareFinalTable } from '@cdc-migrations/e2e';
import { createRandom } from '@cdc-migrations/event-model';
import type { PostgresServer } from '@cdc-migrations/postgres-fixture';
import {
  beginReloads,
  type FinishedReload,
  finishReloads,
  openSession,
  type TargetAddress,
  TargetError,
} from '@cdc-migrations/tracker';
import { openBreakableSession } from './breakable-session.ts';
import { uncompared } from './compare-outcome.ts';
import { insertDelivery, mergeSomething, mergeTheRest } from './play-round.ts';
import { readPossibleLoss, replayDeliveries } from './possible-loss.ts';
import { planReload, type ReloadPlan } from './reload-plan.ts';
import type { Delivery, RoundPlan } from './round-plan.ts';
import type { RoundResult } from './run-round.ts';
import type { SoakEvent } from './soak-event.ts';
import { openDatabase, OWNER, type SoakDatabase, type SoakTarget, TENANT } from './soak-target.ts';

export interface ReloadRoundOptions {
  /** Kills the server while the snapshot is merged, and again while rows are removed. */
  readonly crashes?: boolean;
  /** Changes the target in advance, to verify that it is detected. */
  readonly sabotage?: (database: SoakDatabase) => Promise<void>;
}

const FINISHED_WITHIN_MS = 60_000;

/** Runs a round with a seed. The table must end with the rows of its source, whatever was lost before the reload. */
export async function runReloadRound(
  target: SoakTarget,
  seed: number,
  { crashes = false, sabotage }: ReloadRoundOptions = {},
): Promise<RoundResult> {
  const plan = planReload(seed);
  const round = await openRound(target, plan);
  try {
    await sabotage?.(round.database);
    await deliver(round, plan.before);
    const place = { schema: TENANT, table: plan.table.name, customerColumn: null, customer: null };
    const session = openSession(round.address(), 'begin');
    const [begun] = await beginReloads(session, [place]);
    await session.close();
    const differences = begun?.outcome === 'begun' ? [] : [`begin: ${begun?.reason}`];
    const cutAt = crashes ? Math.floor(plan.during.length / 2) : plan.during.length;
    await deliver(round, plan.during.slice(0, cutAt));
    if (crashes) differences.push(...(await crash(round)));
    await deliver(round, plan.during.slice(cutAt));
    const beside = deliver(round, plan.beside);
    if (crashes) await beside; // Crashing writers are tested in other rounds.
    await Promise.all([beside, finish(round, crashes)]);
    if (crashes) await replay(round);
    await deliver(round, plan.after);
    await mergeTheRest({ tables: [plan.table] }, round.database);
    differences.push(...(await compareEnd(round)));
    const events = [...round.sent.values()].reduce((sum, times) => sum + times, 0);
    const { merges, accidents, replayed } = round;
    return { ...{ seed, differences, tables: 1, events, merges, accidents, replayed } };
  } finally {
    round.isOver = true;
    await round.merging;
    await target.dropDatabase(round.database);
  }
}

interface Round {
  readonly plan: ReloadPlan;
  readonly server: PostgresServer;
  database: SoakDatabase;
  readonly address: () => TargetAddress;
  /** Committed events with their number of times. */
  readonly sent: Map<SoakEvent, number>;
  isOver: boolean;
  /** Mergers that work until the round is over. */
  merging: Promise<unknown>;
  merges: number;
  accidents: number;
  replayed: number;
}

async function openRound(target: SoakTarget, plan: ReloadPlan): Promise<Round> {
  const { server } = target;
  const { table, partitioning, batchEvents, lanes } = plan;
  const database = await target.openDatabase({
    ...{ tables: [table], partitionings: [partitioning], isPooled: false },
  });
  await database.owner`UPDATE cdc_management.merge_control SET batch_events = ${batchEvents}, lanes = ${lanes}`;
  const round: Round = {
    ...{ plan, server, database, sent: new Map(), isOver: false },
    ...{ merging: Promise.resolve(), merges: 0, accidents: 0, replayed: 0 },
    address: () => ({
      server: {
        ...{ name: 'soak', host: server.host, port: server.port, user: OWNER, password: OWNER },
        sslmode: 'disable',
      },
      database: database.name,
    }),
  };
  round.merging = Promise.all(
    Array.from({ length: plan.mergers }, (_, number) => merge(round, number)),
  );
  return round;
}

/** Merges in every possible way until the round is over. Merges ended by an accident or a crash are restarted. */
async function merge(round: Round, number: number): Promise<void> {
  const session = openBreakableSession(round.server, round.database);
  const random = createRandom(round.plan.seed + number);
  const tables: Pick<RoundPlan, 'tables'> = { tables: [round.plan.table] };
  while (!round.isOver) {
    await mergeSomething(session, tables, random);
    round.merges++;
    await sleep(random.integer(0, 20));
  }
  await session.end();
}

async function deliver(round: Round, deliveries: readonly Delivery[]): Promise<void> {
  const queue = [...deliveries];
  const write = async (_: unknown, number: number) => {
    const sql = round.database.connectSink(`writer ${number}`);
    for (let next = queue.shift(); next; next = queue.shift()) {
      await insertDelivery(sql, next);
      if (next.end === 'rollback') continue;
      for (const event of next.events) round.sent.set(event, (round.sent.get(event) ?? 0) + 1);
    }
    await sql.end();
  };
  await Promise.all(Array.from({ length: round.plan.writers }, write));
}

/** Crashes the server. A reload must not finish before the replay, and must continue afterwards. Returns problems. */
async function crash(round: Round): Promise<readonly string[]> {
  await killServer(round);
  const losses = await readPossibleLoss(round.database.superuser);
  const [result] = losses.length > 0 ? await tryFinish(round, false) : [];
  await replay(round);
  return result && result.outcome !== 'refused'
    ? [`finish before a replay: ${result.outcome} ${result.reason}`]
    : [];
}

async function killServer(round: Round): Promise<void> {
  const { server, database } = round;
  await server.kill('SIGKILL');
  await server.restart();
  await database.close();
  round.database = openDatabase(server, database.name);
  round.accidents++;
}

/** Sends again what a consumer sends after a reset to the positions in `possible_loss`. */
async function replay(round: Round): Promise<void> {
  const { table } = round.plan;
  const losses =
    table.positions === 'lsn'
      ? [0, 1, 2].map((partition) => ({
          ...{ table: table.name, partition, generation: 0, replayFrom: 0, cause: 'lsn' },
        }))
      : await readPossibleLoss(round.database.superuser);
  const replays = replayDeliveries(losses, new Map([[table, round.sent]]));
  round.replayed += replays.flatMap(({ events }) => events).length;
  await deliver(round, replays);
}

async function tryFinish(round: Round, isReplayed: boolean): Promise<readonly FinishedReload[]> {
  return finishReloads(
    round.address(),
    { tables: [round.plan.table.name] },
    { ...{ isDryRun: false, maxShare: 100, withoutReads: true }, isReplayed, blocks: 1 },
  );
}

/** Finishes the reload despite terminated sessions and a crash. */
async function finish(round: Round, crashes: boolean): Promise<void> {
  const random = createRandom(round.plan.seed + 1);
  const deadline = Date.now() + FINISHED_WITHIN_MS;
  for (let attempt = 0; ; attempt++) {
    const finishing = tryFinish(round, true).catch((error: unknown) => {
      if (error instanceof TargetError) return [];
      throw error;
    });
    if (attempt < MOST_ACCIDENTS) {
      await sleep(random.integer(0, 120));
      if (crashes && attempt === 0) {
        await killServer(round);
        await replay(round);
      } else {
        await terminateSomebody(round);
      }
    }
    const [result] = await finishing;
    if (result?.outcome === 'finished') return;
    const [row] = await round.database.superuser<{ outcome: string | null }[]>`
      SELECT outcome FROM cdc_management.reload`;
    if (row?.outcome === 'finished') return;
    if (result?.outcome === 'refused' || Date.now() > deadline)
      throw new Error(`finish: ${result?.outcome} ${result?.reason}`);
  }
}

const MOST_ACCIDENTS = 3;

async function terminateSomebody(round: Round): Promise<void> {
  await round.database.superuser`
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND (application_name LIKE 'cdc %' OR application_name = 'merger')
    ORDER BY random() LIMIT 1`;
  round.accidents++;
}

async function compareEnd({ plan, database }: Round): Promise<readonly string[]> {
  const { table, rows } = plan;
  const unexplained = await database.superuser<{ row: string }[]>`
    SELECT 'dead letter: ' || reason AS row FROM cdc_management.dead_letter
    UNION ALL SELECT 'open: ' || row_to_json(reload) FROM cdc_management.reload WHERE outcome IS DISTINCT FROM 'finished'`;
  return [
    ...(await compareFinalTable(database.superuser, TENANT, table, rows, uncompared(table))),
    ...unexplained.map(({ row }) => row),
  ];
}
