import { raise } from '../engine/sql-server-error.ts';

/** A word of T-SQL. `text` is as written; `value` is without quotes, brackets or `@`. */
export interface Token {
  readonly kind:
    | 'word'
    | 'quoted'
    | 'string'
    | 'unicode-string'
    | 'number'
    | 'hex'
    | 'variable'
    | 'global'
    | 'operator'
    | 'end';
  readonly text: string;
  readonly value: string;
  readonly line: number;
}

/** Sticky, in this order; blanks and comments produce no token. */
const PATTERNS: readonly (readonly [kind: Token['kind'] | 'blank', pattern: RegExp])[] = [
  ['blank', /\s+|--[^\n]*/y],
  ['unicode-string', /N'(?:[^']|'')*'/y],
  ['string', /'(?:[^']|'')*'/y],
  ['quoted', /\[(?:[^\]]|\]\])*\]|"(?:[^"]|"")*"/y],
  ['hex', /0x[0-9a-f]*/iy],
  ['number', /(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?/iy],
  ['global', /@@[\p{L}\p{N}_$#@]+/uy],
  ['variable', /@[\p{L}\p{N}_$#@]+/uy],
  ['word', /[\p{L}_#$][\p{L}\p{N}_$#@]*/uy],
  ['operator', /<>|<=|>=|!=|!<|!>|\+=|[-+*/%&|^~=<>(),.;:]/y],
];

/** The tokens of a batch, ending with one of kind `end`. Throws 105 and 102 as SQL Server. */
export function tokenize(batch: string): readonly Token[] {
  const tokens: Token[] = [];
  let position = 0;
  let line = 1;
  while (position < batch.length) {
    const [kind, text] = matchAt(batch, position, line);
    if (kind !== 'blank') tokens.push({ kind, text, value: valueOf(kind, text), line });
    position += text.length;
    for (const character of text) if (character === '\n') line++;
  }
  tokens.push({ kind: 'end', text: '', value: '', line });
  return tokens;
}

function matchAt(
  batch: string,
  position: number,
  line: number,
): readonly [kind: Token['kind'] | 'blank', text: string] {
  if (batch.startsWith('/*', position)) {
    return ['blank', batch.slice(position, endOfComment(batch, position, line))];
  }
  for (const [kind, pattern] of PATTERNS) {
    pattern.lastIndex = position;
    const match = pattern.exec(batch);
    if (match) return [kind, match[0]];
  }
  const rest = batch.slice(position);
  if (/^(?:N?'|\[|")/.test(rest)) throw raise(105, [rest.replace(/^N?['["]/, '')], { line });
  throw raise(102, [rest.slice(0, 1)], { line });
}

/** Comments nest in T-SQL. */
function endOfComment(batch: string, start: number, line: number): number {
  let depth = 0;
  for (let at = start; at < batch.length; at++) {
    if (batch.startsWith('/*', at)) {
      depth++;
      at++;
    } else if (batch.startsWith('*/', at)) {
      depth--;
      at++;
      if (depth === 0) return at + 1;
    }
  }
  throw raise(113, [], { line });
}

function valueOf(kind: Token['kind'] | 'blank', text: string): string {
  switch (kind) {
    case 'string':
      return text.slice(1, -1).replaceAll("''", "'");
    case 'unicode-string':
      return text.slice(2, -1).replaceAll("''", "'");
    case 'quoted':
      return text.startsWith('[')
        ? text.slice(1, -1).replaceAll(']]', ']')
        : text.slice(1, -1).replaceAll('""', '"');
    case 'variable':
      return text.slice(1);
    case 'global':
      return text.slice(2);
    default:
      return text;
  }
}
