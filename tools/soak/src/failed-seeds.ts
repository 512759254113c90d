import type { CrashKind } from './crash-server.ts';

/** Seeds of rounds that ended in another way than the model, once; `npm run soak` prints them. */
export const FAILED_SEEDS: readonly number[] = [50043, 5053, 5062];

/** Those of rounds with a crash. */
export const FAILED_CRASHES: readonly [CrashKind, number][] = [];
