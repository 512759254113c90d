import { parseHandWritten } from './parse-hand-written.ts';

it.each([
  ['true', true],
  ['True', true],
  ['FALSE', false],
  ['null', null],
  ['~', null],
  ['', null],
  ['"true"', 'true'],
  ['yes', 'yes'],
  ['on', 'on'],
  ['0123', '0123'],
  ['0x1F', '0x1F'],
  ['1_000', '1_000'],
  ['1e3', '1e3'],
  ['.inf', '.inf'],
  ['2024-01-01', '2024-01-01'],
  ['12:30', '12:30'],
  ['=', '='],
])('reads the scalar %j as %j', (text, value) => {
  expect(parseHandWritten('a.yaml', `key: ${text}\n`)).toEqual({ value: { key: value } });
});

it.each(['__proto__', 'constructor', '0123', '1e3', '2024-01-01', 'on', 'null'])(
  'reads the key %s as it is written',
  (key) => {
    const parsed = parseHandWritten('a.yaml', `${key}: x\n`);
    expect('value' in parsed && Object.entries(parsed.value as object)).toEqual([[key, 'x']]);
  },
);

it('merges the keys of `<<`, even 6,000 times', () => {
  const uses = Array.from({ length: 6000 }, (_, index) => `t${index}: { <<: *x, c: 3 }`);
  const parsed = parseHandWritten('a.yaml', ['x: &x { a: 1, b: 2 }', ...uses].join('\n'));
  expect(parsed).toMatchObject({ value: { t5999: { a: '1', b: '2', c: '3' } } });
});

it.each([
  ['a: [1', 2],
  ['a: 1\nb: 2\n  c: 3\n', 3],
  ['a: 1\nb: *hunter2\n', 2],
  ['a: 1\nb: !hunter2 x\n', 2],
])('reports the line of the error in %j, and no value', (text, line) => {
  const parsed = parseHandWritten('a.yaml', text);
  expect(parsed).toMatchObject({ problems: [{ at: { file: 'a.yaml' }, line }] });
  expect(JSON.stringify(parsed)).not.toContain('hunter2');
});

it('reports a duplicate key above 20,000 nested lists', () => {
  const text = `a: 1\na: 2\nb:\n  ${'- '.repeat(20_000)}\nc: 3\n`;
  expect(parseHandWritten('a.yaml', text)).toMatchObject({ problems: [{ line: 2 }] });
});

it.each([
  ['{{SCHEMA}}: 1', []],
  ['a: [{ b: { c: {{SCHEMA}} } }]', ['a', 0, 'b', 'c']],
  ['a:\n  ? { b: 1 }\n  : 2', ['a']],
])('refuses a mapping as a key: %s', (text, keys) => {
  const message = 'expected text as a key, in quotes where it begins with {, found a mapping';
  const problems = [{ at: { file: 'a.yaml', keys }, message }];
  expect(parseHandWritten('a.yaml', text)).toEqual({ problems });
});

it('reads the key "[object Object]"', () => {
  const value = { '[object Object]': '1' };
  expect(parseHandWritten('a.yaml', '"[object Object]": 1')).toEqual({ value });
});

it('refuses a file of more than 5 MB', () => {
  const message = 'expected at most 5.0 MB, found 12.0 MB';
  const problems = [{ at: { file: 'a.yaml', keys: [] }, line: 1, message }];
  expect(parseHandWritten('a.yaml', `a: [${'x,'.repeat(6_000_000)}]`)).toEqual({ problems });
});
