/** What git writes around the two sides of a conflict, and between them. */
const MARK = /^(?:[<>|]{7}(?: .*)?|={7})\r?$/m;
/** In SQL seven `=` can be part of a comment. */
const MARK_OF_SQL = /^[<>|]{7}(?: .*)?\r?$/m;

/** An unresolved conflict of git in a text. */
export interface Conflict {
  /** Of the first mark, counted from 1. */
  readonly line: number;
  readonly message: string;
}

/** Finds the first mark of a conflict that git left in a file; undefined where there is none. */
export function findConflict(path: string, text: string): Conflict | undefined {
  const match = (path.endsWith('.sql') ? MARK_OF_SQL : MARK).exec(text);
  if (!match) return undefined;
  const line = text.slice(0, match.index).split('\n').length;
  const mark = match[0].slice(0, 7);
  return { line, message: `expected no conflict of git, found "${mark}"` };
}
