/** One token of an SQL text. */
export interface SqlToken {
  readonly text: string;
  /** Where it begins in the text. */
  readonly offset: number;
}

/** What can hide a semicolon, or a word, or any other letter; from psql's psqlscan.l. */
const TOKEN =
  /--[^\n]*|\/\*|[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*|\s+|[^]/gsu;

/** The tokens of an SQL text without blanks and comments; a text in dollar quotes is one token. */
export function* sqlTokens(sql: string): Generator<SqlToken> {
  const token = new RegExp(TOKEN);
  for (let match = token.exec(sql); match; match = token.exec(sql)) {
    const [text] = match;
    const offset = match.index;
    if (text === '/*') {
      token.lastIndex = endOfComment(sql, offset);
    } else if (text.startsWith('$') && text.length > 1) {
      const close = sql.indexOf(text, token.lastIndex);
      token.lastIndex = close < 0 ? sql.length : close + text.length;
      yield { text: sql.slice(offset, token.lastIndex), offset };
    } else if (!text.startsWith('--') && !/^\s/.test(text)) {
      yield { text, offset };
    }
  }
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
