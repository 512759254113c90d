import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cdc, generate } from './cdc.fixture.ts';
import {
  changesSince,
  copyOf,
  edit,
  emptyFolder,
  read,
  smallRepo,
  treeOf,
  write,
} from './repo.fixture.ts';

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
  ])('%j is %j', (option, command) => {
    const help = helpOf(...option);
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(helpOf(...command)).toEqual(help);
    // Every command and option is explained.
    for (const line of help.stdout.split('\n').filter((text) => /^ {2}(?:-|[a-z])/.test(text))) {
      expect(line).toMatch(/^ {2}\S.*? {2,}\S/);
    }
  });

  it('of generate names every option, exit code and variable', () => {
    const { stdout } = helpOf('manage-migrations', 'generate', '--help');
    for (const word of [
      ...['--service', '--table', '--only', '--dry-run', '--check', '--force', '--json', '--root'],
      ...['CDC_DB_USER', 'Exit codes', '"table-defs", "schemas", "infrastructure"'],
    ]) {
      expect(stdout).toContain(word);
    }
  });

  it('is shown where a command is missing, with exit code 2', () => {
    expect(helpOf()).toEqual({ code: 2, stdout: '', stderr: helpOf('--help').stdout });
    const { stdout } = helpOf('manage-migrations', '--help');
    expect(helpOf('manage-migrations')).toEqual({ code: 2, stdout: '', stderr: stdout });
  });
});

it.each(['--version', '-V'])('%s prints the version of the package', (option) => {
  const { version } = JSON.parse(readFileSync(join(__dirname, '../package.json'), 'utf8'));
  expect(cdc([option], { cwd: root })).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
});

describe('an option that is wrong exits 2 and writes nothing', () => {
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
  ])('%j', (args, message) => {
    edit(root, 'services/adopus.yaml', '[Døv]', '[]');
    const before = treeOf(root);
    const run = generate(root, args);
    expect(run).toMatchObject({ code: 2, stdout: '' });
    expect(run.stderr).toContain(message);
    expect(changesSince(before, root)).toEqual([]);
  });

  it('an unknown command', () => {
    expect(cdc(['manage-migration'], { cwd: root })).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('(Did you mean manage-migrations?)'),
    });
  });
});

