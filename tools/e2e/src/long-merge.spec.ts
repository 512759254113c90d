import { describeLong } from './describe-long.fixture.ts';
import { readNumber } from './merge-target.fixture.ts';
import {
  at,
  merge,
  slowDown,
  stage,
  startNaiveTarget,
  type NaiveTarget,
} from './naive-sides.fixture.ts';
import { ORDER_LINJER } from './order-linjer.fixture.ts';

// Two merges sleep for a minute.
describeLong('a merge of over a minute', () => {
  let target: NaiveTarget;
  beforeAll(async () => {
    target = await startNaiveTarget();
  });
  afterAll(() => target.stop());

  it('7: durations over a minute are whole', async () => {
    const { ours, naive } = await target.openSides();
    const merges = [ours, naive].map(async (side) => {
      await stage(side, at(1));
      await slowDown(side, ORDER_LINJER, 61);
      await merge(side);
    });
    await Promise.all(merges);
    const read = (log: string) =>
      readNumber(ours.admin, `SELECT max(duration_ms) AS n FROM ${log}`);
    expect(await read('cdc_management.processing_log')).toBeGreaterThan(61_000);
    expect(await read('naive.log')).toBeLessThan(61_000);
  }, 300_000);
});
