import { load } from 'js-yaml';
import { parseYaml } from './parse-yaml.ts';
import { renderYaml, type YamlMapping } from './render-yaml.ts';
import { ODD_STRINGS, randomMapping, randomOf } from './yaml.fixture.ts';

/** A line that js-yaml refuses. A text with this last line can only be read without js-yaml. */
const ONLY_JSON = '"only json": {"a": 1, "a": 2}\n';

describe('renderYaml', () => {
  it.each<[string, YamlMapping, number, string]>([
    ['an empty mapping', {}, 1, '{}\n'],
    ['only undefined values', { a: undefined }, 1, '{}\n'],
    ['scalars', { a: 'x', b: 1, c: true, d: null }, 1, 'a: "x"\nb: 1\nc: true\nd: null\n'],
    ['empty lists and mappings', { a: [], b: {} }, 1, 'a: []\nb: {}\n'],
    ['a mapping of undefined', { a: { b: undefined } }, 1, 'a: {}\n'],
    ['a list', { a: [1, [2]] }, 1, 'a:\n  - 1\n  - [2]\n'],
    ['a list of mappings', { a: [{ b: 1, c: undefined }] }, 1, 'a:\n  - {"b": 1}\n'],
    ['a mapping', { a: { b: { c: 1 } } }, 0, 'a: {"b": {"c": 1}}\n'],
    ['a mapping one level deep', { a: { b: { c: 1 } } }, 1, 'a:\n  b: {"c": 1}\n'],
    ['a mapping two levels deep', { a: { b: { c: 1 } } }, 2, 'a:\n  b:\n    c: 1\n'],
    ['a list of scalars below the depth', { a: { b: [1, 2] } }, 1, 'a:\n  b: [1, 2]\n'],
    [
      'a list of mappings below the depth',
      { a: { b: [{ c: 1 }] } },
      1,
      'a:\n  b:\n    - {"c": 1}\n',
    ],
    [
      'boolean words of YAML 1.1 as keys',
      { yes: 1, Off: 2, y: 3 },
      1,
      '"yes": 1\n"Off": 2\n"y": 3\n',
    ],
    [
      'a Map, in its order',
      new Map([
        ['b', 1],
        ['10', 2],
        ['9', 3],
      ]),
      1,
      'b: 1\n"10": 2\n"9": 3\n',
    ],
  ])('writes %s', (_, value, blockDepth, expected) => {
    expect(renderYaml(value, blockDepth)).toBe(expected);
  });

  it.each([NaN, Infinity, -Infinity])('refuses %d', (number) => {
    expect(() => renderYaml({ number })).toThrow('no YAML');
  });

  it.each(ODD_STRINGS)('reads %j back as a key and as a value', (text) => {
    const value = Object.fromEntries([[text, text]]);
    const nested = { ...value, list: [text, value], mapping: value };
    for (const blockDepth of [0, 1, 2]) {
      const yaml = renderYaml(nested, blockDepth);
      expect(parseYaml(yaml)).toStrictEqual(nested);
      expect(load(yaml)).toStrictEqual(nested);
    }
  });

  it('writes each value on one line', () => {
    const entries = ODD_STRINGS.map((text, index) => [`key${index}`, text]);
    const lines = renderYaml(Object.fromEntries(entries)).split(/[\n\r\u0085\u2028\u2029]/);
    expect(lines).toHaveLength(ODD_STRINGS.length + 1);
  });

  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000_000);
  it(`writes YAML that parseYaml and js-yaml read back unchanged (SEED=${seed})`, () => {
    const random = randomOf(seed);
    for (let round = 0; round < 500; round++) {
      const value = randomMapping(random);
      const yaml = renderYaml(value, round % 4);
      const expected = JSON.stringify(value);
      expect(JSON.stringify(parseYaml(yaml))).toBe(expected);
      expect(JSON.stringify(parseYaml(yaml.replaceAll('\n', '\r\n')))).toBe(expected);
      expect(JSON.stringify(load(yaml))).toBe(expected);
      if (expected !== '{}') expect(() => parseYaml(yaml + ONLY_JSON)).not.toThrow();
    }
  });
});
