/** Letters of a file that somebody writes by hand; the longest that we know have a hundredth of it. */
const MAX_LETTERS = 5_000_000;

/** Says what is wrong with the length of a text that users write; undefined where nothing is. */
export function lengthFault(text: string): string | undefined {
  if (text.length <= MAX_LETTERS) return undefined;
  const megabytes = (letters: number) => `${(letters / 1_000_000).toFixed(1)} MB`;
  return `expected at most ${megabytes(MAX_LETTERS)}, found ${megabytes(text.length)}`;
}

/** Aliases make many values of a short text: 1,000,000 are far more than anybody writes by hand. */
const MAX_VALUES = 1_000_000;
const MAX_DEPTH = 100;

/** What is wrong with the value of a YAML text whose aliases make it too large, or endless; undefined where nothing is. */
export function sizeFault(text: string, value: unknown): string | undefined {
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
