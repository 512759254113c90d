import type { ChangeEvent } from './change-event.ts';
import { createRandom } from './random.ts';

export interface DeliveryOptions {
  readonly seed: number;
  /** Share of duplicate events. The default is 0.05. */
  readonly duplicates?: number;
  /** The default is 1. */
  readonly batches?: number;
}

/**
 * Splits events into batches as a careless consumer inserts them: in random order, with duplicates in the same or
 * another batch.
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
