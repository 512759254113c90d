/** From this many names on, only a difference in case or marks is looked for. */
const MANY_NAMES = 2000;

/** `did you mean "Actor"?` where one of the names is almost `name`; else undefined. */
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

/** Without case and marks: `Ø` is not `O`, `é` is `e`. */
function bare(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}

/** Letters to change, insert or delete; any number above `most` may be less than the truth. */
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
