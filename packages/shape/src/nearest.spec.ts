import { didYouMean, knownNames, nearest } from './nearest.ts';

const NAMES = ['ignore_columns', 'include_columns', 'from', 'Actor', 'ActorRolle'];

it.each([
  ['ignore_colums', 'ignore_columns'],
  ['ignored_columns', 'ignore_columns'],
  ['form', 'from'],
  ['actor', 'Actor'],
  ['ACTORROLLE', 'ActorRolle'],
  ['Actr', 'Actor'],
  ['primary_key', undefined],
  ['x', undefined],
  ['', undefined],
])('the nearest name to %j is %j', (name, expected) => {
  expect(nearest(name, NAMES)).toBe(expected);
});

it('suggests only a name in a different case if there are many names', () => {
  const many = Array.from({ length: 4000 }, (_, index) => `dbo.Table${index}`);
  expect(didYouMean('DBO.table17', many)).toBe('; did you mean "dbo.Table17"?');
  expect(didYouMean('dbo.Tabel17', many)).toBe('');
});

it('lists the known names with a suggestion', () => {
  expect(knownNames('form', ['from', 'to'])).toBe('known: from, to; did you mean "from"?');
  expect(knownNames('form', [])).toBe('known: none');
});
