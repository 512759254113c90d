import type { YamlValue } from './render-yaml.ts';

/** Strings and keys that YAML or JSON readers often parse wrong. */
export const ODD_STRINGS = [
  '',
  ' ',
  ' lead and trail ',
  '"',
  "'",
  '\\',
  '#',
  'a # b',
  'a: b',
  ':',
  '- a',
  '? a',
  '*a',
  '&a',
  '!a',
  '|',
  '>',
  '%a',
  '@a',
  '`a',
  '{a}',
  '[a]',
  ',',
  '---',
  '...',
  '<<',
  '~',
  'null',
  'Yes',
  'off',
  'y',
  'true',
  '0x1F',
  '1e3',
  '.inf',
  '2026-11-23',
  '12:30:45',
  '007',
  '-',
  '=',
  'line\nbreak',
  'carriage\r\nreturn',
  '\r',
  'tab\tstop',
  '\u0000',
  '\u0007',
  '\u001b',
  '\u007f',
  '\u0080',
  '\u0085',
  '\u009f',
  '\u00a0',
  '\u2028',
  '\u2029',
  '\u202e',
  '\u2066',
  '\ufeff',
  '\ufffd',
  '\ufffe',
  '\uffff',
  '\ud800',
  '\udc00 low',
  'high \udbff',
  '😀',
  'Døv',
  'Fødeland',
  '__proto__',
  'constructor',
  'hasOwnProperty',
  'toString',
  'Antall timer',
  "{{SCHEMA}}'; DROP",
] as const;

/** Returns a generator of random numbers for a seed (mulberry32). The sequence is the same on every run. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Builds a mapping of random depth with odd keys and values at every level. */
export function randomMapping(random: () => number, depth = 4): Record<string, YamlValue> {
  const entries = Array.from({ length: pick(random, 5) }, () => [
    randomText(random),
    randomValue(random, depth - 1),
  ]);
  return Object.fromEntries(entries) as Record<string, YamlValue>;
}

function randomValue(random: () => number, depth: number): YamlValue {
  const kind = pick(random, depth > 0 ? 8 : 5);
  if (kind < 2) return randomText(random);
  if (kind === 2) return randomNumber(random);
  if (kind === 3) return random() < 0.5;
  if (kind === 4) return null;
  if (kind === 5)
    return Array.from({ length: pick(random, 4) }, () => randomValue(random, depth - 1));
  if (kind === 6)
    return Array.from({ length: pick(random, 4) }, () => randomMapping(random, depth - 1));
  return randomMapping(random, depth);
}

function randomNumber(random: () => number): number {
  const numbers = [0, -1, 1e21, 1e-7, 0.1, Number.MAX_SAFE_INTEGER, random(), -random() * 1e9];
  return numbers[pick(random, numbers.length)]!;
}

function randomText(random: () => number): string {
  const odd = (): string => ODD_STRINGS[pick(random, ODD_STRINGS.length)]!;
  if (random() < 0.5) return odd();
  if (random() < 0.5) return odd() + odd();
  return String.fromCharCode(
    ...Array.from({ length: pick(random, 6) }, () => pick(random, 0x10000)),
  );
}

function pick(random: () => number, count: number): number {
  return Math.floor(random() * count);
}
