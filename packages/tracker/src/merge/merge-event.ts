/** A final table in its schema. */
export interface TableName {
  readonly schema: string;
  readonly table: string;
}

/** Work of one session: a table, or a lane of a table that several sessions merge. */
export interface TableLane extends TableName {
  readonly lane: number | null;
}

/** Number of events by outcome. */
export interface MergeCounts {
  readonly events: number;
  readonly merged: number;
  readonly deleted: number;
  readonly stale: number;
  readonly dead: number;
}

/** Total result of this run for a table. */
export interface TableMerge extends TableName, MergeCounts {
  /** Reason why the last pass of one of its lanes failed. */
  readonly failure: string | null;
}

/** Result of replaying the dead letters of a table. */
export interface TableReplay extends TableName, Omit<MergeCounts, 'events'> {
  readonly what: 'dead letters' | 'refused events';
  readonly replayed: number;
  readonly failure: string | null;
  /** Reasons of repeated failures, the most frequent first. */
  readonly reasons: readonly ReasonCount[];
}

/** A reason of repeated failures and its number of events. */
export interface ReasonCount {
  readonly reason: string;
  readonly count: number;
}

/** An event during a run, reported as it happens. */
export type MergeEvent =
  | ({ readonly kind: 'batch merged'; readonly waiting: number } & TableName & MergeCounts)
  /** A pass over a table or lane has ended. */
  | ({ readonly kind: 'table merged'; readonly durationMs: number } & TableName & MergeCounts)
  | ({ readonly kind: 'table failed'; readonly reason: string } & TableName)
  /** A table that an endless run cannot merge now. */
  | ({ readonly kind: 'table left out'; readonly reason: string } & TableName)
  | ({ readonly kind: 'letters replayed' } & TableReplay)
  /** The target does not respond. Reported once for all sessions. */
  | { readonly kind: 'interrupted'; readonly reason: string }
  | { readonly kind: 'resumed' };

/** Counts of no event. */
export const NOTHING: MergeCounts = { events: 0, merged: 0, deleted: 0, stale: 0, dead: 0 };

/** Adds counts of events. */
export function addCounts(one: MergeCounts, other: MergeCounts): MergeCounts {
  return {
    events: one.events + other.events,
    merged: one.merged + other.merged,
    deleted: one.deleted + other.deleted,
    stale: one.stale + other.stale,
    dead: one.dead + other.dead,
  };
}

/** Returns the key of a lane in maps. */
export function keyOf({ lane, ...table }: TableLane): string {
  return JSON.stringify([labelOf(table), lane]);
}

/** Returns the name of a table in maps and in messages. */
export function labelOf({ schema, table }: TableName): string {
  return `${schema}.${table}`;
}
