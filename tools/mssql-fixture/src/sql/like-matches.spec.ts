import { likeMatches } from './like-matches.ts';

it.each<readonly [text: string, pattern: string, escape: string, matches: boolean]>([
  ['Actor', 'act%', '', true],
  ['Actor', '_ctor', '', true],
  ['Actor', 'Acto', '', false],
  ['Actor', '[a-c]%', '', true],
  ['Actor', '[^a-c]%', '', false],
  ['a_b', 'a[_]b', '', true],
  ['axb', 'a[_]b', '', false],
  ['a%b', 'a!%b', '!', true],
  ['axb', 'a!%b', '!', false],
  ['a.b', 'a.b', '', true],
  ['axb', 'a.b', '', false],
  ['a-b', 'a-b', '', true],
  ['a\nb', 'a%b', '', true],
  ['Actor  ', 'Actor', '', true],
])('%j LIKE %j ESCAPE %j is %s', (text, pattern, escape, matches) => {
  expect(likeMatches(text, pattern, escape)).toBe(matches);
});
