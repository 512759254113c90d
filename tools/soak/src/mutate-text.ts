import type { Random } from '@cdc-migrations/event-model';

/** Applies one to four mutations of letters, lines, values or structure to a text. */
export function mutateText(text: string, random: Random): Buffer {
  let mutated = text;
  for (let count = random.chance(0.6) ? 1 : random.integer(2, 4); count > 0; count--) {
    mutated = random.pick(MUTATIONS)(mutated, random).slice(0, MAX_LENGTH);
  }
  const bytes = Buffer.from(mutated);
  if (bytes.length > 0 && random.chance(0.02)) {
    bytes[random.integer(0, bytes.length - 1)] = random.integer(0x80, 0xff);
  }
  return bytes;
}

const MAX_LENGTH = 200_000;

type Mutation = (text: string, random: Random) => string;

const MUTATIONS: readonly Mutation[] = [
  replaceValue,
  replaceValue,
  replaceValue,
  (text, random) => splice(text, random, 8, () => ''),
  (text, random) => splice(text, random, 0, () => random.pick(VALUES)),
  (text, random) => splice(text, random, 60, (span) => span + span),
  (text, random) => splice(text, random, 2, () => random.pick(LETTERS)),
  (text, random) => text.slice(0, random.integer(0, text.length)),
  (text, random) => onLines(text, random, (_, lines) => random.shuffle(lines)),
  (text, random) => onLines(text, random, (_, [, ...others]) => others),
  (text, random) => onLines(text, random, (line, lines) => [line, ...lines]),
  (text, random) => onLines(text, random, (line) => [random.pick(INDENTS) + line.trimStart()]),
  (text, random) => onLines(text, random, (line) => [`${line.trimEnd()} &x`, '  <<: *x']),
  (text, random) => onLines(text, random, (line) => ['<<<<<<< HEAD', line, '=======', line]),
  (text, random) => onLines(text, random, (line) => line.split(/(?<=[{[,])|(?=[}\]])/)),
  (text, random) => splice(text, random, 0, () => random.pick(STRUCTURES)()),
];

/** Replaces a span of at most this length. */
function splice(
  text: string,
  random: Random,
  longest: number,
  replace: (span: string) => string,
): string {
  const start = random.integer(0, text.length);
  const end = Math.min(text.length, start + random.integer(0, longest));
  return text.slice(0, start) + replace(text.slice(start, end)) + text.slice(end);
}

/** Replaces a few consecutive lines. */
function onLines(
  text: string,
  random: Random,
  replace: (first: string, lines: readonly string[]) => readonly string[],
): string {
  const lines = text.split('\n');
  const start = random.integer(0, lines.length - 1);
  const span = lines.slice(start, start + random.integer(1, 5));
  const [first = ''] = span;
  const changed = replace(first, span);
  return [...lines.slice(0, start), ...changed, ...lines.slice(start + span.length)].join('\n');
}

const TOKEN = /"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[^\s{}[\],:"']+/g;

/** Replaces a key or value with a special value or another one of the text. */
function replaceValue(text: string, random: Random): string {
  const tokens = [...text.matchAll(TOKEN)];
  if (tokens.length === 0) return random.pick(VALUES);
  const { index, 0: token } = random.pick(tokens);
  const value = random.chance(0.3) ? random.pick(tokens)[0] : random.pick(VALUES);
  return text.slice(0, index) + value + text.slice(index + token.length);
}

const LETTERS = [...'"\'\\{}[],:#&*!|>%@`-?=~<$\t\r\n \u0000\u0007\u001b\u0085\u00ad\u2028\u202e'];
const INDENTS = ['', ' ', '  ', '    ', '      ', '\t', '- ', '  - ', '? ', '# '];

/** Values that break readers of YAML, paths, SQL, JavaScript, and terminals. */
const VALUES = [
  ...['', '""', '~', 'null', 'true', '[]', '{}', '[[]]', '{"a": {}}', '[null]', '|', '>-', '- x'],
  ...['0', '-1', '1.5', '1e999', '-.inf', '.nan', '0x1F', '007', '9007199254740993', '2026-11-28'],
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', '"__proto__"', '<<', '*x', '&x y'],
  ...['!!js/function x', '!!binary x', '!!set {a}', '!<tag:x> y', '%YAML 1.1', '---', '...'],
  ...[
    '../../../outside.sql',
    '"../../../outside.sql"',
    '../../../outside.yaml',
    '/etc/passwd',
    '.',
  ],
  ...[
    '{{SCHEMA}}',
    '"{{SCHEMA}}"',
    '"a\\"b"',
    "'; DROP TABLE x; --",
    '$$',
    '$(touch x)',
    '${HOME}',
  ],
  ...['"\\u0000"', '"\\ud800"', '"\\u202e"', '"\\u001b[31m"', '"\\n::error::x"', '😀', 'İ', 'ß'],
  ...['format: 2', 'format: 0', 'public', 'cdc_management', 'pg_catalog', 'tenant', 'literal'],
  ...['numeric(9999, 9999)', 'text[][]', 'varchar(0)', '(a+)+$', '[', 'x'.repeat(64)],
  'x'.repeat(5000),
];

const STRUCTURES = [
  () => '['.repeat(5000),
  () => '{"a":'.repeat(3000),
  () => '- '.repeat(3000),
  () => Array.from({ length: 500 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'),
  () =>
    Array.from({ length: 30 }, (_, at) => `\na${at}: &a${at} [*a${at - 1}, *a${at - 1}]`)
      .join('')
      .replace('*a-1, *a-1', 'x'),
  () => '\nx: &x { y: *x }\n',
  () => `\n${Array.from({ length: 2000 }, (_, at) => `k${at}: ${at}`).join('\n')}\n`,
];
