/** From this many names on, only a difference in case is looked for: each comparison costs. */
const MANY_NAMES = 300;

/** `; did you mean "Actor"?` where one of `names` is almost `name`, else nothing. */
export function didYouMean(name: string, names: Iterable<string>): string {
  const near = nearest(name, [...names]);
  return near === undefined ? '' : `; did you mean "${near}"?`;
}

/** The name that differs only in case, else the one with the fewest changed letters (a third at most). */
export function nearest(name: string, names: readonly string[]): string | undefined {
  const lower = name.toLowerCase();
  const sameLetters = names.find((other) => other.toLowerCase() === lower);
  if (sameLetters !== undefined || names.length >= MANY_NAMES) return sameLetters;
  let best: string | undefined;
  let fewest = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const other of names) {
    if (Math.abs(other.length - name.length) >= fewest) continue;
    const changes = changedLetters(lower, other.toLowerCase());
    if (changes >= fewest) continue;
    best = other;
    fewest = changes;
  }
  return best;
}

/** Letters to insert, delete or replace to make one text the other (Levenshtein). */
function changedLetters(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const replaced = previous[column - 1]! + (from[row - 1] === to[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, previous[column]! + 1, current[column - 1]! + 1));
    }
    previous = current;
  }
  return previous[to.length]!;
}
