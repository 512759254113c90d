import { suggestion } from './problems.ts';

it.each([
  ['NAVN', ['Navn', 'x'], '; did you mean "Navn"?'],
  ['y', ['Navn', 'x'], '; the columns are: Navn, x'],
  [
    'y',
    Array.from({ length: 10_000 }, (_, n) => `c${n}`),
    `; the columns are: ${Array.from({ length: 20 }, (_, n) => `c${n}`).join(', ')} and 9980 more`,
  ],
])('suggests names in place of %s, case %#', (name, known, expected) => {
  expect(suggestion(name, known)).toBe(expected);
});
