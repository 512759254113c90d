import { setTimeout as sleep } from 'node:timers/promises';

const FIRST_MS = 25;
const LONGEST_MS = 2000;

/**
 * Waits for a try to succeed, longer from try to try (25 ms to 2 s) and each time by chance a little more or less, so
 * that those who wait for one thing do not come back together.
 *
 * @param attempt gives undefined to be tried again.
 * @returns undefined when the time is over; the first try is made whatever the time.
 */
export async function tryUntil<Result>(
  timeoutMs: number,
  attempt: () => Promise<Result | undefined>,
): Promise<Result | undefined> {
  const deadline = performance.now() + timeoutMs;
  for (let delayMs = FIRST_MS; ; delayMs = Math.min(delayMs * 2, LONGEST_MS)) {
    const result = await attempt();
    if (result !== undefined) return result;
    const leftMs = deadline - performance.now();
    if (leftMs <= 0) return undefined;
    await sleep(Math.min(leftMs, jitter(delayMs)));
  }
}

/** Between half and one and a half of a delay. */
export function jitter(delayMs: number): number {
  return delayMs * (0.5 + Math.random());
}
