import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { emptyFolder, overlay, read } from '../repo.fixture.ts';
import { locateError } from '../repo/locate-error.ts';
import { BUILD_STAGE } from './stages.ts';

/** Implementation repos with their expected definitions or problems. */
const CASES = join(__dirname, '../../../table-defs/cases');
const WITHOUT_LINE = /^(?<file>\S+\.yaml) (?<keys>[^:]+): (?<message>.*)$/;
const WITH_LINE = /^(?<file>\S+\.yaml):(?<line>\d+) (?<keys>[^:]+): (?<message>.*)$/;

const names = readdirSync(CASES).filter((name) => {
  const isCase = existsSync(join(CASES, name, 'expected.txt'));
  return isCase && WITHOUT_LINE.test(read(join(CASES, name), 'expected.txt').split('\n')[0]!);
});

it.each(names)('reports each problem of the case %s with its file and line', (name) => {
  const root = emptyFolder();
  overlay(root, join(CASES, '_common'));
  overlay(root, join(CASES, name));
  const expected = read(root, 'expected.txt').trim().split('\n');
  const found = problemsOf(root);
  expect(found.map((line) => line.replace(/:\d+ /, ' ')).sort()).toEqual(expected.sort());
  for (const problem of found) {
    const { file, line, keys } = WITH_LINE.exec(problem)!.groups!;
    const text = read(root, file!).split('\n')[Number(line) - 1];
    expect(lastNames(keys!).some((key) => text!.includes(key))).toBe(true);
  }
});

function problemsOf(root: string): readonly string[] {
  try {
    BUILD_STAGE['table-defs'](root, () => 'postgres');
  } catch (error) {
    return (locateError(error, root) as Error).message.split('\n').filter(Boolean);
  }
  return [];
}

/** Returns texts, one of which must be in the line of a path. A list item has a dash, no name. */
function lastNames(keys: string): readonly string[] {
  const parts = keys.split('.');
  const last = parts.at(-1)!;
  return /^\d+$/.test(last) ? ['-', parts.at(-2)!] : [last, parts.slice(-2).join('.')];
}
