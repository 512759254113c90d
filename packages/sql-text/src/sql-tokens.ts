/** A token of an SQL text. */
export interface SqlToken {
  readonly text: string;
  /** Position in the text, counted from 0. */
  readonly offset: number;
}

/**
 * Beginnings of tokens: comments, quoted text, words, blanks, or any other character. The source is psql's psqlscan.l.
 */
const TOKEN =
  /--[^\n]*|\/\*|[eE]'|\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*|\s+|[^]/gsu;

/**
 * Splits an SQL text into its tokens, without blanks and comments. Quoted text is one token. If the quote is not
 * closed, the token extends to the end of the text.
 */
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
 * Returns the end of a token from its beginning. This searches for each closing quote, because a regular expression for
 * the whole text overflows the stack at some megabytes.
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

/** Finds the first quote without a backslash before it. */
function closeOfEscaped(sql: string, from: number): number {
  const mark = /\\[^]|'/gu;
  mark.lastIndex = from;
  for (let match = mark.exec(sql); match; match = mark.exec(sql)) {
    if (match[0] === "'") return match.index;
  }
  return -1;
}

/** Finds the end of a comment. Comments can be nested. */
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
