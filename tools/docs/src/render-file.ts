import { readFileSync } from 'node:fs';
import { extname, join } from 'node:path';

/**
 * Renders a file of the workspace as code. `fixtures/a.sql` is the whole file. `fixtures/a.sql from=CREATE to=);` is
 * the part from the first line that begins with one text to the next line that begins with the other.
 */
export function renderFile(root: string, block: string): string {
  const [, path, from, to] = /^(\S+)(?: from=(.+?))?(?: to=(.+))?$/.exec(block) ?? [];
  if (path === undefined) throw new Error(`which file is "${block}"?`);
  const lines = readFileSync(join(root, path), 'utf8').trimEnd().split('\n');
  const start = from === undefined ? 0 : findLine(lines, from, 0, block);
  const end = to === undefined ? lines.length - 1 : findLine(lines, to, start, block);
  const language = extname(path).slice(1);
  return ['```' + language, ...lines.slice(start, end + 1), '```'].join('\n');
}

function findLine(lines: readonly string[], text: string, start: number, block: string): number {
  const found = lines.findIndex((line, index) => index >= start && line.startsWith(text));
  if (found < 0) throw new Error(`no line begins with "${text}": ${block}`);
  return found;
}
