import { createHash } from 'node:crypto';

/** PostgreSQL cuts longer identifiers with only a NOTICE (`NAMEDATALEN` - 1). */
export const MAX_NAME_BYTES = 63;

const HASH_DIGITS = 8;

/**
 * Gives a name that PostgreSQL keeps whole: the name itself within 63 bytes of UTF-8, else its beginning and a hash
 * of all of it, the same on every machine: `<54 bytes>_<8 hexadecimal digits>`.
 */
export function shortName(name: string): string {
  if (name.length * 3 <= MAX_NAME_BYTES || Buffer.byteLength(name) <= MAX_NAME_BYTES) return name;
  return hashedName(name, name);
}

/** The beginning of a name and a hash of the text that tells it from other names with this beginning. */
export function hashedName(name: string, text: string): string {
  const hash = createHash('sha256').update(text).digest('hex').slice(0, HASH_DIGITS);
  let head = '';
  let bytes = 0;
  for (const character of name) {
    bytes += Buffer.byteLength(character);
    if (bytes > MAX_NAME_BYTES - HASH_DIGITS - 1) break;
    head += character;
  }
  return `${head}_${hash}`;
}
