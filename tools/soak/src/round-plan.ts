import type { Partitioning } from '@cdc-migrations/e2e';
import { createRandom, type Random } from '@cdc-migrations/event-model';
import type { ReplicatedTable } from '@cdc-migrations/table-defs';
import { buildRandomLog } from './random-log.ts';
import { buildRandomPartitioning, buildRandomTable } from './random-table.ts';
import type { SoakEvent } from './soak-event.ts';

/** One transaction of a writer. */
export interface Delivery {
  readonly table: ReplicatedTable;
  readonly events: readonly SoakEvent[];
  readonly end: 'commit' | 'rollback';
  /** Pause between the insert and the end of the transaction. */
  readonly waitMs: number;
}

/** Plan of a round. Only the timing depends on the machine. */
export interface RoundPlan {
  readonly seed: number;
  readonly tables: readonly ReplicatedTable[];
  /** Partitioning by table, null for an unpartitioned table. */
  readonly partitionings: readonly (Partitioning | null)[];
  /** In the order of processing by the writers. */
  readonly deliveries: readonly Delivery[];
  /** Number of leading deliveries that leave more gaps in a stream than are stored separately. 0 for none. */
  readonly sparseDeliveries: number;
  /** True if writers and mergers connect through a transaction pool, if the target has one. */
  readonly isPooled: boolean;
  /** Maximum time between two locks of a staging table by another session, null for none. */
  readonly lockEveryMs: number | null;
  readonly writers: number;
  readonly mergers: number;
  /** Maximum time between two accidents of mergers, null for none. */
  readonly accidentEveryMs: number | null;
  /** Batch size by table, null for the default. */
  readonly batchEvents: readonly (number | null)[];
  readonly shrinkAboveBytes: number;
  /** Lanes by table, null for none. */
  readonly lanes: readonly (Lanes | null)[];
}

/** Lanes in which several sessions merge one table. */
export interface Lanes {
  readonly count: number;
  /** Generation from which the lanes are active from the start. null if a session activates them. */
  readonly generation: number | null;
}

const MOST_TABLES = 3;
const SHARE_OF_ROLLBACKS = 0.15;
/** Separate seed, so that the rest of a plan does not depend on partitions. */
const PARTITIONS_SEED = 1_000_000_007;
const SHARE_OF_PARTITIONED = 0.4;
/** Separate seeds for pools and locks, and for gaps. */
const POOLS_SEED = 1_000_000_021;
const GAPS_SEED = 1_000_000_033;
/** Separate seed for LSN positions, which most rounds have. */
const LSNS_SEED = 1_000_000_087;
/** Number of events in the sparse deliveries, each after a gap. It exceeds the number of gaps stored separately. */
const SPARSE_EVENTS = 1100;

/** Plans a round. The same seed gives the same plan. Even seeds have one more table with thousands of gaps. */
export function planRound(seed: number): RoundPlan {
  const plan = planDense(seed);
  return seed % 2 === 0 ? addSparse(plan, createRandom(seed + GAPS_SEED)) : plan;
}

function planDense(seed: number): RoundPlan {
  const random = createRandom(seed);
  const others = createRandom(seed + POOLS_SEED);
  const lsns = createRandom(seed + LSNS_SEED);
  const tables = Array.from({ length: random.integer(1, MOST_TABLES) }, (_, place) => {
    const table = buildRandomTable(random, place);
    const isByLsn = table.key !== null && [0, 1, 4].includes(seed % 5) && lsns.chance(0.6);
    return isByLsn ? { ...table, positions: 'lsn' as const, staging: 'logged' as const } : table;
  });
  return {
    seed,
    tables,
    partitionings: planPartitions(tables, createRandom(seed + PARTITIONS_SEED)),
    deliveries: planDeliveries(tables, random, lsns),
    sparseDeliveries: 0,
    isPooled: others.chance(0.5),
    lockEveryMs: others.chance(0.4) ? others.pick([50, 300]) : null,
    writers: random.integer(2, 4),
    mergers: random.integer(2, 4),
    accidentEveryMs: random.chance(0.8) ? random.pick([3, 10, 40]) : null,
    batchEvents: tables.map(() => (random.chance(0.7) ? random.pick([1, 5, 20, 100]) : null)),
    shrinkAboveBytes: random.pick([0, 8192, 65_536, 1_048_576]),
    lanes: tables.map(() =>
      random.chance(0.6)
        ? { count: random.pick([2, 3, 5]), generation: random.pick([0, 0, 1, null]) }
        : null,
    ),
  };
}

