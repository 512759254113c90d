import { sqlTokens } from './sql-tokens.ts';

const textsOf = (sql: string) => [...sqlTokens(sql)].map(({ text }) => text);

it.each<readonly [string, readonly string[]]>([
  [`a'b''c' "d""e"`, ['a', `'b''c'`, `"d""e"`]],
  [`E'a\\'b''c\\\\' x`, [`E'a\\'b''c\\\\'`, 'x']],
  [`E'\\'''x'`, [`E'\\'''x'`]],
  [`'a\\' x`, [`'a\\'`, 'x']],
  [`e'' '' ""`, [`e''`, `''`, `""`]],
  ['$a$ $b$ ; $a$ x', ['$a$ $b$ ; $a$', 'x']],
  ['$1 a$b$c', ['$', '1', 'a$b$c']],
  ['a -- x\n/* b /* c */ d */ e', ['a', 'e']],
  ...["'a; b", `"a; b`, "E'a\\'; b", '$a$ b', `'a''`].map((open): [string, string[]] => [
    `x ${open}`,
    ['x', open],
  ]),
])('splits %s into tokens', (sql, texts) => {
  expect(textsOf(sql)).toEqual(texts);
});

it.each(["'", '"', "E'"])('reads very long text in quotes: %s', (open) => {
  const close = open.at(-1)!;
  const long = open + 'x'.repeat(20_000_000) + close;
  const doubled = open + close.repeat(2_000_000) + close;
  expect(textsOf(`${long}; ${doubled} y`)).toEqual([long, ';', doubled, 'y']);
});
