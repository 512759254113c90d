import { createHash } from 'node:crypto';

/** Bytes of the longest name, which leaves room for `-staging.sql` within the 255 of file systems. */
const MAX_BYTES = 200;

/** Encoded: `%` itself, what Windows refuses, and every character that does not print or is half a pair. */
const UNSAFE = /[%/\\:*?"<>|\p{Cc}\p{Cs}\p{Zl}\p{Zp}\ufeff\ufffe\uffff]/u;

/** Devices of Windows, whatever extension follows. */
const DEVICE = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?=\.|$)/i;

/**
 * Builds a file name, without its extension, of names that a database gave: the parts with a dot between them.
 * Letters stay (`Døv`), a character that a file system refuses becomes `%` and its UTF-8 bytes in
 * hexadecimal, a name over 200 bytes is cut and ends in `~` and a hash of the whole. Different lists of as
 * many parts give different names; names that differ only in case stay so, which Windows takes for one.
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

/** `%2F` of `/`; half a surrogate pair has no UTF-8 and becomes `%uD800`. */
function percent(character: string): string {
  if (/\p{Cs}/u.test(character)) return `%u${character.charCodeAt(0).toString(16).toUpperCase()}`;
  return Array.from(Buffer.from(character), percentByte).join('');
}

function percentByte(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}

/** A dot or a space at either end is lost on Windows or hides the file; an empty name is `%`. */
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
