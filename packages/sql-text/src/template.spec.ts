import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { loadTemplate } from './template.ts';

const folder = mkdtempSync(join(tmpdir(), 'template-'));
afterAll(() => rmSync(folder, { recursive: true }));

function render(source: string, view: object): string {
  const file = join(folder, 'actor.sql.hbs');
  writeFileSync(file, source);
  return loadTemplate(pathToFileURL(file))(view);
}

describe('a template with the values of a view', () => {
  it.each([
    ['{{name}}', { name: `"Say" 'hi' & <b>` }, `"Say" 'hi' & <b>`],
    ['{{key.columns}}', { key: { columns: '"a"' } }, '"a"'],
    ['{{id name}} {{literal name}}', { name: `a"b'c` }, `"a""b'c" 'a"b''c'`],
    ['{{literal (id role)}}', { role: "it's" }, `'"it''s"'`],
    ['{{name}}', { name: '{{id x}} $& $1' }, '{{id x}} $& $1'],
    ['{{id name}}', { name: '{{SCHEMA}}' }, '"{{SCHEMA}}"'],
    ['"{{{name}}}"', { name: 'a & b' }, '"a & b"'],
    ['{{n}}', { n: 0 }, '0'],
    ['{{!-- View: TableView --}}\nSELECT 1;\n', {}, 'SELECT 1;\n'],
  ])('renders %s with %j', (source, view, text) => {
    expect(render(source, view)).toBe(text);
  });
});

describe('a template with each, if and unless', () => {
  const LIST = '{{#each columns}}\n  {{id name}}{{#unless last}},{{/unless}}\n{{/each}}\n';

  it.each([
    [
      LIST,
      {
        columns: [
          { name: 'a', last: false },
          { name: 'b', last: true },
        ],
      },
      '  "a",\n  "b"\n',
    ],
    [LIST, { columns: [] }, ''],
    ['{{#each names}}{{id this}} {{/each}}', { names: ['a', 'b'] }, '"a" "b" '],
    ['{{#each of}}{{../a}}{{id ../b}}{{/each}}', { a: 1, b: 'x', of: [0] }, '1"x"'],
    [
      '{{#each a}}{{#each b}}{{../x}}{{../../y}}{{/each}}{{/each}}',
      { y: 'y', a: [{ x: 'x', b: [0] }] },
      'xy',
    ],
    ['{{#if key}}{{key.name}}{{else}}none{{/if}}', { key: null }, 'none'],
    ['{{#if key}}{{key.name}}{{else}}none{{/if}}', { key: { name: 'pk' } }, 'pk'],
    ['{{#if is}}yes{{/if}}', { is: false }, ''],
    ['{{#unless is}}no{{else}}yes{{/unless}}', { is: true }, 'yes'],
  ])('renders %s with %j', (source, view, text) => {
    expect(render(source, view)).toBe(text);
  });
});

describe('a template with an unknown name', () => {
  it.each([
    ['{{nam}}', { name: 'a' }],
    ['{{key.nam}}', { key: {} }],
    ['{{id nam}}', { name: 'a' }],
    ['{{literal nam}}', { name: 'a' }],
    ['{{literal (id nam)}}', { name: 'a' }],
    ['{{#if nam}}x{{/if}}', {}],
    ['{{#unless nam}}x{{/unless}}', {}],
    ['{{#each nam}}x{{/each}}', {}],
    ['{{#each of}}{{id ../nam}}{{/each}}', { of: [1] }],
    ['{{#each of}}{{../nam}}{{/each}}', { of: [1] }],
    ['{{#each of}}{{nam}}{{/each}}', { nam: 'of the view, not of the item', of: [{}] }],
    ['{{nam.nam}}', {}],
  ])('is refused with the names of its file and of the value: %s with %j', (source, view) => {
    expect(() => render(source, view)).toThrow(
      /^actor\.sql\.hbs: "(\.\.\/|key\.)?nam" not defined/,
    );
  });
});

it.each([
  ['{{id name}}', { name: null }, 'actor.sql.hbs: "name" is no text'],
  ['{{id name}}', { name: 1 }, 'actor.sql.hbs: "name" is no text'],
  ['{{#each name}}x{{/each}}', { name: 'abc' }, 'actor.sql.hbs: "name" is no list'],
  ['{{upper name}}', { name: 'a' }, 'unknown helper upper'],
])('refuses %s with %j', (source, view, message) => {
  expect(() => render(source, view)).toThrow(message);
});

it('prints LF for a template with CRLF line endings', () => {
  const source = '{{!-- View: V --}}\r\n{{#if is}}\r\nSELECT 1;\r\n{{/if}}\r\n';
  expect(render(source, { is: true })).toBe('SELECT 1;\n');
});
