import * as v from 'valibot';

/** Describes the found value in a message. The content of a text is not shown, because it may be a secret. */
export function foundValue(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  return typeof value === 'string' ? 'text' : String(value);
}

const SHOWN_LETTERS = 60;

/** Describes the found value with its text, for values that cannot be secret. */
export function foundWord(value: unknown): string {
  if (typeof value !== 'string') return foundValue(value);
  return `"${value.length > SHOWN_LETTERS ? `${value.slice(0, SHOWN_LETTERS)}…` : value}"`;
}

/** Accepts text that is not empty. `what` describes it in messages. A number is accepted as the text in the file. */
export function text(what: string) {
  return v.pipe(
    v.string((issue) => `expected ${what}, found ${foundValue(issue.input)}`),
    v.nonEmpty(`expected ${what}, found an empty text`),
  );
}

/** Accepts true or false. */
export function flag() {
  return v.boolean((issue) => `expected true or false, found ${foundWord(issue.input)}`);
}

/** Accepts an integer that is at least `lowest`. */
export function integer(lowest: number = Number.MIN_SAFE_INTEGER) {
  const what = `a whole number${lowest > Number.MIN_SAFE_INTEGER ? ` of at least ${lowest}` : ''}`;
  const message = ({ input }: { readonly input: unknown }) =>
    `expected ${what}, found ${foundWord(input)}`;
  return v.pipe(v.number(message), v.safeInteger(message), v.minValue(lowest, message));
}

/** Accepts one of the given words. */
export function oneOf<const Words extends readonly string[]>(words: Words) {
  return v.picklist(
    words,
    (issue) => `expected ${alternatives(words)}, found ${foundWord(issue.input)}`,
  );
}

/** Accepts a list of texts, each described as `what`. */
export function listOf(what: string) {
  return v.array(text(what), `expected a list in which each item is ${what}`);
}

/** Accepts a text, an integer or any other scalar as SQL: `default: false` is the expression `false`. */
export function sqlExpression() {
  const message = 'expected an SQL expression';
  return v.pipe(v.union([v.string(), v.boolean()], message), v.transform(String));
}

function alternatives(words: readonly string[]): string {
  return words.length > 2 ? `one of ${words.join(', ')}` : words.join(' or ');
}
