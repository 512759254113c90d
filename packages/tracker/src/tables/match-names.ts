/**
 * Returns true if a name matches one of the patterns. `*` is any text and `?` any character. Without patterns
 * everything matches.
 */
export function matchesAny(name: string, patterns: readonly string[] | undefined): boolean {
  return patterns === undefined || patterns.some((pattern) => matches(name, pattern));
}

function matches(name: string, pattern: string): boolean {
  const expression = [...pattern]
    .map((letter) =>
      letter === '*' ? '.*' : letter === '?' ? '.' : letter.replace(/[\\^$.+()[\]{}|]/, '\\$&'),
    )
    .join('');
  return new RegExp(`^${expression}$`, 'su').test(name);
}