/** Adds a table whose first events come before all others. The rest is interleaved. */
function addSparse(plan: RoundPlan, random: Random): RoundPlan {
  const table = buildRandomTable(random, plan.tables.length);
  const log = buildRandomLog(
    table,
    { keys: 1200, bad: 0.01, generations: 1, isSparse: true },
    random,
  );
  const events = random.chance(0.5) ? log : random.shuffle(log);
  const deliver = (of: readonly SoakEvent[]) =>
    cut(of, random, 50).map((some): Delivery => ({
      table,
      events: some,
      end: 'commit',
      waitMs: 0,
    }));
  const first = deliver(events.slice(0, SPARSE_EVENTS));
  const rest = [...plan.deliveries];
  for (const delivery of deliver(events.slice(SPARSE_EVENTS)))
    rest.splice(random.integer(0, rest.length), 0, delivery);
  return {
    ...plan,
    tables: [...plan.tables, table],
    partitionings: [...plan.partitionings, null],
    batchEvents: [...plan.batchEvents, random.pick([20, 100, null])],
    lanes: [...plan.lanes, null],
    deliveries: [...first, ...rest],
    sparseDeliveries: first.length,
  };
}

function planPartitions(
  tables: readonly ReplicatedTable[],
  random: Random,
): RoundPlan['partitionings'] {
  return tables.map((table) =>
    random.chance(SHARE_OF_PARTITIONED) ? buildRandomPartitioning(table, random) : null,
  );
}

/** Plans the events of all tables as one sequence of transactions. */
function planDeliveries(
  tables: readonly ReplicatedTable[],
  random: Random,
  lsns: Random,
): readonly Delivery[] {
  const queues = tables.map((table) => planTable(table, random, lsns));
  const turns = random.shuffle(queues.flatMap((queue) => queue.map(() => queue)));
  const left = new Map(queues.map((queue) => [queue, queue.values()]));
  return turns.flatMap((queue) => left.get(queue)?.next().value ?? []);
}

/** Plans the log of a table with replays. Some of it is out of order or rolled back first. */
function planTable(table: ReplicatedTable, random: Random, lsns: Random): readonly Delivery[] {
  const log = buildRandomLog(
    table,
    {
      keys: random.pick([2, 8, 30, 60]),
      bad: random.pick([0, 0.02, 0.1]),
      generations: random.chance(0.25) ? 2 : 1,
      ...(table.positions === 'lsn' && { lsns }),
    },
    random,
  );
  const isTidy = random.chance(0.5);
  const events = isTidy ? log : random.shuffle(log);
  const queue = cut(events, random).map((some) => [...some]);
  for (let replays = random.integer(0, 3); replays > 0; replays--) {
    queue.splice(random.integer(0, queue.length), 0, ...cut(planReplay(log, random), random));
  }
  return queue.flatMap((chosen): readonly Delivery[] => {
    const waitMs = random.chance(0.2) ? random.integer(1, 25) : 0;
    const delivery: Delivery = { table, events: chosen, end: 'commit', waitMs };
    return random.chance(SHARE_OF_ROLLBACKS)
      ? [{ ...delivery, end: 'rollback' }, delivery]
      : [delivery];
  });
}

/** Plans all events of a partition from some offset on, as sent by a reset consumer. */
function planReplay(log: readonly SoakEvent[], random: Random): readonly SoakEvent[] {
  const from = random.pick(log);
  const later = log
    .slice(log.indexOf(from))
    .filter(({ partition }) => partition === from.partition);
  return random.chance(0.5) ? later : later.slice(0, random.integer(1, later.length));
}

export function cut(
  events: readonly SoakEvent[],
  random: Random,
  most = random.pick([1, 10, 50]),
): SoakEvent[][] {
  const chunks: SoakEvent[][] = [];
  for (let first = 0; first < events.length;) {
    const size = random.integer(1, most);
    chunks.push(events.slice(first, first + size));
    first += size;
  }
  return chunks;
}
