import * as v from 'valibot';
import { foundValue } from './found-value.ts';

/** Text with at least one letter, described as `what`: numbers are text as they are written. */
export function text(what: string) {
  return v.pipe(
    v.string((issue) => `expected ${what}; found ${foundValue(issue.input)}`),
    v.nonEmpty(`expected ${what}; found an empty text`),
  );
}

/** true or false. */
export function flag() {
  return v.boolean((issue) => `expected true or false; found ${foundWord(issue.input)}`);
}

/** One of a few words. */
export function oneOf<const Words extends readonly string[]>(words: Words) {
  return v.picklist(
    words,
    (issue) => `expected ${alternatives(words)}; found ${foundWord(issue.input)}`,
  );
}

/** A list of texts, each described as `what`. */
export function listOf(what: string) {
  return v.array(text(what), `expected a list, each item ${what}`);
}

/** A text, an integer or anything else as SQL takes it: `default: false` is the expression `false`. */
export function sqlExpression() {
  const message = 'expected an SQL expression';
  return v.pipe(v.union([v.string(), v.boolean()], message), v.transform(String));
}

function alternatives(words: readonly string[]): string {
  return words.length > 2 ? `one of ${words.join(', ')}` : words.join(' or ');
}

/** Where a text can be no secret, it is told. */
function foundWord(value: unknown): string {
  return typeof value === 'string' ? `"${value}"` : foundValue(value);
}
