/** Seeds of rounds that ended in another way than the model, once; `npm run soak` prints them. */
export const FAILED_SEEDS: readonly number[] = [];
