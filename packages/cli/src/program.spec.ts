import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cdc, generate } from './cdc.fixture.ts';
import { changesSince, copyOf, edit, emptyFolder, smallRepo, treeOf } from './repo.fixture.ts';

let done: string;
let root: string;

beforeAll(() => {
  done = smallRepo();
  expect(generate(done).code).toBe(0);
});

beforeEach(() => {
  root = copyOf(done);
});

describe('help', () => {
  const helpOf = (...args: string[]) => cdc(args, { cwd: root });

  it.each([
    [['--help'], ['help']],
    [
      ['manage-migrations', '--help'],
      ['help', 'manage-migrations'],
    ],
    [
      ['manage-migrations', 'generate', '--help'],
      ['manage-migrations', 'help', 'generate'],
    ],
    [
      ['manage-migrations', 'generate', '--help'],
      ['help', 'generate'],
    ],
  ])('%j prints the same as %j', (option, command) => {
    const help = helpOf(...option);
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(helpOf(...command)).toEqual(help);
    // Every command and option has a description.
    for (const line of help.stdout.split('\n').filter((text) => /^ {2}(?:-|[a-z])/.test(text))) {
      expect(line).toMatch(/^ {2}\S.*? {2,}\S/);
    }
  });

  it('of generate lists options, exit codes and variables', () => {
    const { stdout } = helpOf('manage-migrations', 'generate', '--help');
    for (const word of [
      ...['--service', '--table', '--only', '--dry-run', '--check', '--force', '--json', '--root'],
      ...['CDC_DB_USER', 'Exit codes', '"table-defs", "schemas", "infrastructure"'],
    ]) {
      expect(stdout).toContain(word);
    }
  });

  it('is shown if a command is missing, with exit code 2', () => {
    expect(helpOf()).toEqual({ code: 2, stdout: '', stderr: helpOf('--help').stdout });
    const { stdout } = helpOf('manage-migrations', '--help');
    expect(helpOf('manage-migrations')).toEqual({ code: 2, stdout: '', stderr: stdout });
  });
});

const HELP_OF_ALL = [
  ...['init', 'completions', 'manage-pipelines generate', 'manage-pipelines check'],
  ...['generate', 'diff', 'schema-docs', 'apply', 'status', 'check', 'verify', 'baseline', 'merge'],
  ...['dead-letters list', 'dead-letters show', 'dead-letters replay', 'dead-letters discard'],
  ...[
    'metrics',
    'report',
    'monitoring alerts',
    'monitoring dashboard',
    'enable-cdc',
    'clean-cdc',
    'types',
    'retire',
    'rename',
  ],
];

it.each(HELP_OF_ALL)('the examples in the help of %s use only its options', (command) => {
  const { stdout, code } = cdc([...command.split(' '), '--help'], { cwd: root });
  expect(code).toBe(0);
  const examples = stdout.split('Examples:\n')[1]!.split('\n\n')[0]!;
  expect(examples).toContain(`cdc `);
  for (const [option] of examples.matchAll(/--[a-z][a-z-]*/g)) {
    expect(stdout.split('Examples:')[0]).toContain(option);
  }
  if (!command.startsWith('monitoring')) expect(stdout).toMatch(/\nExit codes:\n {2}0 {2}/);
});

describe('cdc <command>', () => {
  it('is short for cdc manage-migrations <command>', () => {
    const long = cdc(['manage-migrations', 'generate', '--check'], { cwd: root });
    expect(cdc(['generate', '--check'], { cwd: root })).toEqual(long);
    expect(long.code).toBe(0);
  });

  it.each([
    [['aply'], "error: unknown command 'aply'\n(Did you mean apply?)"],
    [['inti'], "error: unknown command 'inti'\n(Did you mean init?)"],
    [['nothing-like-it'], "error: unknown command 'nothing-like-it'\n(--help"],
    [['apply', '--envv', 'prod'], "error: unknown option '--envv'\n(Did you mean --env?)"],
    [
      ['apply'],
      "error: required option '--env' not specified; expected an environment of sink-groups.yaml, or embedded\n",
    ],
  ])('refuses %j and reports the mistake', (args, message) => {
    const run = cdc(args, { cwd: root });
    expect(run).toMatchObject({ code: 2, stdout: '' });
    expect(run.stderr).toContain(message);
  });
});

it.each(['--version', '-V'])('%s prints the version of the package', (option) => {
  const { version } = JSON.parse(readFileSync(join(__dirname, '../package.json'), 'utf8'));
  expect(cdc([option], { cwd: root })).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
});

describe('invalid arguments cause exit code 2 and no changes', () => {
  it.each([
    [
      ['--only', 'table'],
      "option '--only <stage>' argument 'table' is invalid. Allowed choices are",
    ],
    [['--only'], "option '--only <stage>' argument missing"],
    [['--table'], "option '--table <name...>' argument missing"],
    [['--tabel', 'Actor'], "unknown option '--tabel'\n(Did you mean --table?)"],
    [['--root'], "option '--root <folder>' argument missing"],
    [['Actor'], 'too many arguments'],
    [['--check', '--dry-run'], "option '--check' cannot be used with option '--dry-run'"],
    [['--check', '--force'], "option '--check' cannot be used with option '--force'"],
  ])('for %j', (args, message) => {
    edit(root, 'services/adopus.yaml', '[Døv]', '[]');
    const before = treeOf(root);
    const run = generate(root, args);
    expect(run).toMatchObject({ code: 2, stdout: '' });
    expect(run.stderr).toContain(message);
    expect(changesSince(before, root)).toEqual([]);
  });

  it('for an unknown command', () => {
    expect(cdc(['manage-migration'], { cwd: root })).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('(Did you mean manage-migrations?)'),
    });
  });
});

describe('the implementation repo', () => {
  it('is the one that contains the working directory', () => {
    edit(root, 'services/adopus.yaml', '[Døv]', '[]');
    const before = treeOf(root);
    expect(generate(join(root, 'migrations/tables')).code).toBe(0);
    expect(changesSince(before, root)).toContain('~ migrations/tables/Actor.sql');
    expect(generate(root, ['--check']).code).toBe(0);
  });

  it('is the one of --root, before or after the command, relative to the working directory', () => {
    const elsewhere = emptyFolder();
    const relative = join('..', root.split('/').at(-1)!);
    for (const path of [root, `${root}/`, relative]) {
      const args = ['manage-migrations', 'generate', '--root', path];
      expect(cdc(args, { cwd: elsewhere })).toMatchObject({
        code: 0,
        stdout: '15 files: 15 unchanged\n',
      });
    }
    const before = ['manage-migrations', '--root', root, 'generate', '--check'];
    expect(cdc(before, { cwd: elsewhere }).code).toBe(0);
    expect(treeOf(elsewhere).size).toBe(0);
  });

  it('is refused if the folder has no source-groups.yaml', () => {
    const elsewhere = emptyFolder();
    expect(generate(elsewhere)).toEqual({
      code: 2,
      stdout: '',
      stderr:
        `no source-groups.yaml in ${elsewhere} or its parent folders; ` +
        'run this in an implementation repo, select one with --root, or create one with cdc init\n',
    });
    for (const path of ['services', 'nowhere', 'sink-groups.yaml']) {
      expect(generate(root, ['--root', path])).toEqual({
        code: 2,
        stdout: '',
        stderr: `--root ${path}: there is no source-groups.yaml in this folder; cdc init creates an implementation repo\n`,
      });
    }
  });
});
