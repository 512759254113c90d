import { buildGeneratedFile, bodyOf } from '@cdc-migrations/generated-file';
import { cdc, generate } from '../cdc.fixture.ts';
import { changesSince, copyOf, edit, read, smallRepo, treeOf, write } from '../repo.fixture.ts';

const DEFINITION = 'generated/table-definitions/Actor.yaml';
const MANIFEST = 'migrations/manifest.yaml';
const SETS = 'generated/migration-sets.yaml';
const SNAPSHOT = 'generated/schemas/AdOpusTest.dbo.yaml';
const MANUAL = 'migrations/manual/0001-first.sql';
const TABLE = 'migrations/tables/Actor.sql';

let done: string;
let root: string;
beforeAll(() => {
  done = smallRepo();
  write(done, MANUAL, 'SELECT 1;\n');
  expect(generate(done).code).toBe(0);
});
beforeEach(() => {
  root = copyOf(done);
});

const run = (...args: readonly string[]) =>
  cdc(['manage-migrations', ...args], { cwd: root, env: { POSTGRES_PASSWORD: 'x' } });
const ENV = ['--env', 'nonprod'];

/** Writes both sides of a conflict into the first line after the header. */
function leaveConflict(path: string): void {
  const text = read(root, path);
  const at = text.indexOf('\n\n') < 0 ? 0 : text.indexOf('\n\n') + 2;
  const line = text.slice(at, text.indexOf('\n', at) + 1);
  const sides = `<<<<<<< HEAD\n${line}=======\n${line}>>>>>>> other\n`;
  write(root, path, text.slice(0, at) + sides + text.slice(at + line.length));
}

/** Changes the body of a generated file and updates its checksum. */
function rewrite(path: string, before: string, after: string): void {
  edit(root, path, before, after);
  write(root, path, buildGeneratedFile(path, {}, bodyOf(read(root, path))).text);
}

describe('a git conflict', () => {
  it.each([
    ['source-groups.yaml', 2, ['generate', 'diff', 'status'], /resolve it$/m],
    ['sink-groups.yaml', 2, ['generate', 'diff', 'types', 'status'], /resolve it$/m],
    ['services/adopus.yaml', 2, ['generate', 'diff', 'types', 'status'], /resolve it$/m],
    ['services/_schemas/column-templates.yaml', 2, ['generate', 'diff'], /resolve it$/m],
    [
      SNAPSHOT,
      2,
      ['generate', 'diff', 'types'],
      /schema-docs --force generates it again, and git has/,
    ],
    [DEFINITION, 6, ['generate', 'diff', 'status'], /--force (overwrites it|rewrites all files)/],
    [SETS, 6, ['generate', 'status'], /--force (overwrites it|rewrites all files)/],
    [MANIFEST, 6, ['generate', 'status', 'apply'], /--force (overwrites it|generates it again)/],
    [TABLE, 6, ['generate', 'status', 'apply'], /--force (overwrites it|generates it again)/],
    [MANUAL, 2, ['generate', 'apply'], /resolve it$/m],
  ])('is reported in %s with its line and the solution', (path, code, commands, solution) => {
    leaveConflict(path);
    const before = treeOf(root);
    for (const command of commands) {
      const offline = command === 'status' ? ['--offline'] : [];
      const env = ['status', 'apply'].includes(command) ? ENV : [];
      const found = run(command, ...env, ...offline);
      const output = found.stderr + found.stdout;
      expect({ command, code: found.code }).toEqual({ command, code });
      expect(output).toMatch(`${path}:`);
      expect(output).toMatch(/:\d+: expected no git conflict markers, found "<<<<<<<"/);
      expect(output).toMatch(solution);
      expect(changesSince(before, root)).toEqual([]);
    }
  });

  it('is overwritten in generated files by generate --force', () => {
    const before = treeOf(root);
    for (const path of [DEFINITION, SETS, MANIFEST, TABLE]) leaveConflict(path);
    expect(generate(root, ['--force']).code).toBe(0);
    expect(changesSince(before, root)).toEqual([]);
  });
});

describe('files of another format', () => {
  it.each([
    [
      'format: 1\n',
      '',
      /expected .* of format 1, found none, as in files of versions before 0\.1$/m,
      /generate updates it$/m,
    ],
    [
      'format: 1',
      'format: 2',
      /expected .* of format 1, found 2, written by a newer version$/m,
      /install that version/,
    ],
  ])('are refused by later stages and updated by generate: %j', (from, to, found, solution) => {
    const before = treeOf(root);
    for (const [path, commands] of [
      [DEFINITION, [['diff'], ['status', ...ENV, '--offline'], ['apply', ...ENV]]],
      [
        SETS,
        [
          ['status', ...ENV, '--offline'],
          ['check', ...ENV],
        ],
      ],
      [
        MANIFEST,
        [
          ['status', ...ENV, '--offline'],
          ['apply', ...ENV],
          ['generate', '--table', 'Actor'],
        ],
      ],
    ] as const) {
      rewrite(path, from, to);
      for (const command of commands) {
        const { code, stderr } = run(...command);
        expect({ path, command, code }).toEqual({ path, command, code: 2 });
        expect(stderr).toMatch(`${path} format: `);
        expect(stderr).toMatch(found);
        expect(stderr).toMatch(solution);
      }
      if (path !== MANIFEST) expect(generate(root).code).toBe(0);
    }
    for (const path of [DEFINITION, SETS]) rewrite(path, from, to);
    expect(generate(root).code).toBe(0);
    expect(changesSince(before, root)).toEqual([]);
  });
});

it('refuses a manifest without a key, and reports an invalid category in an edited manifest', () => {
  rewrite(MANIFEST, 'role: "postgres"\n', '');
  expect(run('status', ...ENV, '--offline')).toMatchObject({
    code: 2,
    stderr: `${MANIFEST}: missing key "role"; expected the name of a role
${MANIFEST}: cdc manage-migrations generate --force generates it again, and git has the committed version
`,
  });
  edit(root, MANIFEST, '"category": "manual"', '"category": "functions"');
  const { code, stderr } = run('apply', ...ENV);
  expect(code).toBe(6);
  expect(stderr).toContain('files.0001-first.category: expected one of schemas, ');
});

describe('a manual file', () => {
  const FOUND = 'expected SQL that PostgreSQL runs by itself, found';
  it.each([
    ['COPY public.x FROM STDIN;\n1\n\\.\n', `1: ${FOUND} COPY FROM STDIN`],
    ['SELECT 1;\nCOPY public.x TO STDOUT;\n', `2: ${FOUND} COPY TO STDOUT`],
    ['SELECT 1;\n\\! touch /tmp/mark\n', `2: ${FOUND} a command of psql`],
    [
      'SELECT 1;\n-- \u202e ;x PORD \u2066\n',
      "2: expected \\u202e to be written as an escape in E'…' or removed, found the character itself",
    ],
  ])('is refused with the line of the problem: %j', (text, message) => {
    write(root, MANUAL, text);
    const { code, stderr } = generate(root);
    expect([code, stderr]).toEqual([2, expect.stringContaining(`${MANUAL}:${message}`)]);
  });
});
