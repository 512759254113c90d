import { SourceError } from '@cdc-migrations/introspect';
import { CommandError } from '../exit-code.ts';

/** Combines errors of sources into one error with a line for each. Throws any other error unchanged. */
export function sourceFailures(errors: readonly unknown[]): CommandError {
  const strange = errors.find((error) => !(error instanceof SourceError));
  if (strange !== undefined) throw strange;
  const lines = errors.map((error) => (error as SourceError).message);
  return new CommandError([...new Set(lines)].join('\n'), undefined, { cause: errors[0] });
}
