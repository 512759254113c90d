import { pause, startDelays, tryUntil } from './back-off.ts';

it('doubles the delay up to the longest one, with a jitter of up to 50 percent', () => {
  const nextDelayMs = startDelays({ firstMs: 100, longestMs: 1000 });
  for (const usualMs of [100, 200, 400, 800, 1000, 1000]) {
    const delayMs = nextDelayMs();
    expect(delayMs).toBeGreaterThanOrEqual(usualMs * 0.5);
    expect(delayMs).toBeLessThanOrEqual(usualMs * 1.5);
  }
});

it('tries until a try returns a result, and at least once', async () => {
  let tries = 0;
  const attempt = () => Promise.resolve(++tries === 3 ? 'found' : undefined);
  expect([await tryUntil(60_000, attempt), tries]).toEqual(['found', 3]);
  tries = 0;
  expect([await tryUntil(0, attempt), tries]).toEqual([undefined, 1]);
});

it('does not try again after an error', async () => {
  let tries = 0;
  const attempt = () => Promise.reject(new Error(`try ${++tries}`));
  await expect(tryUntil(60_000, attempt)).rejects.toThrow('try 1');
});

it('ends a pause without an error on abort', async () => {
  const controller = new AbortController();
  const waiting = pause(3_600_000, controller.signal);
  controller.abort();
  await expect(waiting).resolves.toBeUndefined();
});
