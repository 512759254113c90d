import type { FinalRow } from '@cdc-migrations/event-model';
import { groupBy } from '@cdc-migrations/sql-text';
import { spellings, type ReplicatedTable } from '@cdc-migrations/table-defs';
import { comparePositions, type SoakEvent } from './soak-event.ts';
import { unavailableValue } from './unavailable-value.ts';

/** Events committed to a staging table, with the number of times. */
export type Delivered = ReadonlyMap<SoakEvent, number>;

/**
 * Certainty about how often events were staged. `exact`: as often as delivered. `at least once`: a crash removed some,
 * and it is unknown if the last transactions were committed.
 */
export type Certainty = 'exact' | 'at least once';

/** Expected state of a stream, with partition and generation as in the events. */
export interface StreamOutcome {
  readonly stream: string;
  readonly events: number;
  readonly firstOffset: number | null;
  readonly lastOffset: number | null;
  /** First and last offset of each gap. Empty if the stream's position is invalid. */
  readonly unseen: readonly string[];
}

/** Expected number of dead letters for an event. */
export interface DeadOutcome {
  readonly id: string;
  readonly least: number;
  readonly most: number;
  /** If false, it is unknown if a replay brings it again. */
  readonly hasPosition: boolean;
}

/** Expected state of a table and its bookkeeping, independent of the order of events and merges. */
export interface Outcome {
  readonly rows: readonly FinalRow[];
  readonly streams: readonly StreamOutcome[];
  readonly dead: readonly DeadOutcome[];
  /**
   * Positions (`partition/generation/offset`) of deletes that must have a tombstone, because no newer event of the key
   * exists.
   */
  readonly tombstones: readonly string[];
  /** Positions of deletes that may have a tombstone, because they were the newest at some time. */
  readonly possibleTombstones: readonly string[];
}

/** Plays the delivered events in order, without SQL, batches or positions of the database. */
export function buildOutcome(
  definition: ReplicatedTable,
  delivered: Delivered,
  certainty: Certainty = 'exact',
): Outcome {
  const events = [...delivered.keys()];
  const good = events.filter((event) => event.fault === null && !isTruncate(event));
  const truncate = events.filter(isTruncate).sort(comparePositions).at(-1);
  const histories = definition.key ? groupByKey(good, truncate) : [];
  const lasts = histories.map((history) => history.at(-1)!);
  const isLast = new Set(lasts);
  const deletes = definition.key ? good.filter(({ kind }) => kind === 'delete') : [];
  return {
    rows: definition.key
      ? histories.flatMap((history) => buildRow(definition, history))
      : good
          .filter((event) => !isEmptied(event, truncate))
          .map((upsert) => ({ deleted: false, upsert: withGeneration(upsert) })),
    streams: buildStreams(definition, delivered),
    dead: buildDead(delivered, lasts, truncate).map((dead) =>
      certainty === 'exact'
        ? dead
        : { ...dead, least: Math.min(dead.least, dead.hasPosition ? 1 : 0) },
    ),
    tombstones: deletes.filter((event) => isLast.has(event)).map(positionText),
    possibleTombstones: deletes.filter((event) => !isLast.has(event)).map(positionText),
  };
}

function positionText({ partition, generation, offset }: SoakEvent): string {
  return [partition, generation, offset].join('/');
}

function isTruncate({ fault, values }: SoakEvent): boolean {
  return fault === null && spellings('truncate').includes(values['__cdc_operation'] ?? '');
}

/** Checks if a TRUNCATE is newer than an event. */
function isEmptied(event: SoakEvent, truncate: SoakEvent | undefined): boolean {
  return truncate !== undefined && comparePositions(event, truncate) < 0;
}

/** Groups the events by key in order. The newest TRUNCATE counts as a delete of each key. */
function groupByKey(
  events: readonly SoakEvent[],
  truncate: SoakEvent | undefined,
): readonly (readonly SoakEvent[])[] {
  const groups = groupBy(events, ({ key }) => key);
  return [...groups.values()].map((group) =>
    [...group, ...(truncate ? [truncate] : [])].sort(comparePositions),
  );
}

