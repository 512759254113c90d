import type { Partitioning } from '@cdc-migrations/e2e';
import { createRandom, type FinalRow, type Random } from '@cdc-migrations/event-model';
import { type ReplicatedTable, spellings } from '@cdc-migrations/table-defs';
import { buildOutcome } from './build-outcome.ts';
import { buildRandomKeys, type Key } from './random-keys.ts';
import { buildDeletedRow, buildEvent, buildRow, countLsns } from './random-log.ts';
import { buildRandomPartitioning, buildRandomTable } from './random-table.ts';
import { cut, type Delivery } from './round-plan.ts';
import { comparePositions, type SoakEvent } from './soak-event.ts';
import { unavailableValue } from './unavailable-value.ts';

/**
 * Kind of snapshot: all rows at once, in chunks while changes continue, into a new topic, or with the LSN of the newest
 * change.
 */
export type SnapshotKind = 'blocking' | 'incremental' | 'new topic' | 'lsn';

/** A source whose connector stopped for a while, the snapshot afterwards, and the transactions that deliver both. */
export interface ReloadPlan {
  readonly seed: number;
  readonly kind: SnapshotKind;
  readonly table: ReplicatedTable;
  readonly partitioning: Partitioning | null;
  readonly batchEvents: number | null;
  readonly lanes: number | null;
  readonly writers: number;
  readonly mergers: number;
  /** Committed before the reload starts. Some are not merged yet. */
  readonly before: readonly Delivery[];
  /** The rest, and the snapshot with the changes in parallel. Committed before the reload is finished. */
  readonly during: readonly Delivery[];
  /** Committed while rows are removed. Sometimes earlier events are repeated. */
  readonly beside: readonly Delivery[];
  /** Changes, and a repeated part of the log. */
  readonly after: readonly Delivery[];
  /** Final rows of the source, and with soft deletes also the deleted rows. */
  readonly rows: readonly FinalRow[];
  /** Number of keys with lost deletes. */
  readonly lost: number;
}

type Values = Readonly<Record<string, string | null>>;

const INSERTS = spellings('insert');
const UPDATES = spellings('update', 'upsert');
const DELETES = spellings('delete');
const READS = spellings('snapshot');
const PARTITIONS = 3;

/** Plans a reload. The same seed gives the same plan. */
export function planReload(seed: number): ReloadPlan {
  const random = createRandom(seed);
  const kind = random.pick<SnapshotKind>(['blocking', 'incremental', 'new topic', 'lsn']);
  const table = buildKeyedTable(random, kind);
  const source = openSource(table, kind, random);
  source.change(random.integer(20, 150));
  const known = source.events();
  const lost = source.changeUnseen(random.integer(5, 60));
  source.change(random.integer(1, 20), { first: 'upsert' });
  const caughtUp = source.events();
  const seen = kind === 'lsn' ? caughtUp.length : random.integer(known.length, caughtUp.length);
  source.snapshot();
  const read = source.events();
  source.change(random.integer(5, 60));
  const changed = source.events();
  source.change(random.integer(0, 40));
  const log = source.events();
  const deliver = (events: readonly SoakEvent[]) => planDeliveries(table, events, random);
  const again = random.chance(0.8) ? log : log.slice(random.integer(0, log.length - 1));
  return {
    ...{ seed, kind, table, lost: lost.length },
    partitioning: random.chance(0.3) ? buildRandomPartitioning(table, random) : null,
    batchEvents: random.chance(0.6) ? random.pick([1, 5, 20]) : null,
    lanes: random.chance(0.4) ? random.integer(2, 3) : null,
    writers: random.integer(1, 3),
    mergers: random.integer(1, 3),
    before: deliver(caughtUp.slice(0, seen)),
    during: deliver([...caughtUp.slice(seen), ...read.slice(caughtUp.length)]),
    beside: [...(random.chance(0.5) ? deliver(known) : []), ...deliver(changed.slice(read.length))],
    after: [...deliver(log.slice(changed.length)), ...deliver(again)],
    rows: buildOutcome(table, new Map([...log, ...lost].map((event) => [event, 1]))).rows,
  };
}

function buildKeyedTable(random: Random, kind: SnapshotKind): ReplicatedTable {
  for (;;) {
    const { truncate: _, ...table } = buildRandomTable(random, 0);
    if (table.key === null) continue;
    return kind === 'lsn' ? { ...table, positions: 'lsn', staging: 'logged' } : table;
  }
}

/** A source table with its topic. */
interface Source {
  /** Changes rows with an event each. The first change can be forced to be no delete. */
  change(count: number, options?: { readonly first?: 'upsert' }): void;
  /**
   * Changes rows while the connector is stopped. Returns the lost deletes, positioned after the last event of their
   * keys.
   */
  changeUnseen(count: number): readonly SoakEvent[];
  snapshot(): void;
  /** Returns all events so far. */
  events(): readonly SoakEvent[];
}

