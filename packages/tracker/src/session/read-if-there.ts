import { TargetError } from './target-error.ts';

/** SQLSTATEs of a target without the complete bookkeeping: a table, a schema, a column or a function is missing. */
const NOT_THERE = new Set(['42P01', '3F000', '42703', '42883']);

/** Reads from the bookkeeping. Returns undefined if it is missing or older than needed. */
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
