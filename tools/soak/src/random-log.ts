import { buildValue, type Random } from '@cdc-migrations/event-model';
import { KAFKA_TIMESTAMP, type ReplicatedTable, spellings } from '@cdc-migrations/table-defs';
import { makeBad } from './bad-event.ts';
import { buildRandomKeys, type Key } from './random-keys.ts';
import { AMOUNT, STATUS } from './random-table.ts';
import type { SoakEvent } from './soak-event.ts';
import { unavailableValue } from './unavailable-value.ts';

type Values = Readonly<Record<string, string | null>>;

interface Change {
  readonly key: string | null;
  readonly operation: string;
  readonly values: Values;
}

interface Place {
  readonly partition: number;
  readonly offset: number;
  readonly generation: number;
  /** Number of the event in the log of its table. */
  readonly number: number;
}

export interface LogOptions {
  readonly keys: number;
  /** Share of events that cannot be merged. */
  readonly bad: number;
  /** 2 if the topic is recreated: its offsets restart, and keys move to other partitions. */
  readonly generations: number;
  /** Set for one partition with a gap before each event, like the gaps after Debezium's deletes. */
  readonly isSparse?: boolean;
  /** Random numbers for LSNs, for a table with LSN positions. */
  readonly lsns?: Random;
}

const INSERTS = spellings('insert', 'snapshot');
const UPDATES = spellings('update', 'upsert', 'snapshot');
const DELETES = spellings('delete');
const BEFORE_IMAGES = spellings('before image');
const MOST_VERSIONS = 10;
const TRUNCATES = spellings('truncate');
const PARTITIONS = 3;

/**
 * Builds all events of a table in the order of its topic, with 1 to 10 versions per key. There are three partitions, or
 * one partition with TRUNCATEs if these empty the table.
 */
export function buildRandomLog(
  definition: ReplicatedTable,
  { keys: most, bad, generations, isSparse = false, lsns }: LogOptions,
  random: Random,
): readonly SoakEvent[] {
  const keys = definition.key ? buildRandomKeys(definition, most, random) : withoutKeys(most);
  const spoilt = new Set(keys.filter(() => random.chance(bad * 4)).map(({ text }) => text));
  const log: SoakEvent[] = [];
  for (let generation = 0; generation < generations; generation++) {
    const histories = keys.map((key) =>
      buildHistory(definition, key, !spoilt.has(key.text), random),
    );
    const turns = random.shuffle(histories.flatMap((history, of) => history.map(() => of)));
    const last = isSparse || definition.truncate ? 0 : PARTITIONS - 1;
    const partitions = histories.map(() => random.integer(0, last));
    const offsets = Array.from({ length: PARTITIONS }, () => random.pick([-1, 0, 70, 1e12]));
    const taken = histories.map(() => 0);
    const nextLsn = lsns && countLsns(lsns);
    for (const of of turns) {
      const change = histories[of]![taken[of]!++]!;
      const partition = partitions[of]!;
      const hasGap = isSparse || random.chance(0.1);
      offsets[partition]! += hasGap ? random.integer(2, isSparse ? 3 : 90) : 1;
      const offset = nextLsn?.(of) ?? offsets[partition]!;
      const place = { partition, offset, generation, number: log.length };
      const event = buildEvent(definition, change, place);
      const isBad = !event.fault && spoilt.has(keys[of]!.text) && random.chance(0.3);
      log.push(isBad ? makeBad(definition, event, random) : event);
      if (definition.truncate && random.chance(0.02)) {
        offsets[partition]! += 1;
        const truncatedAt = nextLsn?.(null) ?? offsets[partition]!;
        const at = { partition, offset: truncatedAt, generation, number: log.length };
        log.push(buildEvent(definition, buildTruncate(definition, random), at));
      }
    }
  }
  return log;
}

/**
 * Counts up the offsets of LSNs per transaction: file (VLF), block and slot. A transaction changes several keys once
 * each. `null` starts a new transaction. The number of files fits into a JavaScript number.
 */
export function countLsns(random: Random): (key: number | null) => number {
  let [file, block, slot] = [random.integer(0, MOST_FILES / 2), 8, 1];
  let changed = new Set<number | null>([null]);
  return (key) => {
    if (key === null || changed.has(null) || changed.has(key) || random.chance(0.6)) {
      if (file < MOST_FILES && random.chance(0.05)) [file, block, slot] = [file + 1, 8, 1];
      else if (random.chance(0.5)) [block, slot] = [block + random.integer(1, 1e6), 1];
      else slot += random.integer(1, 9);
      changed = new Set();
    }
    changed.add(key);
    return file * 2 ** 48 + block * 2 ** 16 + slot;
  };
}

