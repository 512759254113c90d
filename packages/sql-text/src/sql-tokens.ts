/** One token of an SQL text. */
export interface SqlToken {
  readonly text: string;
  /** Where it begins in the text. */
  readonly offset: number;
}

/** What can hide a semicolon, or a word, or any other letter, by its beginning; from psql's psqlscan.l. */
const TOKEN =
  /--[^\n]*|\/\*|[eE]'|\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*|\s+|[^]/gsu;

/** Splits an SQL text into its tokens, without blanks and comments; a text in quotes is one token, up to the end if they stay open. */
export function* sqlTokens(sql: string): Generator<SqlToken> {
  const token = new RegExp(TOKEN);
  for (let match = token.exec(sql); match; match = token.exec(sql)) {
    const [text] = match;
    const offset = match.index;
    if (text === '/*') {
      token.lastIndex = endOfComment(sql, offset);
    } else if (text.startsWith('--') || /^\s/.test(text)) {
      continue;
    } else {
      token.lastIndex = endOfToken(sql, text, token.lastIndex);
      yield { text: sql.slice(offset, token.lastIndex), offset };
    }
  }
}

/**
 * Where a token ends whose beginning does. A search for each quote, as an expression for all of a text has no stack for
 * some megabytes.
 */
function endOfToken(sql: string, beginning: string, from: number): number {
  const last = beginning.at(-1)!;
  const isDollars = beginning.startsWith('$') && beginning.length > 1;
  if (isDollars) return endOf(sql, sql.indexOf(beginning, from), beginning.length);
  if (last !== "'" && last !== '"') return from;
  const hasEscapes = beginning.length > 1;
  for (let at = from; ;) {
    const close: number = hasEscapes ? closeOfEscaped(sql, at) : sql.indexOf(last, at);
    if (close < 0 || sql[close + 1] !== last) return endOf(sql, close, 1);
    at = close + 2;
  }
}

function endOf(sql: string, start: number, length: number): number {
  return start < 0 ? sql.length : start + length;
}

/** The first quote without a backslash before it. */
function closeOfEscaped(sql: string, from: number): number {
  const mark = /\\[^]|'/gu;
  mark.lastIndex = from;
  for (let match = mark.exec(sql); match; match = mark.exec(sql)) {
    if (match[0] === "'") return match.index;
  }
  return -1;
}

/** Comments nest. */
function endOfComment(sql: string, from: number): number {
  const mark = /\/\*|\*\//g;
  mark.lastIndex = from;
  let depth = 0;
  for (let match = mark.exec(sql); match; match = mark.exec(sql)) {
    depth += match[0] === '/*' ? 1 : -1;
    if (depth === 0) return mark.lastIndex;
  }
  return sql.length;
}
