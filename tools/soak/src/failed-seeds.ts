import type { CrashKind } from './crash-server.ts';

/** Seeds of rounds that once differed from the model. `npm run soak` prints such seeds. */
export const FAILED_SEEDS: readonly number[] = [50043, 5053, 5062];

/** Seeds of rounds with a crash. */
export const FAILED_CRASHES: readonly [CrashKind, number][] = [];