const MOST_FILES = 31;

/** Builds events instead of keys for a table without a key. */
function withoutKeys(count: number): readonly Key[] {
  return Array.from({ length: count * 3 }, (_, n) => ({ text: `event ${n}`, spellings: [{}] }));
}

/**
 * Builds the history of one key. With `withGaps`, large values are omitted in some updates, in an insert after a
 * changed key, and in an update whose insert is missing.
 */
function buildHistory(
  definition: ReplicatedTable,
  key: Key,
  withGaps: boolean,
  random: Random,
): readonly Change[] {
  const history: Change[] = [];
  let isThere = definition.key !== null && random.chance(0.1);
  let isFull = false;
  const versions = definition.key ? random.integer(1, MOST_VERSIONS) : 1;
  for (let version = 0; version < versions; version++) {
    const own = random.pick(key.spellings);
    const text = definition.key ? key.text : null;
    if (random.chance(0.05)) {
      const values = { ...buildRow(definition, false, random), ...own };
      history.push({ key: text, operation: random.pick(BEFORE_IMAGES), values });
    }
    const isDelete = isThere && random.chance(0.25);
    const isUpdate = isThere || (definition.key !== null && random.chance(0.1));
    const operations = isDelete ? DELETES : isUpdate ? UPDATES : INSERTS;
    const mayLack = withGaps && (isFull || (definition.key !== null && random.chance(0.3)));
    const values = isDelete
      ? buildDeletedRow(definition, own, random)
      : { ...buildRow(definition, mayLack, random), ...own };
    history.push({ key: text, operation: random.pick(operations), values });
    isThere = isFull = !isDelete;
  }
  return history;
}

/** Builds a TRUNCATE, which belongs to no row. */
function buildTruncate({ columns }: ReplicatedTable, random: Random): Change {
  const names = columns.filter(({ role }) => role !== 'metadata').map(({ name }) => name);
  const values = Object.fromEntries(names.map((name) => [name, null]));
  return { key: null, operation: random.pick(TRUNCATES), values };
}

/** Builds the row before a delete: usually only its key. */
export function buildDeletedRow(definition: ReplicatedTable, key: Values, random: Random): Values {
  const row = buildRow(definition, false, random);
  if (random.chance(0.3)) return { ...row, ...key };
  return { ...Object.fromEntries(Object.keys(row).map((name) => [name, null])), ...key };
}

export function buildRow(
  { columns, key }: ReplicatedTable,
  withGaps: boolean,
  random: Random,
): Values {
  const own = columns.filter(
    ({ role, name }) => role !== 'metadata' && !key?.columns.includes(name),
  );
  return Object.fromEntries(
    own.map(({ name, type, nullable }) => {
      const unavailable = unavailableValue(type);
      if (name === STATUS) return [name, random.pick(['ny', 'ferdig', 'æøå', ''])];
      if (name === AMOUNT) return [name, random.pick(['0', '-1.5', '999.99', '-999.99'])];
      if (withGaps && unavailable !== undefined && random.chance(0.4)) return [name, unavailable];
      return [name, nullable && random.chance(0.15) ? null : buildValue(type, random)];
    }),
  );
}

export function buildEvent(
  { source }: ReplicatedTable,
  { key, operation, values }: Change,
  { partition, offset, generation, number }: Place,
): SoakEvent {
  const id = `cdc ${number}`;
  const time = new Date(Date.UTC(2026, 0, 1) + Math.floor(number / 10) * 1000);
  return {
    ...{ id, key, partition, offset, generation },
    fault: BEFORE_IMAGES.includes(operation) ? 'before image' : null,
    kind: [...DELETES, ...TRUNCATES].includes(operation) ? 'delete' : 'upsert',
    values: {
      ...values,
      __sync_timestamp: time.toISOString(),
      __source: id,
      __source_db: source.database,
      __source_table: source.table,
      __source_ts_ms: number % 50 === 7 ? null : String(time.getTime()),
      __cdc_operation: operation,
      __stream_generation: generation === 0 && number % 9 === 4 ? null : String(generation),
      __kafka_offset: String(offset),
      __kafka_partition: String(partition),
      [KAFKA_TIMESTAMP.name]: time.toISOString(),
    },
  };
}
