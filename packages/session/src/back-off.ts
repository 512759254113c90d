import { setTimeout as sleep } from 'node:timers/promises';

/** Time between attempts. It doubles from the first delay to the longest. */
export interface Delays {
  readonly firstMs: number;
  readonly longestMs: number;
}

const USUAL: Delays = { firstMs: 25, longestMs: 2000 };

/** Starts a series of delays between attempts. Every call returns the next delay, with random jitter. */
export function startDelays({ firstMs, longestMs }: Delays = USUAL): () => number {
  let delayMs = firstMs / 2;
  return () => jitter((delayMs = Math.min(delayMs * 2, longestMs)));
}

/**
 * Returns a random time between half of a delay and one and a half times the delay, so that waiting clients do not
 * retry at the same moment.
 */
export function jitter(delayMs: number): number {
  return delayMs * (0.5 + Math.random());
}

/**
 * Retries until an attempt succeeds. The delays grow from 25 ms to 2 s.
 *
 * @param attempt returns undefined to be called again.
 * @returns undefined after the timeout. The first attempt is made even if the timeout is 0.
 */
export async function tryUntil<Result>(
  timeoutMs: number,
  attempt: () => Promise<Result | undefined>,
): Promise<Result | undefined> {
  const deadline = performance.now() + timeoutMs;
  const nextDelayMs = startDelays();
  for (;;) {
    const result = await attempt();
    if (result !== undefined) return result;
    const leftMs = deadline - performance.now();
    if (leftMs <= 0) return undefined;
    await sleep(Math.min(leftMs, nextDelayMs()));
  }
}

/** Waits for a time. An abort ends the wait without an error. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
