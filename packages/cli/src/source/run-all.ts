/** Databases that are read in parallel. */
export const SOURCE_JOBS = 8;

/** Result of one of several tasks. */
export type Outcome<I, T> =
  | { readonly item: I; readonly kind: 'done'; readonly value: T }
  | { readonly item: I; readonly kind: 'failed'; readonly error: unknown };

/**
 * Runs a task for every item, `jobs` of them in parallel. A failed task does not stop the others. Returns the outcomes
 * in order of the items.
 */
export async function runAll<I, T>(
  items: readonly I[],
  jobs: number,
  task: (item: I) => Promise<T>,
): Promise<readonly Outcome<I, T>[]> {
  const outcomes: Outcome<I, T>[] = [];
  let next = 0;
  const worker = async () => {
    for (let at = next++; at < items.length; at = next++) {
      const item = items[at]!;
      try {
        outcomes[at] = { item, kind: 'done', value: await task(item) };
      } catch (error) {
        outcomes[at] = { item, kind: 'failed', error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, items.length) }, worker));
  return outcomes;
}
