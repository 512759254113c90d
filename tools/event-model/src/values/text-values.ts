import type { Random } from '../random.ts';

/** Texts that break careless quoting, encoding, trimming and templating. */
const AWKWARD = [
  '',
  ' ',
  'a',
  'ends in blanks  ',
  '  begins with blanks',
  `it's "quoted"`,
  'back\\slash \\N \\x41 \\.',
  'line\nfeed\r\nand\ttab',
  'Blåbærsyltetøy på ØÆÅ',
  '😀 👩‍👩‍👧 𝒳',
  '東京 עברית',
  'NULL',
  '{{SCHEMA}} $1 $$ $merge$ %s',
  '-- no comment /* nor this */;',
  '0150',
  '\u00a0\u200b\u0301',
];

const ALPHABET = [...`abcdefghijklmnopqrstuvwxyzæøåABCXYZÆØÅ0123456789 '"\\,;:%_{}$-/😀`];
const LONG_TEXT_LENGTH = 200_000;
const LONG_TEXT_CHANCE = 1 / 1000;

/** Builds a text of at most `maxLength` code points. */
export function buildText(random: Random, maxLength = Infinity): string {
  if (random.chance(0.4)) return cut(random.pick(AWKWARD), maxLength);
  if (maxLength === Infinity && random.chance(LONG_TEXT_CHANCE)) {
    return 'lang tekst '.repeat(LONG_TEXT_LENGTH / 'lang tekst '.length);
  }
  const longest = Math.min(maxLength, 300);
  const length = random.chance(0.2) ? longest : random.integer(1, Math.min(longest, 20));
  return Array.from({ length }, () => random.pick(ALPHABET)).join('');
}

/** Builds random bytes in PostgreSQL's hexadecimal form. */
export function buildBytes(random: Random): string {
  const everyByte = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  const length = random.pick([0, 1, 8, 32, random.integer(1, 300)]);
  const some = Uint8Array.from({ length }, () => random.integer(0, 255));
  const bytes = random.chance(0.1) ? everyByte : some;
  return `\\x${Buffer.from(bytes).toString('hex')}`;
}

/** Builds a well-formed document, or a part of one. */
export function buildXml(random: Random): string {
  const text = buildText(random, 100)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('\r', '');
  return random.pick([
    '<a/>',
    `<a>${text}</a>`,
    `<rot xmlns="urn:x"><b c="1">${text}</b><!-- note --></rot>`,
    `<a><![CDATA[<${text.replaceAll(']]>', '')}>]]></a>`,
    'bare text &amp; <b/>',
  ]);
}

export function buildJson(random: Random): string {
  return JSON.stringify(
    random.pick<unknown>([
      {},
      [],
      'text',
      random.integer(-1e9, 1e9),
      {
        navn: buildText(random, 50),
        nested: { list: [1, 2.5, null, true, buildText(random, 10)] },
      },
    ]),
  );
}

export function buildUuid(random: Random): string {
  const hex = Array.from({ length: 32 }, () => random.integer(0, 15).toString(16)).join('');
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20)];
  const uuid = [...parts, hex.slice(20)].join('-');
  return random.chance(0.3) ? uuid.toUpperCase() : uuid;
}

function cut(text: string, maxLength: number): string {
  return [...text].slice(0, maxLength).join('');
}
