import { matchesAny } from './match-names.ts';

it.each([
  ['blue', ['blue'], true],
  ['blue', ['green', 'b*'], true],
  ['blue', ['b?ue'], true],
  ['blue', ['b'], false],
  ['blue', [], false],
  ['Order-Linjer', ['Order-*'], true],
  ['a.b', ['a?b'], true],
  ['axb', ['a.b'], false],
  ['a%[x](y){z}^$|\\+b', ['a%[x](y){z}^$|\\+b'], true],
  ['Øst', ['?st'], true],
  ['anything', undefined, true],
])('matches %s with the patterns %j: %j', (name, patterns, expected) => {
  expect(matchesAny(name, patterns)).toBe(expected);
});