function buildRow(definition: ReplicatedTable, history: readonly SoakEvent[]): readonly FinalRow[] {
  const upsert = history.findLast(({ kind }) => kind === 'upsert');
  const deleted = history.at(-1)?.kind === 'delete';
  if (!upsert || (deleted && definition.deleteMode === 'hard')) return [];
  const known = history.slice(0, history.indexOf(upsert) + 1);
  const values = { ...upsert.values };
  for (const { name, type } of definition.columns) {
    const unavailable = unavailableValue(type);
    if (unavailable === undefined || definition.key?.columns.includes(name)) continue;
    values[name] = findValue(definition, known, { name, unavailable });
  }
  return [{ deleted, upsert: withGeneration({ ...upsert, values }) }];
}

/** Sets the default generation. */
function withGeneration(event: SoakEvent): SoakEvent {
  const generation = event.values['__stream_generation'] ?? '0';
  return { ...event, values: { ...event.values, __stream_generation: generation } };
}

/** Finds the newest value since the last insert, or since the last delete of a row that is not kept. */
function findValue(
  { deleteMode }: ReplicatedTable,
  history: readonly SoakEvent[],
  { name, unavailable }: { readonly name: string; readonly unavailable: string },
): string | null {
  const found = history.findLast(({ kind, values }) =>
    kind === 'delete'
      ? deleteMode === 'hard'
      : values[name] !== unavailable || isInsert(values['__cdc_operation']),
  );
  const value = found?.kind === 'upsert' ? found.values[name] : null;
  return value === undefined || value === unavailable ? null : value;
}

function isInsert(operation: string | null | undefined): boolean {
  return spellings('insert').includes(operation ?? '');
}

/**
 * Builds the expected dead letters. A refused event is moved there if no newer event of its key exists, and may be
 * otherwise.
 */
function buildDead(
  delivered: Delivered,
  lasts: readonly SoakEvent[],
  truncate: SoakEvent | undefined,
): readonly DeadOutcome[] {
  const newest = new Map(lasts.map((event) => [event.key, event]));
  return [...delivered].flatMap(([event, times]) => {
    if (event.fault === null || event.fault === 'before image') return [];
    const last = newest.get(event.key);
    const isOld = (last && comparePositions(event, last) < 0) || isEmptied(event, truncate);
    const isPassed = event.fault === 'refused' && isOld;
    const hasPosition = positionOf(event).every(isPosition);
    return [{ id: event.id, least: isPassed ? 0 : times, most: times, hasPosition }];
  });
}

/** Returns partition, generation and offset of an event. */
function positionOf(event: SoakEvent): readonly (string | null | undefined)[] {
  const { values } = withGeneration(event);
  return POSITION.map((name) => values[name]);
}

const POSITION = ['__kafka_partition', '__stream_generation', '__kafka_offset'];

/** Checks if an offset or generation is in the valid range. */
function isPosition(value: string | null | undefined): boolean {
  return value !== null && value !== undefined && Number(value) >= 0 && Number(value) < 2 ** 63;
}

function buildStreams(
  { positions }: ReplicatedTable,
  delivered: Delivered,
): readonly StreamOutcome[] {
  const streams = groupBy(delivered.keys(), (event) =>
    positionOf(event)
      .slice(0, 2)
      .map((n) => n ?? '-')
      .join('/'),
  );
  return [...streams].map(([stream, events]) => {
    const offsets = events
      .map(({ values }) => values['__kafka_offset'])
      .filter(isPosition)
      .map(Number)
      .sort((a, b) => a - b);
    const gaps = offsets.flatMap((offset, index) => {
      const next = offsets[index + 1] ?? offset;
      return next > offset + 1 ? [`${offset + 1}..${next - 1}`] : [];
    });
    return {
      stream,
      events: events.reduce((sum, event) => sum + delivered.get(event)!, 0),
      firstOffset: offsets[0] ?? null,
      lastOffset: offsets.at(-1) ?? null,
      unseen: stream.includes('-') || positions === 'lsn' ? [] : gaps,
    };
  });
}
