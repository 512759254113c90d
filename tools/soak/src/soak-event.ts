import type { ChangeEvent } from '@cdc-migrations/event-model';

/**
 * Why an event cannot be merged. `rejected`: whatever else comes, it has no place in the table. `refused`: the final
 * table does not take its values, so it is only looked at when no newer event of its key is there. `before image`: it
 * changes nothing, and is no dead letter.
 */
export type Fault = 'rejected' | 'refused' | 'before image';

/** An event that a round may insert any number of times. */
export interface SoakEvent extends ChangeEvent {
  /** What `__source` holds: no two events of a table have the same. */
  readonly id: string;
  readonly generation: number;
  /** Equal where the final table takes two keys for one; null without a key. */
  readonly key: string | null;
  readonly fault: Fault | null;
}

/** Below 0 where the first event is the older one of its key. */
export function comparePositions(
  a: Pick<SoakEvent, 'generation' | 'offset'>,
  b: Pick<SoakEvent, 'generation' | 'offset'>,
): number {
  return a.generation - b.generation || a.offset - b.offset;
}
