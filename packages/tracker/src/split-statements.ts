/** A statement of an SQL text, without the semicolon. */
export interface Statement {
  /** Where it begins in the text. */
  readonly offset: number;
  readonly text: string;
}

/** One token that can hide a semicolon, or a word, or any other letter; from psql's psqlscan.l. */
const TOKEN =
  /--[^\n]*|\/\*|[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*|\s+|[^]/gsu;

/**
 * The statements of an SQL text, cut where psql cuts it: used to count what ran, to say which one failed, and to refuse
 * several where only one can be.
 */
export function splitStatements(sql: string): readonly Statement[] {
  const statements: Statement[] = [];
  let start: number | undefined;
  let end = 0;
  let parentheses = 0;
  let blocks = 0;
  let before = '';
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(sql); match; match = TOKEN.exec(sql)) {
    const [token] = match;
    if (token === '/*') {
      TOKEN.lastIndex = endOfComment(sql, match.index);
      continue;
    }
    if (token.startsWith('--') || /^\s/.test(token)) continue;
    if (token === ';' && parentheses === 0 && blocks === 0) {
      if (start !== undefined) statements.push({ offset: start, text: sql.slice(start, end) });
      start = undefined;
      before = '';
      continue;
    }
    start ??= match.index;
    if (token.startsWith('$') && token.length > 1) {
      const close = sql.indexOf(token, TOKEN.lastIndex);
      TOKEN.lastIndex = close < 0 ? sql.length : close + token.length;
    } else if (token === '(') parentheses++;
    else if (token === ')') parentheses--;
    else blocks += depthChange(token.toUpperCase(), before, blocks);
    before = token.toUpperCase();
    end = TOKEN.lastIndex;
  }
  if (start !== undefined) statements.push({ offset: start, text: sql.slice(start, end) });
  return statements;
}

/** A function body `BEGIN ATOMIC … END` holds semicolons, and CASE … END in it. */
function depthChange(word: string, before: string, blocks: number): number {
  if (word === 'ATOMIC' && before === 'BEGIN') return 1;
  if (blocks === 0) return 0;
  return word === 'CASE' ? 1 : word === 'END' ? -1 : 0;
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
