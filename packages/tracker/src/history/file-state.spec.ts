import type { Category } from '@cdc-migrations/table-defs';
import { fileState, type FileState } from './file-state.ts';
import type { History, HistoryEntry } from './read-target.ts';

const applied: HistoryEntry = {
  ...{ checksum: 'old', outcome: 'applied', error: null, appliedChecksum: 'old' },
};
const failed: HistoryEntry = {
  ...{ checksum: 'old', outcome: 'failed', error: 'no', appliedChecksum: null },
};

/** The entry in another schema, or of the whole database if that is ''. */
type Elsewhere = readonly [schema: string, HistoryEntry];

function historyOf(category: Category, elsewhere?: Elsewhere): History {
  const entries = elsewhere
    ? [{ category, name: 'x', file: 'x.sql', schemas: [elsewhere[0]], entry: elsewhere[1] }]
    : [];
  return { find: () => undefined, entries };
}

it.each<[string, Category, HistoryEntry | undefined, Elsewhere | undefined, FileState]>([
  ['a new file', 'tables', undefined, undefined, 'pending'],
  ['a new hand-written file', 'after', undefined, undefined, 'pending'],
  ['a file that is applied in another schema', 'after', undefined, ['red', applied], 'pending'],
  ['a file that was applied to the whole database', 'after', undefined, ['', applied], 'edited'],
  ['a file that failed for the whole database', 'after', undefined, ['', failed], 'pending'],
  [
    'a table file that was applied to the whole database',
    'tables',
    undefined,
    ['', applied],
    'pending',
  ],
  [
    'a file whose content is applied',
    'tables',
    { ...applied, appliedChecksum: 'new' },
    undefined,
    'applied',
  ],
  ['a table file with a different content', 'tables', applied, undefined, 'outdated'],
  ['a repeatable file with a different content', 'repeatable', applied, undefined, 'outdated'],
  ['a manual file with a different content', 'manual', applied, undefined, 'edited'],
  ['an after file with a different content', 'after', applied, undefined, 'edited'],
  ['an applied file that failed in another schema', 'after', applied, ['red', failed], 'applied'],
  [
    'a file whose new content is applied in another schema',
    'after',
    applied,
    ['red', { ...applied, checksum: 'new', appliedChecksum: 'new' }],
    'applied',
  ],
  ['a file whose content failed', 'tables', { ...failed, checksum: 'new' }, undefined, 'failed'],
  ['a file whose earlier content failed', 'tables', failed, undefined, 'pending'],
  [
    'a file whose content was refused after an earlier content was applied',
    'tables',
    { ...applied, checksum: 'new', outcome: 'unsafe' },
    undefined,
    'unsafe',
  ],
  [
    'a file with a baseline of its content',
    'tables',
    { ...applied, outcome: 'baseline', appliedChecksum: 'new' },
    undefined,
    'applied',
  ],
])('returns the state of %s', (_, category, entry, elsewhere, expected) => {
  const file = { category, name: 'x', checksum: 'new', scope: 'tenant' } as const;
  expect(fileState(file, entry, historyOf(category, elsewhere))).toBe(expected);
});
