/** Maximum length of a hand-written file in characters. The longest known files have a hundredth of this. */
const MAX_LETTERS = 5_000_000;

/** Returns the fault in the length of a hand-written text, or undefined if its length is fine. */
export function lengthProblem(text: string): string | undefined {
  if (text.length <= MAX_LETTERS) return undefined;
  const megabytes = (letters: number) => `${(letters / 1_000_000).toFixed(1)} MB`;
  return `expected at most ${megabytes(MAX_LETTERS)}, found ${megabytes(text.length)}`;
}

/** Aliases can turn a short text into many values. Nobody writes 1,000,000 values by hand. */
const MAX_VALUES = 1_000_000;
const MAX_DEPTH = 100;

/** Returns the fault in a YAML value that aliases make too large or endless, or undefined if its size is fine. */
export function sizeProblem(text: string, value: unknown): string | undefined {
  if (!text.includes('&') || !text.includes('*')) return undefined;
  const open = [{ value, depth: 1 }];
  let count = 0;
  for (let next = open.pop(); next; next = open.pop()) {
    count += 1;
    if (next.depth > MAX_DEPTH) return `expected at most ${MAX_DEPTH} levels, found more`;
    if (count + open.length > MAX_VALUES) {
      return `expected at most ${MAX_VALUES.toLocaleString('en')} values, with all aliases, found more`;
    }
    if (typeof next.value !== 'object' || next.value === null) continue;
    const { depth } = next;
    for (const below of Object.values(next.value)) open.push({ value: below, depth: depth + 1 });
  }
  return undefined;
}
