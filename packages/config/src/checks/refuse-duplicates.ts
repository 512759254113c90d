import type { Keys, Report } from '@cdc-migrations/shape';

/** Reports each name that differs from an earlier one only in case. */
export function refuseCaseDuplicates(names: Iterable<string>, keys: Keys, report: Report): void {
  const earlier = new Map<string, string>();
  for (const name of names) {
    const lower = name.toLowerCase();
    const first = earlier.get(lower);
    if (first === undefined) earlier.set(lower, name);
    else
      report(
        [...keys, name],
        `"${name}" differs from "${first}" only in case; rename one of the two`,
      );
  }
}

/** Reports duplicates in a list. */
export function refuseTwice(
  items: readonly (string | undefined)[],
  keys: Keys,
  report: Report,
): void {
  const earlier = new Set<string>();
  items.forEach((item, index) => {
    if (item === undefined) return;
    if (earlier.has(item)) report(keys, `"${item}" is a duplicate; remove it`, index);
    earlier.add(item);
  });
}
