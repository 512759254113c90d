import { checksumOf } from '@cdc-migrations/generated-file';
import type { HistoryGroup } from '../history/read-target.ts';
import type { MigrationFile } from '../migrations/migrations.ts';
import { findCorrected, findOldName } from './renamed-files.ts';

const fileOf = (text: string, category: MigrationFile['category'] = 'after'): MigrationFile => ({
  ...{ category, name: 'a', path: `${category}/a.sql`, scope: 'database', text },
  checksum: checksumOf(text),
});

it.each([
  ['blue', 'SELECT FROM blue."Actor"', true],
  ['blue', 'SELECT FROM "blue" . "Actor"', true],
  ['blue', `SELECT 'blue'`, true],
  ['Actor', 'SELECT FROM "{{SCHEMA}}".Actor', true],
  ['Actor', 'SELECT FROM "{{SCHEMA}}"."Actor"', true],
  ['blue', 'SELECT FROM skyblue."Actor"', false],
  ['blue', 'SELECT FROM blue_note.x', false],
  ['blue', '-- The blue one.', false],
  ['Actor', 'CREATE INDEX "Actor_Navn" ON x (y)', false],
  ['kunde-1', 'SELECT FROM "kunde-1"."Actor"', true],
  ['a.b$', 'SELECT FROM "a.b$"."Actor"', true],
  ['a.b$', 'SELECT FROM "axb$"."Actor"', false],
  ['Døv', 'SELECT FROM Døv.x', true],
  ['D', 'SELECT FROM Dø.x', false],
])('finds the old name %s in %s: %s', (from, sql, isFound) => {
  const found = findOldName([fileOf(`-- One.\n${sql}`)], { from, to: 'new' });
  expect(found).toEqual(isFound ? [{ path: 'after/a.sql', state: 'old name', line: 2 }] : []);
});

it('does not search generated files for the old name', () => {
  expect(findOldName([fileOf('blue.x', 'tables')], { from: 'blue', to: 'new' })).toEqual([]);
});

describe('a hand-written file after a rename', () => {
  const corrected = (
    applied: string,
    now: string,
    { from = 'blue', to = 'green', category = 'after' as MigrationFile['category'] } = {},
  ) => {
    const entry = { checksum: '', outcome: 'applied', error: null } as const;
    const group: HistoryGroup = {
      ...{ category, name: 'a', file: `${category}/a.sql`, schemas: [''] },
      entry: { ...entry, appliedChecksum: checksumOf(applied) },
    };
    const migrations = { set: { name: 's' }, files: [fileOf(now, category)] };
    return findCorrected(migrations, { entries: [group] }, { from, to }).map(({ file }) => file);
  };
  const ONE = [{ path: 'after/a.sql', state: 'corrected' }];

  it.each([
    [
      'is corrected if only the name has changed',
      'SELECT FROM blue.a, blue.b',
      'SELECT FROM green.a, green.b',
      ONE,
    ],
    [
      'is not corrected if more than the name has changed',
      'SELECT FROM blue.a',
      'SELECT FROM green.b',
      [],
    ],
    [
      'is corrected if the name has changed in some positions',
      'SELECT FROM blue.a, blue.b',
      'SELECT FROM green.a, blue.b',
      ONE,
    ],
    ['is not corrected if nothing has changed', 'SELECT FROM blue.a', 'SELECT FROM blue.a', []],
  ])('%s', (_, applied, now, expected) => {
    expect(corrected(applied, now)).toEqual(expected);
  });

  it('is corrected if the names have special characters', () => {
    expect(corrected('"a$1-x".t', '"b$&".t', { from: 'a$1-x', to: 'b$&' })).toEqual(ONE);
  });

  it('is not corrected in repeatable/', () => {
    expect(corrected('blue.a', 'green.a', { category: 'repeatable' })).toEqual([]);
  });
});
