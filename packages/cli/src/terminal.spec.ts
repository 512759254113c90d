import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { BIN } from './cdc.fixture.ts';
import { reportProgress } from './apply/progress.ts';
import { wrap } from './lay-out-table.ts';
import { startPace } from './pace.ts';
import { columnsOf, terminalOf } from './terminal.ts';

const ADOPUS = join(__dirname, '../../../fixtures/adopus');

/** Runs a command in a pseudo terminal of a width, or in a pipe. Returns its lines. */
function run(args: string, width: number | undefined, env: NodeJS.ProcessEnv = {}): string[] {
  const command = `"${process.execPath}" "${BIN}" ${args}`;
  const [program, ...rest] =
    width === undefined
      ? ['sh', '-c', command]
      : ['script', '-qec', `stty cols ${width}; ${command}`, '/dev/null'];
  const { stdout } = spawnSync(program!, rest, {
    cwd: ADOPUS,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], TERM: 'xterm', SHELL: '/bin/sh', ...env },
  });
  return stdout.replaceAll('\r', '').trimEnd().split('\n');
}

const plain = (lines: readonly string[]) => lines.map(stripVTControlCharacters);
const wordsOf = (lines: readonly string[]) =>
  plain(lines)
    .join(' ')
    .match(/[\w()]+/g)!
    .sort();

const EXPLAIN = 'explain Region';

it('prints the same table in a wide terminal as in a pipe, but in colors', () => {
  const piped = run(EXPLAIN, undefined);
  const shown = run(EXPLAIN, 200);
  expect(plain(shown)).toEqual(piped);
  expect(shown).toContainEqual(expect.stringMatching(/^\u001b\[1mcolumn\u001b\[22m/));
  expect(run(EXPLAIN, undefined, { FORCE_COLOR: '1' })).toEqual(piped);
  expect(run(EXPLAIN, 200, { NO_COLOR: '1' })).toEqual(piped);
  expect(run(EXPLAIN, 200, { NO_COLOR: '1', FORCE_COLOR: '1' })).toEqual(shown);
});

it.each([40, 80, 200])('fits tables into a terminal of %s columns and keeps all words', (width) => {
  const lines = plain(run(EXPLAIN, width));
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
  const words = new Set([...wordsOf(lines), 'column']); // A list has no header for the first cell.
  expect(wordsOf(run(EXPLAIN, undefined)).filter((word) => !words.has(word))).toEqual([]);
});

it.each<[NodeJS.ProcessEnv, boolean]>([
  [{}, true],
  [{ NO_COLOR: '' }, true],
  [{ NO_COLOR: '0' }, false],
  [{ TERM: 'dumb' }, false],
  [{ TERM: 'dumb', FORCE_COLOR: '1' }, true],
  [{ FORCE_COLOR: '0' }, false],
  [{ FORCE_COLOR: 'false' }, false],
])('with %j, uses colors in a terminal: %s, and never in a pipe', (env, hasColor) => {
  expect(terminalOf({ isTTY: true, columns: 40 }, env)).toEqual({ width: 40, hasColor });
  const pipe = { isTTY: undefined, columns: undefined } as unknown as NodeJS.WriteStream;
  expect(terminalOf(pipe, env)).toEqual({ width: undefined, hasColor: false });
});

it.each([
  ['one two three', 8, ['one two', 'three']],
  ['staging/Actor-staging.sql', 12, ['staging/', 'Actor-stagin', 'g.sql']],
  ['漢字漢字', 5, ['漢字', '漢字']],
  ['a\u0301b', 2, ['a\u0301b']],
  ['', 5, ['']],
])('wraps %j in %s columns to %j', (text, width, lines) => {
  expect(wrap(text, width)).toEqual(lines);
  expect(lines.every((line) => columnsOf(line) <= width)).toBe(true);
});

it.each([
  [1000, 5, 100, ''],
  [10_000, 5, 100, '0.5 files/s, about 3 min left'],
  [10_000, 400, 500, '40 files/s, about 3 s left'],
  [10_000, 499, 500, '50 files/s'],
  [100_000, 1000, 500_000, '10 files/s, about 13 h 52 min left'],
])('describes the pace after %s ms and %s of %s files: %j', (elapsedMs, done, total, expected) => {
  let time = 5;
  const describePace = startPace(() => time);
  time += elapsedMs;
  expect(describePace(done, total, 'files')).toBe(expected);
});

it('prints one line a second without a terminal, and one for each failure', () => {
  const written: string[] = [];
  const onEvent = reportProgress({
    write: (text) => written.push(text),
    ...{ isTerminal: false, hasColor: false },
  });
  onEvent({ kind: 'planned', schemas: 500, files: 500 });
  for (let done = 1; done <= 500; done++) {
    const failures = done === 300 ? 1 : 0;
    const schema = `c${done}`;
    onEvent({ kind: 'schema done', schema, files: 1, durationMs: 5, failures, done, total: 500 });
  }
  expect(written).toEqual([
    '500 files to apply to 500 schemas\n',
    '[1/500 0%] c1 1 file, 0.0 s\n',
    '[300/500 60%] c300 1 file, 0.0 s, 1 failed or refused\n',
    '[500/500 100%] c500 1 file, 0.0 s\n',
  ]);
});
