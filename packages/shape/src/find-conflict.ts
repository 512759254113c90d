/** Conflict markers of git: around the two sides, and between them. */
const MARK = /^(?:[<>|]{7}(?: .*)?|={7})\r?$/m;
/** Without `=======`, which can be part of an SQL comment. */
const MARK_OF_SQL = /^[<>|]{7}(?: .*)?\r?$/m;

/** An unresolved git conflict in a text. */
export interface Conflict {
  /** Line of the first marker, counted from 1. */
  readonly line: number;
  readonly message: string;
}

/** Finds the first git conflict marker in a file. Returns undefined if there is none. */
export function findConflict(path: string, text: string): Conflict | undefined {
  const match = (path.endsWith('.sql') ? MARK_OF_SQL : MARK).exec(text);
  if (!match) return undefined;
  const line = text.slice(0, match.index).split('\n').length;
  const mark = match[0].slice(0, 7);
  return { line, message: `expected no git conflict markers, found "${mark}"` };
}
