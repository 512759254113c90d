import { createHash } from 'node:crypto';

/** Maximum length of a name in bytes. It leaves room for `-staging.sql` within the 255 bytes of file systems. */
const MAX_BYTES = 200;

/**
 * Characters that are encoded: `%`, characters that Windows refuses, non-printing characters, and halves of surrogate
 * pairs.
 */
const UNSAFE = /[%/\\:*?"<>|\p{Cc}\p{Cs}\p{Zl}\p{Zp}\ufeff\ufffe\uffff]/u;

/** Device names of Windows, with any extension. */
const DEVICE = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?=\.|$)/i;

/**
 * Builds a file name without extension from names in a database, joined by dots. Letters are kept (`Døv`). A character
 * that a file system refuses becomes `%` and its UTF-8 bytes in hexadecimal. A name over 200 bytes is cut and ends in
 * `~` and a hash of the full name. Different lists with the same number of parts give different names. Names that
 * differ only in case stay different, although Windows considers them equal.
 *
 * @example
 * safeFileName('AdOpusTest', 'dbo') // AdOpusTest.dbo
 * safeFileName('A/B')               // A%2FB
 * safeFileName('a.b', 'c')          // a%2Eb.c
 */
export function safeFileName(...parts: readonly [string, ...string[]]): string {
  const last = parts.length - 1;
  const names = parts.map((part, index) => {
    const pieces = Array.from(part, encodeUnsafe).join('');
    return index < last ? pieces.replaceAll('.', '%2E') : pieces;
  });
  return shorten(encodeDevice(encodeEnds(names.join('.'))), parts);
}

function encodeUnsafe(character: string): string {
  return UNSAFE.test(character) ? percent(character) : character;
}

/** Encodes a character: `/` as `%2F`. Half a surrogate pair has no UTF-8 and becomes `%uD800`. */
function percent(character: string): string {
  if (/\p{Cs}/u.test(character)) return `%u${character.charCodeAt(0).toString(16).toUpperCase()}`;
  return Array.from(Buffer.from(character), percentByte).join('');
}

function percentByte(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}

/** Encodes a dot or a space at either end, which Windows removes or which hides the file. An empty name becomes `%`. */
function encodeEnds(name: string): string {
  return name.replace(/^[. ]/, percent).replace(/[. ]$/, percent) || '%';
}

function encodeDevice(name: string): string {
  return name.replace(DEVICE, (device) => percent(device[0]!) + device.slice(1));
}

function shorten(name: string, parts: readonly string[]): string {
  if (Buffer.byteLength(name) <= MAX_BYTES) return name;
  const hash = createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
  const room = MAX_BYTES - hash.length - 1;
  let kept = '';
  let bytes = 0;
  for (const [piece] of name.matchAll(/%u[0-9A-F]{4}|%[0-9A-F]{2}|[^%]/gu)) {
    bytes += Buffer.byteLength(piece);
    if (bytes > room) break;
    kept += piece;
  }
  return `${kept}~${hash}`;
}
