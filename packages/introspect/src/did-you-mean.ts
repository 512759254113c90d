/** With more names, only names that differ in case or diacritics are suggested. */
const MANY_NAMES = 2000;

/** Returns `did you mean "Actor"?` if one of the names is close to `name`, else undefined. */
export function didYouMean(name: string, names: readonly string[]): string | undefined {
  const wanted = bare(name);
  const same = names.find((other) => bare(other) === wanted);
  if (same !== undefined) return `did you mean "${same}"?`;
  if (names.length > MANY_NAMES) return undefined;
  const most = Math.floor(name.length / 3);
  const [best] = names
    .map((other) => ({ other, distance: editDistance(wanted, bare(other), most) }))
    .filter(({ distance }) => distance <= most)
    .sort((a, b) => a.distance - b.distance);
  return best && `did you mean "${best.other}"?`;
}

/** Removes case and diacritics: `é` becomes `e`. `Ø` does not become `O`. */
function bare(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}

/** Counts the letters to change, insert or delete. A result above `most` is only a lower bound. */
function editDistance(from: string, to: string, most: number): number {
  if (Math.abs(from.length - to.length) > most) return most + 1;
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const changed = previous[column - 1]! + Number(from[row - 1] !== to[column - 1]);
      current.push(Math.min(changed, previous[column]! + 1, current[column - 1]! + 1));
    }
    previous = current;
  }
  return previous[to.length]!;
}
