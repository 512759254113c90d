import { SourceError } from '@cdc-migrations/introspect';
import { CommandError } from '../exit-code.ts';

/** The errors of sources as one error whose message has a line for each; any other error is thrown as it is. */
export function sourceFailures(errors: readonly unknown[]): CommandError {
  const strange = errors.find((error) => !(error instanceof SourceError));
  if (strange !== undefined) throw strange;
  const lines = errors.map((error) => (error as SourceError).message);
  return new CommandError([...new Set(lines)].join('\n'), undefined, { cause: errors[0] });
}
