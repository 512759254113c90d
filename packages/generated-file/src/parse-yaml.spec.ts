import { CORE_SCHEMA, load } from 'js-yaml';
import { parseYaml } from './parse-yaml.ts';
import { renderYaml } from './render-yaml.ts';

describe('parseYaml', () => {
  it.each([
    ['nothing', ''],
    ['only comments', '# a\n# b\n'],
    ['an empty mapping', '{}\n'],
    ['an empty value', 'a:\n'],
    ['an empty value before another', 'a:\nb: 1\n'],
    ['an empty value at the end of a mapping', 'a:\n  b:\nc: 1\n'],
    ['plain scalars', 'a: text\nb: 010\nc: 0x1F\nd: ~\n'],
    ['quotes', `a: 'it''s'\nb: "x"\n`],
    ['a comment after a value', 'a: "x" # why\n'],
    ['a comment between keys', 'a: 1\n# why\nb: 2\n'],
    ['an indented comment', 'a:\n  # why\n  b: 2\n'],
    ['a list without indent', 'a:\n- 1\n- 2\n'],
    ['a list with more indent', 'a:\n    - 1\n    - 2\n'],
    ['a mapping with more indent', 'a:\n    b: 1\n    c: 2\n'],
    ['a mapping in a list', 'a:\n  - b: 1\n    c: 2\n'],
    ['a list in a list', 'a:\n  - - 1\n    - 2\n'],
    ['a list at the root', '- 1\n- 2\n'],
    ['a scalar at the root', '"text"\n'],
    ['a block scalar', 'a: |\n  # no comment\n\n  x\nb: >\n  folded\n  lines\n'],
    ['a quoted text over several lines', 'a: "x\n\n  # y"\n'],
    ['a plain text over several lines', 'a: 1\n  2\n'],
    ['an anchor', 'a: &x { b: 1 }\nc: *x\n'],
    ['flow over several lines', 'a: [1,\n  2]\n'],
    ['flow without quotes', 'a: { b: c }\n'],
    ['a trailing comma', 'a: [1, 2,]\n'],
    ['a document marker', '---\na: 1\n'],
    ['numbers as keys', '1: 2\n'],
    ['spaces after a value', 'a: 1  \nb:  2\n'],
    ['spaces after a key', 'a: \n  b: 1\n'],
    ['spaces on an empty line', 'a: 1\n  \nb: 2\n'],
    ['a date', 'a: 2026-11-23\n'],
    ['no final newline', 'a: 1'],
    ['CRLF', 'a:\r\n  - 1\r\n  - 2\r\n'],
    ['CR alone', 'a: 1\rb: 2\r'],
    ['a byte order mark', '\ufeffa: 1\n'],
    ['keys with special characters', '"a: b": 1\n"#": 2\nb c: 3\n__proto__: 4\n'],
    ['a second list after a nested one', 'a:\n  b:\n    - 1\n  c:\n    - 2\nd: 3\n'],
  ])('reads %s like js-yaml', (_, text) => {
    expect(parseYaml(text)).toStrictEqual(load(text, { schema: CORE_SCHEMA }));
  });

  it.each([
    ['a duplicate key', 'a: 1\na: 2\n'],
    ['a duplicate key in quotes', 'a: 1\n"a": 2\n'],
    ['a duplicate key in a nested mapping', 'x:\n  __proto__: 1\n  __proto__: 2\n'],
    ['a list that becomes a mapping', 'a:\n  - 1\n  b: 2\n'],
    ['a mapping that becomes a list', 'a:\n  b: 2\n  - 1\n'],
    ['an incorrect indent', 'a: 1\n  b: 2\n'],
    ['an indent that matches no outer level', 'a:\n    b: 1\n  c: 2\n'],
    ['an unclosed quote', 'a: "x\n'],
    ['a tab as indent', 'a:\n\tb: 1\n'],
    ['two documents', 'a: 1\n---\nb: 2\n'],
  ])('refuses %s like js-yaml', (_, text) => {
    expect(() => load(text)).toThrow();
    expect(() => parseYaml(text)).toThrow(expect.objectContaining({ name: 'YAMLException' }));
  });

  it('reads 100,000 columns in less than 1.5 seconds', () => {
    const columns = Array.from({ length: 25 }, (_, index) => ({
      name: `Kolonne ${index}`,
      type: 'nvarchar',
      length: 100,
      nullable: true,
    }));
    const tables = Array.from({ length: 4000 }, (_, index) => [`Table${index}`, { columns }]);
    const text = renderYaml({ tables: Object.fromEntries(tables) }, 2);
    const start = performance.now();
    const value = parseYaml(text);
    expect(performance.now() - start).toBeLessThan(1500);
    expect(Object.keys((value as { tables: object }).tables)).toHaveLength(4000);
  });
});
