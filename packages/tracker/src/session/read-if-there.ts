import { TargetError } from './target-error.ts';

/** SQLSTATEs of a target without (all of) the bookkeeping: a table, a schema, a column, a function is missing. */
const NOT_THERE = new Set(['42P01', '3F000', '42703', '42883']);

/** What is read of the bookkeeping; undefined where it is not there, or older than what is asked of it. */
export async function readIfThere<Result>(
  read: () => Promise<Result>,
): Promise<Result | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof TargetError && NOT_THERE.has(error.code)) return undefined;
    throw error;
  }
}
