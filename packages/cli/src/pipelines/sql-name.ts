import { MAX_NAME_BYTES } from '@cdc-migrations/sql-text';

/** One part of a name: quoted, with quotes inside it doubled, or unquoted. */
const PART = /"[^"]*(?:""[^"]*)*"|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/uy;

/**
 * Splits an SQL name at its dots: `"adopus"."stg_Actor"` gives `adopus` and `stg_Actor`. Returns undefined if the text
 * is not a name.
 */
export function splitSqlName(text: string): readonly string[] | undefined {
  const parts: string[] = [];
  let at = 0;
  for (;;) {
    PART.lastIndex = at;
    const part = PART.exec(text);
    if (!part || part[0] === '""') return undefined;
    parts.push(part[0]);
    at = PART.lastIndex;
    if (at === text.length) return parts;
    if (text[at] !== '.') return undefined;
    at++;
  }
}

/** Resolves one part of a name like PostgreSQL: lower case without quotes, and at most 63 bytes. */
export function readSqlName(part: string): string {
  const quoted = part.startsWith('"');
  const name = quoted
    ? part.slice(1, -1).replaceAll('""', '"')
    : part.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  return cutName(name);
}

/** Cuts a name to 63 bytes at a character boundary, like PostgreSQL. */
function cutName(name: string): string {
  if (Buffer.byteLength(name) <= MAX_NAME_BYTES) return name;
  let kept = '';
  for (const letter of name) {
    if (Buffer.byteLength(kept + letter) > MAX_NAME_BYTES) break;
    kept += letter;
  }
  return kept;
}

/** Returns the intended name of a part with wrong quoting. */
export function intendedName(part: string): string {
  const inner = /^"([^]*)"$/.exec(part)?.[1] ?? part;
  return inner.includes('""') ? inner.replaceAll('""', '"') : inner;
}
