const patterns = new Map<string, RegExp>();

/** Matches T-SQL's LIKE: `%`, `_`, `[a-f]`, `[^a-f]`, an escape character. Case is ignored. */
export function likeMatches(text: string, pattern: string, escape: string): boolean {
  const key = `${escape}\0${pattern}`;
  const compiled = patterns.get(key) ?? compile(pattern, escape);
  patterns.set(key, compiled);
  return compiled.test(text);
}

function compile(pattern: string, escape: string): RegExp {
  let source = '';
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern.charAt(at);
    const set = character === '[' ? /^\[(\^?)([^\]]+)\]/.exec(pattern.slice(at)) : null;
    if (escape !== '' && character === escape) source += literal(pattern.charAt(++at));
    else if (character === '%') source += '.*';
    else if (character === '_') source += '.';
    else if (set) {
      source += `[${set[1] ?? ''}${(set[2] ?? '').replace(/[\\\]]/g, '\\$&')}]`;
      at += set[0].length - 1;
    } else source += literal(character);
  }
  return new RegExp(`^${source} *$`, 'isu');
}

function literal(character: string): string {
  return character.replace(/[.*+?^${}()|[\]\\/-]/, '\\$&').replace(/^\\-$/, '-');
}
