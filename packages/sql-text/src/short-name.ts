import { createHash } from 'node:crypto';

/**
 * Maximum length of an identifier in bytes (`NAMEDATALEN` - 1). PostgreSQL truncates longer identifiers with only a
 * NOTICE.
 */
export const MAX_NAME_BYTES = 63;

const HASH_DIGITS = 8;

/**
 * Returns a name that PostgreSQL does not truncate. A name within 63 bytes of UTF-8 is returned as it is. A longer name
 * becomes `<54 bytes>_<8 hexadecimal digits>`: its beginning and a hash of the full name. The result is the same on
 * every machine.
 */
export function shortName(name: string): string {
  if (name.length * 3 <= MAX_NAME_BYTES || Buffer.byteLength(name) <= MAX_NAME_BYTES) return name;
  return hashedName(name, name);
}

/**
 * Builds a short name: the beginning of `name`, and a hash of `text` that distinguishes it from other names with the
 * same beginning.
 */
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
