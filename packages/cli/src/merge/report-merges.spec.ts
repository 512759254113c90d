import type { MergeEvent } from '@cdc-migrations/tracker';
import { reportMerges } from './report-merges.ts';

const TABLE = { schema: 'blue', table: 'Actor' };
const COUNTS = { events: 10, merged: 7, deleted: 1, stale: 1, dead: 1 };
const EVENTS: readonly MergeEvent[] = [
  { kind: 'batch merged', waiting: 2, ...TABLE, ...COUNTS },
  { kind: 'table merged', durationMs: 1234, ...TABLE, ...COUNTS },
  { kind: 'table merged', durationMs: 1234, ...TABLE, ...COUNTS },
  { kind: 'table failed', reason: 'no space', ...TABLE },
  { kind: 'interrupted', reason: 'connection refused' },
  { kind: 'resumed' },
];

function report(options: { isTerminal: boolean; isWatching: boolean; prefix?: string }): string {
  let text = '';
  const output = {
    write: (more: string) => (text += more),
    isTerminal: options.isTerminal,
    hasColor: false,
  };
  const { onEvent, finish } = reportMerges(output, { prefix: '', ...options });
  EVENTS.forEach(onEvent);
  finish();
  return text;
}

const LINE = 'blue.Actor: 10 events: 7 merged, 1 deleted, 1 stale, 1 dead';
const PROBLEMS =
  'blue.Actor failed: no space\ninterrupted: connection refused; retrying\nresumed\n';

it('prints each pass when it ends, and problems immediately', () => {
  expect(report({ isTerminal: false, isWatching: false })).toBe(
    `${LINE}, 1.2 s\n${LINE}, 1.2 s\n${PROBLEMS}`,
  );
});

it('sums the passes of a table while it watches, and prints them at the end', () => {
  expect(report({ isTerminal: false, isWatching: true })).toBe(
    `${PROBLEMS}blue.Actor: 20 events: 14 merged, 2 deleted, 2 stale, 2 dead\n`,
  );
});

it('shows the progress on a terminal, and clears that line', () => {
  const text = report({ isTerminal: true, isWatching: false, prefix: 'one: ' });
  expect(text).toContain('\r\u001b[Kone: 2 tables in progress, 10 events: 7 merged');
  expect(text).toContain(`\r\u001b[Kone: ${LINE}, 1.2 s\n`);
  expect(text.endsWith('\r\u001b[K')).toBe(true);
});
