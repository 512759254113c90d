import { chooseSeed } from '@cdc-migrations/e2e';
import { FAILED_SEEDS } from './failed-seeds.ts';
import { runRound } from './run-round.ts';
import { type SoakTarget, startSoakTarget } from './soak-target.ts';

const seed = chooseSeed();

describe('random tables, events, writers, mergers and accidents', () => {
  let target: SoakTarget;
  beforeAll(async () => {
    target = await startSoakTarget();
  });
  afterAll(() => target.stop());

  it.each([...FAILED_SEEDS, seed, seed + 1, seed + 2])(
    'end as the model does, seed %i',
    async (of) => {
      const { differences, events } = await runRound(target, of);
      expect(differences).toEqual([]);
      expect(events).toBeGreaterThan(0);
    },
  );
});
