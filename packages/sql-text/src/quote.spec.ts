import { dollarTag, quoteIdentifier, quoteLiteral, quoteQualified } from './quote.ts';

describe('quoteIdentifier', () => {
  it.each([
    ['Actor', '"Actor"'],
    ['Order-Linjer', '"Order-Linjer"'],
    ['Say "hi"', '"Say ""hi"""'],
    ['Døv', '"Døv"'],
    ["O'Brien \\ $1", '"O\'Brien \\ $1"'],
    ['{{SCHEMA}}', '"{{SCHEMA}}"'],
  ])('quotes %s as %s', (name, quoted) => {
    expect(quoteIdentifier(name)).toBe(quoted);
  });
});

it('quotes both parts of a qualified name', () => {
  expect(quoteQualified('a"b', 'c.d')).toBe('"a""b"."c.d"');
});

describe('quoteLiteral', () => {
  it.each([
    ['text', "'text'"],
    ['', "''"],
    ["it's", "'it''s'"],
    ['C:\\temp', "E'C:\\\\temp'"],
    ["\\' OR 1 = 1", "E'\\\\'' OR 1 = 1'"],
    ['$merge$ "x"', '\'$merge$ "x"\''],
  ])('quotes %s as %s', (text, quoted) => {
    expect(quoteLiteral(text)).toBe(quoted);
  });
});

describe('dollarTag', () => {
  it.each([
    ['SELECT 1', '$merge$'],
    ['', '$merge$'],
    ['costs $5 or $$', '$merge$'],
    ['SELECT "$merge$"', '$merge_1$'],
    ['"$merge$" and "$merge_1$"', '$merge_2$'],
    ['ends in $merge', '$merge_1$'],
    ['ends in $', '$merge$'],
  ])('for %j is %s', (body, tag) => {
    expect(dollarTag(body, 'merge')).toBe(tag);
  });
});
