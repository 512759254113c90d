import { setTimeout as sleep } from 'node:timers/promises';

/** Time between tries: doubles from the first to the longest. */
export interface Delays {
  readonly firstMs: number;
  readonly longestMs: number;
}

const USUAL: Delays = { firstMs: 25, longestMs: 2000 };

/** Starts a series of delays between tries, each by chance a little more or less; every call gives the next one. */
export function startDelays({ firstMs, longestMs }: Delays = USUAL): () => number {
  let delayMs = firstMs / 2;
  return () => jitter((delayMs = Math.min(delayMs * 2, longestMs)));
}

/** Gives between half and one and a half of a delay, so that those who wait for one thing do not come back together. */
export function jitter(delayMs: number): number {
  return delayMs * (0.5 + Math.random());
}

/**
 * Waits for a try to succeed, longer from try to try (25 ms to 2 s).
 *
 * @param attempt gives undefined to be tried again.
 * @returns undefined when the time is over; the first try is made whatever the time.
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

/** Waits; an abort ends the wait without an error. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