function openSource(table: ReplicatedTable, kind: SnapshotKind, random: Random): Source {
  const keys = buildRandomKeys(table, random.pick([5, 20, 60]), random);
  const rows = new Map<Key, Values>();
  const log: SoakEvent[] = [];
  const nextLsn = kind === 'lsn' ? countLsns(random) : undefined;
  /** Most rows with lost deletes do not return. */
  let used = keys;
  let generation = 0;
  let offsets: number[] = [];
  let partitions = new Map<Key, number>();
  const openTopic = () => {
    offsets = Array.from({ length: PARTITIONS }, () => random.pick([-1, 0, 1e6]));
    partitions = new Map(keys.map((key) => [key, random.integer(0, PARTITIONS - 1)]));
  };
  openTopic();
  const emit = (key: Key, operation: string, values: Values, lsn?: number) => {
    const partition = partitions.get(key)!;
    offsets[partition]! += random.chance(0.2) ? random.integer(2, 90) : 1;
    const offset = lsn ?? nextLsn?.(keys.indexOf(key)) ?? offsets[partition]!;
    const place = { partition, offset, generation, number: log.length };
    log.push(buildEvent(table, { key: key.text, operation, values }, place));
  };
  const remove = (key: Key) => {
    rows.delete(key);
    return () => emit(key, random.pick(DELETES), buildDeletedRow(table, spell(key), random));
  };
  const write = (key: Key) => {
    const before = rows.get(key);
    const operation = random.pick(before ? UPDATES : INSERTS);
    const leavesOut = before !== undefined && random.chance(0.2);
    const values = { ...buildRow(table, leavesOut, random), ...spell(key) };
    rows.set(key, { ...values, ...unchanged(table, values, before) });
    return () => emit(key, operation, values);
  };
  const spell = (key: Key) => random.pick(key.spellings);
  const changeOne = (share: number) => {
    const key = random.pick(used);
    return rows.has(key) && random.chance(share) ? remove(key) : write(key);
  };
  const change: Source['change'] = (count, { first } = {}) => {
    if (first === 'upsert') {
      nextLsn?.(null); // of another transaction
      write(random.pick(used))();
    }
    for (let left = count; left > 0; left--) changeOne(0.3)();
  };
  const read = (chunk: readonly Key[], lsn?: number) => {
    for (const key of chunk) emit(key, random.pick(READS), rows.get(key)!, lsn);
  };
  return {
    change,
    events: () => [...log],
    changeUnseen(count) {
      for (let left = count; left > 0; left--) changeOne(0.6);
      const newest = new Map<string | null, SoakEvent>();
      for (const event of log) newest.set(event.key, event);
      const lost = keys.filter((key) => !rows.has(key) && newest.get(key.text)?.kind === 'upsert');
      const left = keys.filter((key) => !lost.includes(key) || random.chance(0.3));
      if (left.length > 0) used = left;
      return lost.map((key): SoakEvent => {
        const last = newest.get(key.text)!;
        return { ...last, id: `unseen ${last.id}`, kind: 'delete', offset: last.offset + 0.5 };
      });
    },
    snapshot() {
      if (kind === 'new topic') {
        generation++;
        openTopic();
      }
      if (kind === 'lsn') {
        const { offset } = [...log].sort(comparePositions).at(-1)!;
        const changed = new Set(log.filter((one) => one.offset === offset).map(({ key }) => key));
        read(random.shuffle([...rows.keys()].filter(({ text }) => !changed.has(text))), offset);
        nextLsn?.(null);
      } else if (kind !== 'incremental') {
        read(random.shuffle([...rows.keys()]));
      }
      if (kind !== 'incremental') return change(random.integer(0, 30));
      const left = random.shuffle(keys);
      while (left.length > 0) {
        const chunk = left.splice(0, random.integer(1, 10));
        const seenBefore = log.length;
        change(random.integer(0, 6));
        // A row that changes while its chunk is read is sent only as that change.
        const changed = new Set(log.slice(seenBefore).map(({ key }) => key));
        read(chunk.filter((key) => rows.has(key) && !changed.has(key.text)));
      }
    },
  };
}

/** Returns the large values that an update omits. */
function unchanged({ columns }: ReplicatedTable, values: Values, before: Values = {}): Values {
  const left = columns.filter(
    ({ name, type }) =>
      values[name] !== undefined &&
      values[name] !== null &&
      values[name] === unavailableValue(type),
  );
  return Object.fromEntries(left.map(({ name }) => [name, before[name] ?? null]));
}

/** Plans transactions in the order of the log or in random order. Some are rolled back first, some are duplicates. */
function planDeliveries(
  table: ReplicatedTable,
  events: readonly SoakEvent[],
  random: Random,
): readonly Delivery[] {
  const queue = cut(random.chance(0.5) ? events : random.shuffle(events), random);
  return queue.flatMap((some): readonly Delivery[] => {
    const waitMs = random.chance(0.1) ? random.integer(1, 10) : 0;
    const delivery: Delivery = { table, events: some, end: 'commit', waitMs };
    if (random.chance(0.1)) return [{ ...delivery, end: 'rollback' }, delivery];
    return random.chance(0.1) ? [delivery, delivery] : [delivery];
  });
}
