/** A final table in its schema. */
export interface TableName {
  readonly schema: string;
  readonly table: string;
}

/** What one session merges: a table, or of one that several sessions may merge at once a lane. */
export interface TableLane extends TableName {
  readonly lane: number | null;
}

/** What became of events. */
export interface MergeCounts {
  readonly events: number;
  readonly merged: number;
  readonly deleted: number;
  readonly stale: number;
  readonly dead: number;
}

/** All that this run did to a table. */
export interface TableMerge extends TableName, MergeCounts {
  /** Why its last pass did not end, of one of its lanes. */
  readonly failure: string | null;
}

/** What became of the dead letters of a table. */
export interface TableReplay extends TableName, Omit<MergeCounts, 'events'> {
  readonly what: 'dead letters' | 'refused events';
  readonly replayed: number;
  readonly failure: string | null;
  /** Why events came back, the most frequent reasons first. */
  readonly reasons: readonly ReasonCount[];
}

/** Why dead letters came back, and how many of them. */
export interface ReasonCount {
  readonly reason: string;
  readonly count: number;
}

/** What happens during a run, as it happens. */
export type MergeEvent =
  | ({ readonly kind: 'batch merged'; readonly waiting: number } & TableName & MergeCounts)
  /** A pass over a table or lane is over. */
  | ({ readonly kind: 'table merged'; readonly durationMs: number } & TableName & MergeCounts)
  | ({ readonly kind: 'table failed'; readonly reason: string } & TableName)
  /** A table that a run over all that is to come cannot merge now. */
  | ({ readonly kind: 'table left out'; readonly reason: string } & TableName)
  | ({ readonly kind: 'letters replayed' } & TableReplay)
  /** The target does not answer; told once, however many sessions find out. */
  | { readonly kind: 'interrupted'; readonly reason: string }
  | { readonly kind: 'resumed' };

/** Counts of no event. */
export const NOTHING: MergeCounts = { events: 0, merged: 0, deleted: 0, stale: 0, dead: 0 };

/** Adds up counts of events. */
export function addCounts(one: MergeCounts, other: MergeCounts): MergeCounts {
  return {
    events: one.events + other.events,
    merged: one.merged + other.merged,
    deleted: one.deleted + other.deleted,
    stale: one.stale + other.stale,
    dead: one.dead + other.dead,
  };
}

/** The name that a lane has in maps. */
export function keyOf({ lane, ...table }: TableLane): string {
  return JSON.stringify([labelOf(table), lane]);
}

/** Gives the name that a table has in maps and in messages. */
export function labelOf({ schema, table }: TableName): string {
  return `${schema}.${table}`;
}
