import { buildGeneratedFile } from '@cdc-migrations/generated-file';
import * as v from 'valibot';
import {
  FileError,
  parseGenerated,
  renderGenerated,
  type GeneratedKind,
} from './parse-generated.ts';
import type { EntriesOf } from './parse-shape.ts';
import { flag, integer, text } from './scalars.ts';

interface Owners {
  readonly teamName: string;
  readonly onCall?: boolean;
  readonly lead: { readonly name: string } | null;
  readonly systems: readonly System[];
}

interface System {
  readonly name: string;
  readonly rows?: number;
}

const schema = v.strictObject({
  teamName: text('the name of a team'),
  onCall: v.exactOptional(flag()),
  lead: v.nullable(v.strictObject({ name: text('the name of a person') })),
  systems: v.array(
    v.strictObject({
      name: text('the name of a system'),
      rows: v.exactOptional(integer(0)),
    } satisfies EntriesOf<System>),
    'expected a list of systems',
  ),
} satisfies EntriesOf<Owners>);

const OWNERS: GeneratedKind<Owners> = {
  what: 'a file of owners',
  schema,
  command: 'npm run owners',
};

const CONTENT: Owners = {
  teamName: 'crm',
  onCall: true,
  lead: null,
  systems: [{ name: 'a' }, { name: 'b', rows: 3 }],
};
const BODY = renderGenerated(OWNERS, CONTENT);
const PATH = 'generated/owners.yaml';
const REMEDY = `${PATH}: npm run owners --force generates it again, and git has the committed version`;

function refusalOf(body: string, kind = OWNERS): FileError {
  try {
    parseGenerated(kind, body, PATH);
  } catch (error) {
    if (error instanceof FileError) return error;
    throw error;
  }
  throw new Error('was accepted');
}

it('reads back what it wrote, with keys in snake case', () => {
  expect(BODY).toBe(`format: 1
team_name: "crm"
on_call: true
lead: null
systems:
  - {"name": "a"}
  - {"name": "b", "rows": 3}
`);
  expect(parseGenerated(OWNERS, BODY, PATH)).toStrictEqual(CONTENT);
  const { onCall, ...rest } = CONTENT;
  expect(onCall).toBe(true);
  expect(parseGenerated(OWNERS, renderGenerated(OWNERS, rest), PATH)).toStrictEqual(rest);
});

it.each([
  ['an empty file', '', `${PATH}: expected a file of owners, found nothing`],
  ['a text', 'hello', `${PATH}: expected a file of owners, found "hello"`],
  ['a list', '- a', `${PATH}: expected a file of owners, found a list`],
  [
    'a key in camel case',
    BODY.replace('team_name', 'teamName'),
    /: unknown key "teamName"; .*; did you mean "team_name"\?$/m,
  ],
  [
    'a wrong type',
    BODY.replace('"crm"', '7'),
    `${PATH} team_name: expected the name of a team, found 7`,
  ],
  [
    'null instead of a text',
    BODY.replace('"crm"', 'null'),
    `${PATH}: missing key "team_name"; expected the name of a team`,
  ],
  [
    'an item that is not a mapping',
    BODY.replace('{"name": "a"}', '1'),
    /systems\.0: expected a mapping with the keys name, rows, found 1$/m,
  ],
  [
    'a negative number, in an item identified by its name,',
    BODY.replace('3}', '-3}'),
    `${PATH} systems.b.rows: expected a whole number of at least 0, found -3`,
  ],
  [
    'a fraction',
    BODY.replace('3}', '3.5}'),
    /systems\.b\.rows: expected a whole number of at least 0, found 3\.5$/m,
  ],
  [
    'a huge number',
    BODY.replace('3}', '1e999}'),
    /systems\.b\.rows: expected a whole number of at least 0, found Infinity$/m,
  ],
  ['broken YAML', BODY.replace('"crm"', '"crm'), /^generated\/owners\.yaml:\d+: invalid YAML: /],
  ['a duplicate key', `${BODY}lead: null\n`, /:8: invalid YAML: duplicated mapping key$/m],
  [
    'a key of Object.prototype',
    `${BODY}constructor: 1\n__proto__: { a: 1 }\n`,
    /unknown key "constructor"[^\n]*\n[^\n]*unknown key "__proto__"/,
  ],
  [
    'a list that contains itself',
    `${BODY}x: &x [*x]\n`,
    `${PATH}: expected at most 100 levels, found more`,
  ],
])('%s is refused with a remedy', (_what, body, problem) => {
  const { message } = refusalOf(body);
  expect(message).toEqual(
    typeof problem === 'string' ? `${problem}\n${REMEDY}` : expect.stringMatching(problem),
  );
  expect(message.split('\n').at(-1)).toBe(REMEDY);
});

