import { text } from '@cdc-migrations/shape';
import * as v from 'valibot';

/** A regular expression as JavaScript reads it. */
export function regularExpression() {
  return v.pipe(
    text('a regular expression'),
    v.check(
      (pattern) => faultOf(pattern) === undefined,
      ({ input }) => `expected a regular expression as JavaScript has it; ${faultOf(input)}`,
    ),
    v.metadata({ jsonSchema: { type: 'string', format: 'regex' } }),
  );
}

/** What the engine says of a pattern that it cannot read. */
function faultOf(pattern: string): string | undefined {
  try {
    new RegExp(pattern);
    return undefined;
  } catch (error) {
    return (error as SyntaxError).message;
  }
}
