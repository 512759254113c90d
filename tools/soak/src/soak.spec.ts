import { chooseSeed } from '@cdc-migrations/event-model';
import { describeDebian } from '@cdc-migrations/postgres-fixture';
import { buildOutcome } from './build-outcome.ts';
import { MOST_GAPS } from './compare-outcome.ts';
import { FAILED_SEEDS } from './failed-seeds.ts';
import { planRound } from './round-plan.ts';
import { runRound } from './run-round.ts';
import { type SoakTarget, startSoakTarget } from './soak-target.ts';

const seed = chooseSeed();

describe('random tables, events, writers, mergers and accidents', () => {
  let target: SoakTarget;
  beforeAll(async () => {
    target = await startSoakTarget();
  });
  afterAll(() => target.stop());

  it.each([...FAILED_SEEDS, seed])('result in the rows of the model, seed %i', async (of) => {
    const { differences, events } = await runRound(target, of);
    expect(differences).toEqual([]);
    expect(events).toBeGreaterThan(0);
  });
});

describeDebian("random rounds on Debian's server", () => {
  let target: SoakTarget;
  beforeAll(async () => {
    target = await startSoakTarget('debian');
  });
  afterAll(() => target.stop());

  it('result in the rows of the model through a pool, with many gaps and locked staging tables', async () => {
    let of = seed + (seed % 2);
    while (!planRound(of).isPooled || planRound(of).lockEveryMs === null) of += 2;
    process.stderr.write(`CDC_TEST_SEED=${seed}, round ${of}\n`);
    const { differences, accidents } = await runRound(target, of);
    expect(differences).toEqual([]);
    expect(accidents).toBeGreaterThan(0);
  });
});

it('rounds with LSN positions have transactions of several keys, and several log files', () => {
  const plans = [0, 1, 4, 5, 6].map(planRound);
  const ofLsns = plans.flatMap(({ tables, deliveries }) =>
    tables
      .filter(({ positions }) => positions === 'lsn')
      .map((table) => [
        ...new Set(deliveries.filter((one) => one.table === table).flatMap(({ events }) => events)),
      ]),
  );
  const keysAt = ofLsns.map(
    (events) => events.length - new Set(events.map(({ offset }) => offset)).size,
  );
  const files = ofLsns.map(
    (events) => new Set(events.map(({ offset }) => Math.floor(offset / 2 ** 48))).size,
  );
  expect(Math.max(...keysAt)).toBeGreaterThan(10);
  expect(Math.max(...files)).toBeGreaterThan(1);
});

it.each([2, 4, 6, 8, seed + (seed % 2)])(
  'a plan of the even seed %i has more gaps than are kept',
  (of) => {
    const { tables, deliveries, sparseDeliveries } = planRound(of);
    const sparse = tables.at(-1)!;
    const first = deliveries.slice(0, sparseDeliveries);
    expect(first.every(({ table }) => table === sparse)).toBe(true);
    const events = first.flatMap((delivery) => delivery.events);
    const { streams } = buildOutcome(sparse, new Map(events.map((event) => [event, 1])));
    expect(Math.max(...streams.map(({ unseen }) => unseen.length))).toBeGreaterThan(MOST_GAPS);
  },
);