it('aliases that expand to billions of values are refused', () => {
  const lines = Array.from({ length: 30 }, (_, level) =>
    level === 0 ? 'a0: &a0 [x]' : `a${level}: &a${level} [*a${level - 1}, *a${level - 1}]`,
  );
  const { message } = refusalOf(`${BODY}${lines.join('\n')}\n`);
  expect(message).toContain('expected at most 1,000,000 values, with all aliases, found more');
});

it.each(['<<<<<<< HEAD', '=======', '>>>>>>> 29adf32 (a commit)', '||||||| base'])(
  'a git conflict marker is reported: %s',
  (mark) => {
    for (const end of ['\n', '\r\n']) {
      const body = BODY.replace('on_call', `${mark}${end}on_call`);
      expect(refusalOf(body).message).toBe(
        `${PATH}:3: expected no git conflict markers, found "${mark.slice(0, 7)}"\n${REMEDY}`,
      );
    }
  },
);

it.each([
  [undefined, 'none, as in files of versions before 0.1', 'npm run owners updates it'],
  [2, '2, written by a newer version', 'install that version of cdc-migrations'],
  [0, '0', 'npm run owners --force generates it again'],
  ['"1"', '"1"', 'npm run owners --force generates it again'],
])('another format is reported with a remedy: %s', (format, found, remedy) => {
  const body = BODY.replace('format: 1\n', format === undefined ? '' : `format: ${format}\n`);
  expect(refusalOf(body)).toMatchObject({
    isEdited: false,
    message: `${PATH} format: expected a file of owners of format 1, found ${found}\n${PATH}: ${remedy}`,
  });
});

it('a hand-written file can omit the format, and another format is refused', () => {
  const kind = { ...OWNERS, isHandWritten: true } as const;
  expect(parseGenerated(kind, BODY.replace('format: 1\n', ''), PATH)).toStrictEqual(CONTENT);
  expect(refusalOf(BODY.replace('format: 1', 'format: 2'), kind).message).toContain(
    'newer version',
  );
});

it('sets isEdited only for a file whose checksum does not match', () => {
  const { text: written } = buildGeneratedFile(PATH, {}, BODY.replace('crm', ''));
  expect(refusalOf(written).isEdited).toBe(false);
  expect(refusalOf(written.replace('"name": "a"', '"nam": "a"')).isEdited).toBe(true);
});

it('lists only the first 50 of 1000 problems', () => {
  const systems = Array.from({ length: 1000 }, () => '  - 1\n').join('');
  const { message, problems } = refusalOf(BODY.replace('systems:\n', `systems:\n${systems}`));
  expect(problems).toHaveLength(1000);
  expect(message.split('\n')).toHaveLength(52);
  expect(message).toContain(`${PATH}: and 950 more\n`);
});

describe('a kind in JSON', () => {
  const PLAN: GeneratedKind<Owners> = { ...OWNERS, syntax: 'json', remedy: 'write it again' };
  const owners: Owners = { teamName: 'a', lead: null, systems: [{ name: 'b', rows: 1 }] };

  it('is read back unchanged', () => {
    const text = renderGenerated(PLAN, owners);
    expect(JSON.parse(text)).toMatchObject({ format: 1, team_name: 'a' });
    expect(parseGenerated(PLAN, text, 'plan.json')).toEqual(owners);
  });

  it.each([
    ['{', /^plan\.json: invalid JSON: .*\nplan\.json: write it again$/],
    ['{}', /^plan\.json format: expected .* of format 1, found none\nplan\.json: write it again$/],
    ['{"format": 2}', /found 2, written by a newer version\nplan\.json: install that version/],
    ['{"format": 1}', /missing key "team_name"[^]*\nplan\.json: write it again$/],
  ])('reports the problem in %s with a remedy', (text, message) => {
    expect(() => parseGenerated(PLAN, text, 'plan.json')).toThrow(message);
  });
});
