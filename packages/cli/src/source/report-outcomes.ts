import type { Outcome } from './run-all.ts';
import { sourceFailures } from './source-failures.ts';
import { printMessage } from '../print.ts';

/** Results of work on several databases. */
interface Results<T> {
  readonly results: readonly T[];
  /** True if some databases failed. */
  readonly hasFailed: boolean;
}

/**
 * Reports results and then failures. If nothing was done, only failures.
 *
 * @throws CommandError if all databases failed
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
