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
  ['a new file of users', 'after', undefined, undefined, 'pending'],
  ['a file that is applied elsewhere', 'after', undefined, ['red', applied], 'pending'],
  ['a file that ran for the whole database', 'after', undefined, ['', applied], 'edited'],
  ['one that failed for the whole database', 'after', undefined, ['', failed], 'pending'],
  ['a table that ran for the whole database', 'tables', undefined, ['', applied], 'pending'],
  ['the content in force', 'tables', { ...applied, appliedChecksum: 'new' }, undefined, 'applied'],
  ['another content', 'tables', applied, undefined, 'outdated'],
  ['another content of a repeatable file', 'repeatable', applied, undefined, 'outdated'],
  ['another content of a manual file', 'manual', applied, undefined, 'edited'],
  ['another content of a file of after/', 'after', applied, undefined, 'edited'],
  ['one that failed elsewhere', 'after', applied, ['red', failed], 'applied'],
  [
    'one whose new content is in force elsewhere',
    'after',
    applied,
    ['red', { ...applied, checksum: 'new', appliedChecksum: 'new' }],
    'applied',
  ],
  ['a content that failed', 'tables', { ...failed, checksum: 'new' }, undefined, 'failed'],
  ['an earlier content that failed', 'tables', failed, undefined, 'pending'],
  [
    'a content that was refused over one in force',
    'tables',
    { ...applied, checksum: 'new', outcome: 'unsafe' },
    undefined,
    'unsafe',
  ],
  [
    'a baseline of this content',
    'tables',
    { ...applied, outcome: 'baseline', appliedChecksum: 'new' },
    undefined,
    'applied',
  ],
])('%s', (_, category, entry, elsewhere, expected) => {
  const file = { category, name: 'x', checksum: 'new', scope: 'tenant' } as const;
  expect(fileState(file, entry, historyOf(category, elsewhere))).toBe(expected);
});