describe('the implementation repo', () => {
  it('is the one that holds the working directory', () => {
    edit(root, 'services/adopus.yaml', '[Døv]', '[]');
    const before = treeOf(root);
    expect(generate(join(root, 'migrations/tables')).code).toBe(0);
    expect(changesSince(before, root)).toContain('~ migrations/tables/Actor.sql');
    expect(generate(root, ['--check']).code).toBe(0);
  });

  it('is the one of --root, before or behind the command, from where you are', () => {
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

  it('has to be somewhere', () => {
    const elsewhere = emptyFolder();
    expect(generate(elsewhere)).toEqual({
      code: 2,
      stdout: '',
      stderr:
        `no source-groups.yaml in ${elsewhere} or above it; ` +
        'run this in an implementation repo or name one with --root\n',
    });
    for (const path of ['services', 'nowhere', 'sink-groups.yaml']) {
      expect(generate(root, ['--root', path])).toEqual({
        code: 2,
        stdout: '',
        stderr: `--root ${path}: there is no source-groups.yaml in this folder\n`,
      });
    }
  });
});

describe('--json', () => {
  it('is one document on standard output, and warnings are on standard error too', () => {
    edit(root, 'services/adopus.yaml', '[Døv]', '[]');
    const run = generate(root, ['--json']);
    expect(run.code).toBe(0);
    const { files, ...rest } = JSON.parse(run.stdout);
    expect(run.stderr).toBe(`warning: ${rest.warnings[0]}\n`);
    expect(rest).toEqual({
      exitCode: 0,
      written: true,
      warnings: [expect.stringContaining('dbo.Region has no key')],
      errors: [],
    });
    expect(files.length).toBe(15);
    expect(files).toContainEqual({ path: 'migrations/tables/Actor.sql', action: 'change' });
    expect(files).toContainEqual({ path: 'migrations/tables/Fraver.sql', action: 'keep' });
  });

  it('tells --check and --dry-run the exit code and that nothing was written', () => {
    edit(root, 'services/adopus.yaml', '[Døv]', '[]');
    const before = treeOf(root);
    const check = generate(root, ['--json', '--check']);
    expect([check.code, JSON.parse(check.stdout)]).toMatchObject([
      1,
      { exitCode: 1, written: false },
    ]);
    const dryRun = generate(root, ['--json', '--dry-run']);
    expect([dryRun.code, JSON.parse(dryRun.stdout)]).toMatchObject([
      0,
      { exitCode: 0, written: false },
    ]);
    expect(changesSince(before, root)).toEqual([]);
  });

  it('names files in the way', () => {
    edit(root, 'migrations/tables/Actor.sql', 'CREATE', 'DROP');
    const run = generate(root, ['--json']);
    expect([run.code, JSON.parse(run.stdout)]).toMatchObject([
      6,
      {
        exitCode: 6,
        written: false,
        files: expect.arrayContaining([{ path: 'migrations/tables/Actor.sql', action: 'edited' }]),
        errors: [expect.stringMatching(/^migrations\/tables\/Actor.sql: this generated file/)],
      },
    ]);
  });

  it.each([
    [['--table', 'X'], 'there is no table "X"'],
    [['--only', 'X'], "argument 'X' is invalid"],
  ])('holds the errors of %j', (args, message) => {
    const run = generate(root, ['--json', ...args]);
    expect([run.code, JSON.parse(run.stdout)]).toEqual([
      2,
      { exitCode: 2, errors: [expect.stringContaining(message)] },
    ]);
    expect(run.stderr).toContain(message);
  });

  it('holds each mistake of the configuration', () => {
    edit(root, 'services/adopus.yaml', 'from: dbo.Actor', 'from: dbo.A');
    edit(root, 'services/adopus.yaml', 'from: dbo.Region', 'from: dbo.R');
    const run = generate(root, ['--json']);
    expect(JSON.parse(run.stdout).errors).toEqual([
      expect.stringMatching(/^services\/adopus\.yaml:14 .*"dbo\.A" is not in source\.tables/),
      expect.stringMatching(/^services\/adopus\.yaml:21 .*"dbo\.R" is not in source\.tables/),
    ]);
  });
});

it('a reader that went away is no failure', () => {
  const bin = join(__dirname, '../bin/cdc.js');
  const command = `"${process.execPath}" "${bin}" manage-migrations generate --json | true`;
  const { stderr } = spawnSync('sh', ['-c', command], { cwd: root, encoding: 'utf8' });
  expect(stderr).toMatch(/^warning: .*\n$/);
});

describe('CDC_DB_USER', () => {
  const roles = (env: Readonly<Record<string, string>>) => generate(root, [], env);

  it.each([
    ['', 'is empty'],
    ['  ', 'is empty'],
    ['cdc\npostgres', 'is not one line of text'],
    ['public', 'is public, which is no role in PostgreSQL'],
    ['none', 'is none, which is no role in PostgreSQL'],
    ['cdc_{{SCHEMA}}', 'holds {{, which stands for schemas in the SQL'],
    ['é'.repeat(32), 'has 64 bytes, and a role at most 63'],
  ])('cannot be %j', (role, fault) => {
    const before = treeOf(root);
    expect(roles({ CDC_DB_USER: role })).toEqual({
      code: 2,
      stdout: '',
      stderr: `CDC_DB_USER ${fault}; set it to the name of a PostgreSQL role or unset it\n`,
    });
    expect(changesSince(before, root)).toEqual([]);
  });

  it.each([
    ['o"brien', '"o""brien"', `'o"brien'`],
    ["o'brien", `"o'brien"`, `'o''brien'`],
    ['svc$', '"svc$"', `'svc$'`],
    ['é'.repeat(31), `"${'é'.repeat(31)}"`, `'${'é'.repeat(31)}'`],
  ])('%s is quoted wherever it is granted to', (role, identifier, literal) => {
    expect(roles({ CDC_DB_USER: role }).code).toBe(0);
    expect(read(root, 'migrations/schemas/create-schemas.sql')).toContain(`rolname = ${literal}`);
    const granted = [...treeOf(root).keys()]
      .filter((path) => path.endsWith('.sql'))
      .flatMap((path) => read(root, path).match(/^(?:.* )?TO ".*$/gm) ?? []);
    expect(granted.length).toBeGreaterThan(5);
    for (const line of granted) expect(line.endsWith(`TO ${identifier};`)).toBe(true);
  });

  it('does not end the block that looks for it', () => {
    expect(roles({ CDC_DB_USER: 'a$role$b' }).code).toBe(0);
    const text = read(root, 'migrations/schemas/create-schemas.sql');
    const [, tag, body] = /^DO (\$\w+\$)\n([^]*?)\n\1;$/m.exec(text) ?? [];
    expect(tag).not.toBe('$role$');
    expect(body).toContain(`rolname = 'a$role$b'`);
  });

  it('changes no definition, no final table and no set', () => {
    const before = treeOf(root);
    expect(roles({ CDC_DB_USER: 'cdc' }).code).toBe(0);
    expect(changesSince(before, root)).toEqual([
      '~ migrations/infrastructure/cdc-management.sql',
      '~ migrations/manifest.yaml',
      '~ migrations/schemas/create-schemas.sql',
      '~ migrations/staging/Actor-staging.sql',
      '~ migrations/staging/Fraver-staging.sql',
      '~ migrations/staging/Region-staging.sql',
    ]);
  });
});
