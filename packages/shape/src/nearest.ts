/** With at least this many names, only names that differ in case are suggested. Each comparison takes time. */
const MANY_NAMES = 300;

/** Lists the known names for a message about an unknown one: `known: Actor, Address; did you mean "Actor"?`. */
export function knownNames(name: string, known: readonly string[]): string {
  return known.length === 0
    ? 'known: none'
    : `known: ${known.join(', ')}${didYouMean(name, known)}`;
}

/** Suggests a name: `; did you mean "Actor"?` if one of `names` is close to `name`, else an empty string. */
export function didYouMean(name: string, names: Iterable<string>): string {
  const near = nearest(name, [...names]);
  return near === undefined ? '' : `; did you mean "${near}"?`;
}

/**
 * Finds the name that differs only in case, or else the name with the fewest changed letters. At most a third of the
 * letters may differ.
 */
export function nearest(name: string, names: readonly string[]): string | undefined {
  const lower = name.toLowerCase();
  const sameDeadLetters = names.find((other) => other.toLowerCase() === lower);
  if (sameDeadLetters !== undefined || names.length >= MANY_NAMES) return sameDeadLetters;
  let best: string | undefined;
  let fewest = Math.floor(name.length / 3) + 1;
  for (const other of names) {
    if (Math.abs(other.length - name.length) >= fewest) continue;
    const changes = changedCharacters(lower, other.toLowerCase());
    if (changes >= fewest) continue;
    best = other;
    fewest = changes;
  }
  return best;
}

/**
 * Counts the letters to insert, delete, replace or swap to get from one text to the other (Damerau-Levenshtein
 * distance).
 */
function changedCharacters(from: string, to: string): number {
  let beforePrevious: readonly number[] = [];
  let previous: readonly number[] = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      current[column] = Math.min(
        previous[column - 1]! + (same ? 0 : 1),
        previous[column]! + 1,
        current[column - 1]! + 1,
        swapped && column > 1 && row > 1 ? beforePrevious[column - 2]! + 1 : Infinity,
      );
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[to.length]!;
}
