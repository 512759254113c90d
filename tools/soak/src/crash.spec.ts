import { chooseSeed } from '@cdc-migrations/event-model';
import { runCrashRound } from './crash-round.ts';
import { CRASH_KINDS, CRASH_SETTINGS, type CrashKind } from './crash-server.ts';
import { FAILED_CRASHES } from './failed-seeds.ts';
import { type SoakTarget, startSoakTarget } from './soak-target.ts';

const seed = chooseSeed();

describe('a crash during concurrent writes and merges', () => {
  let target: SoakTarget;
  beforeAll(async () => {
    target = await startSoakTarget(15, CRASH_SETTINGS);
  });
  afterAll(() => target.stop());

  it.each<[CrashKind, number]>([
    ...FAILED_CRASHES,
    ...CRASH_KINDS.map((kind): [CrashKind, number] => [kind, seed]),
  ])('(%s) results in the state of the model after the replay, seed %i', async (kind, of) => {
    expect((await runCrashRound(target, of, kind)).differences).toEqual([]);
  });
});
