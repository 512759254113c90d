import {
  type ColumnDefinition,
  KAFKA_TIMESTAMP,
  type ReplicatedTable,
  spellings,
} from '@cdc-migrations/table-defs';
import type { ChangeEvent } from './change-event.ts';
import { keyText } from './key-text.ts';
import { createRandom, type Random } from './random.ts';
import { buildValue } from './values/build-value.ts';

export interface EventLogOptions {
  readonly seed: number;
  /** Number of events in the log without duplicates. */
  readonly events: number;
  /** Values of template columns that are the same in every event: `_customer_id`. */
  readonly constants?: Readonly<Record<string, string>>;
  /** The default is 3. */
  readonly partitions?: number;
  /** Offset before the first one of every partition. The default is 0. */
  readonly after?: number;
}

type Values = Readonly<Record<string, string | null>>;

/** An event without its position in the stream. */
interface Change {
  readonly kind: ChangeEvent['kind'];
  readonly operation: string;
  readonly values: Values;
}

const INSERTS = spellings('insert', 'snapshot');
const UPDATES = spellings('update', 'upsert', 'snapshot');
const DELETES = spellings('delete');
const MOST_VERSIONS = 10;
const FIRST_MILLISECOND = Date.UTC(2026, 0, 1);

/**
 * Builds the events of a table in the order of its topic. Each key is in one partition, has 1 to 10 versions, and is
 * inserted again after a delete. Sometimes a key is updated or deleted without an insert. Offsets rise within a
 * partition and have gaps. The seed determines everything.
 */
export function buildEventLog(
  definition: ReplicatedTable,
  options: EventLogOptions,
): readonly ChangeEvent[] {
  const random = createRandom(options.seed);
  const partitions = options.partitions ?? 3;
  const histories = buildHistories(definition, options, random);
  const turns = random.shuffle(histories.flatMap((history, index) => history.map(() => index)));
  const offsets = Array.from({ length: partitions }, () => options.after ?? 0);
  const taken = histories.map(() => 0);
  return turns.map((index, position) => {
    const change = histories[index]![taken[index]!++]!;
    const partition = index % partitions;
    const offset = (offsets[partition]! += random.integer(1, 3));
    const metadata = buildMetadata(definition, change, { partition, offset, position }, random);
    return { kind: change.kind, partition, offset, values: { ...change.values, ...metadata } };
  });
}

/** Builds the history of each key in order. In a table without a key each event is separate. */
function buildHistories(
  definition: ReplicatedTable,
  options: EventLogOptions,
  random: Random,
): readonly (readonly Change[])[] {
  const histories = new Map<string, Change[]>();
  for (let left = options.events; left > 0;) {
    const row = buildRow(definition, options, random);
    const key = keyText(definition, row) ?? `event ${left}`;
    const history = histories.get(key) ?? [];
    histories.set(key, history);
    const versions = definition.key ? Math.min(left, random.integer(1, MOST_VERSIONS)) : 1;
    for (let version = 0; version < versions; version++) {
      const next = { ...buildRow(definition, options, random), ...keyValues(definition, row) };
      history.push(buildChange(definition, next, history.at(-1), random));
    }
    left -= versions;
  }
  return [...histories.values()];
}

function buildChange(
  definition: ReplicatedTable,
  row: Values,
  before: Change | undefined,
  random: Random,
): Change {
  const isThere = before?.kind === 'upsert' || (!before && random.chance(0.2));
  if (isThere && random.chance(0.25)) {
    const operation = random.pick(DELETES);
    return { kind: 'delete', operation, values: buildDeletedRow(definition, row, random) };
  }
  return { kind: 'upsert', operation: random.pick(isThere ? UPDATES : INSERTS), values: row };
}

/** Builds the row before a delete: sometimes the complete row, usually only its key. */
function buildDeletedRow(definition: ReplicatedTable, row: Values, random: Random): Values {
  if (random.chance(0.3)) return row;
  const nothing = Object.fromEntries(Object.keys(row).map((name) => [name, null]));
  return { ...nothing, ...keyValues(definition, row) };
}

function buildRow(
  definition: ReplicatedTable,
  { constants = {} }: EventLogOptions,
  random: Random,
): Values {
  const columns = definition.columns.filter(({ role }) => role !== 'metadata');
  return Object.fromEntries(
    columns.map((column) => [column.name, constants[column.name] ?? buildCell(column, random)]),
  );
}

function buildCell(column: ColumnDefinition, random: Random): string | null {
  const isCarried = column.exactness !== 'unsupported';
  if (column.nullable && (!isCarried || random.chance(0.15))) return null;
  return buildValue(column.type, random, column.source?.type);
}

function keyValues({ key }: ReplicatedTable, row: Values): Values {
  return Object.fromEntries((key?.columns ?? []).map((name) => [name, row[name] ?? null]));
}

interface Position {
  readonly partition: number;
  readonly offset: number;
  /** Position in the whole log. */
  readonly position: number;
}

/** Builds metadata with a clock that stands still for ten events, and is sometimes set back or missing. */
function buildMetadata(
  { source }: ReplicatedTable,
  { operation }: Change,
  { partition, offset, position }: Position,
  random: Random,
): Values {
  const step = Math.floor(position / 10) - (random.chance(0.05) ? random.integer(1, 20) : 0);
  const milliseconds = FIRST_MILLISECOND + step * 1000;
  const time = new Date(milliseconds).toISOString();
  return {
    __sync_timestamp: time,
    __source: 'cdc',
    __source_db: source.database,
    __source_table: source.table,
    __source_ts_ms: random.chance(0.02) ? null : String(milliseconds),
    __cdc_operation: operation,
    __kafka_offset: String(offset),
    __kafka_partition: String(partition),
    [KAFKA_TIMESTAMP.name]: time,
  };
}
