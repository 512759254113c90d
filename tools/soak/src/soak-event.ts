import type { ChangeEvent } from '@cdc-migrations/event-model';

/**
 * Reason why an event cannot be merged. `rejected`: it is invalid regardless of other events. `refused`: the final
 * table does not accept its values, so it is only tried if no newer event of its key exists. `before image`: it changes
 * nothing, and is no dead letter.
 */
export type Fault = 'rejected' | 'refused' | 'before image';

/** An event that a round may insert any number of times. */
export interface SoakEvent extends ChangeEvent {
  /** Value of `__source`, unique within a table. */
  readonly id: string;
  readonly generation: number;
  /** Equal if the final table considers two keys equal. null without a key. */
  readonly key: string | null;
  readonly fault: Fault | null;
}

/** Compares positions of one key. Negative if the first event is older. */
export function comparePositions(
  a: Pick<SoakEvent, 'generation' | 'offset'>,
  b: Pick<SoakEvent, 'generation' | 'offset'>,
): number {
  return a.generation - b.generation || a.offset - b.offset;
}
