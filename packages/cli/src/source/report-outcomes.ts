import type { Outcome } from './run-all.ts';
import { sourceFailures } from './source-failures.ts';
import { printMessage } from '../print.ts';

/** What came of work on several databases. */
interface Results<T> {
  readonly results: readonly T[];
  /** Some databases failed. */
  readonly hasFailed: boolean;
}

/**
 * Reports what was done, and then says what failed; where nothing was done that is all there is to say.
 *
 * @throws CommandError where all databases failed.
 */
export function reportOutcomes<I, T>(
  outcomes: readonly Outcome<I, T>[],
  report: (results: readonly T[]) => void,
): Results<T> {
  const results = outcomes.flatMap((outcome) => (outcome.kind === 'done' ? [outcome.value] : []));
  const errors = outcomes.flatMap((outcome) => (outcome.kind === 'failed' ? [outcome.error] : []));
  const failure = errors.length > 0 ? sourceFailures(errors) : undefined;
  if (failure && results.length === 0) throw failure;
  report(results);
  if (failure) printMessage(failure.message);
  return { results, hasFailed: failure !== undefined };
}
