import type { ChangeEvent } from './change-event.ts';
import { createRandom } from './random.ts';

export interface DeliveryOptions {
  readonly seed: number;
  /** Share of the events that come twice; default: 0.05. */
  readonly duplicates?: number;
  /** Default: 1. */
  readonly batches?: number;
}

/**
 * Batches as a careless consumer inserts them: all events in any order, some of them twice, in the same batch or
 * in another.
 */
export function deliverEvents(
  log: readonly ChangeEvent[],
  { seed, duplicates = 0.05, batches = 1 }: DeliveryOptions,
): readonly (readonly ChangeEvent[])[] {
  const random = createRandom(seed);
  const repeated = log.filter(() => random.chance(duplicates));
  const delivered = random.shuffle([...log, ...repeated]);
  const size = Math.max(1, Math.ceil(delivered.length / batches));
  return Array.from({ length: Math.ceil(delivered.length / size) }, (_, batch) =>
    delivered.slice(batch * size, (batch + 1) * size),
  );
}
