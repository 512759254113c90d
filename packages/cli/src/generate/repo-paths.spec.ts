import { existsSync, mkdirSync, renameSync, symlinkSync } from 'node:fs';
import { join, relative } from 'node:path';
import { buildGeneratedFile } from '@cdc-migrations/generated-file';
import { cdc, cdcHere, generate } from '../cdc.fixture.ts';
import {
  changesSince,
  copyOf,
  edit,
  emptyFolder,
  read,
  smallRepo,
  treeOf,
  write,
} from '../repo.fixture.ts';

/** Content of the files outside of the repo, which must not be printed. */
const SECRET = 'root-x-0-0-secret';

let done: string;
let root: string;
let outside: string;
beforeAll(() => {
  done = smallRepo();
  write(done, 'migrations/manual/0001-first.sql', 'SELECT 1;\n');
  expect(generate(done).code).toBe(0);
});
beforeEach(() => {
  const parent = emptyFolder();
  root = join(parent, 'repo');
  renameSync(copyOf(done), root);
  outside = join(parent, 'outside');
  write(outside, 'secret.yaml', `${SECRET}: true\n`);
  write(outside, 'secret.sql', `SELECT '${SECRET}';\n`);
});

/** Moves a path of the repo out of it and leaves a link to it. */
function moveOut(path: string): void {
  renameSync(join(root, path), join(outside, 'moved'));
  link(path, 'moved');
}

/** Replaces a path of the repo by a link to something outside. */
function link(path: string, target: string): void {
  if (existsSync(join(root, path))) renameSync(join(root, path), join(outside, 'before'));
  symlinkSync(relative(join(root, path, '..'), join(outside, target)), join(root, path));
}

/** Changes a generated file and updates its checksum. */
function forge(path: string, before: string, after: string): void {
  edit(root, path, before, after);
  const body = read(root, path).replace(/^(?:#.*\n)+\n/, '');
  write(root, path, buildGeneratedFile(path, {}, body).text);
}

const ENV = ['--env', 'nonprod'];
const SERVER = { POSTGRES_PASSWORD: 'secret', MSSQL_PASSWORD: 'secret' };

/** All commands that read or write files of a repo. None of their servers exists. */
const COMMANDS: readonly (readonly string[])[] = [
  ['schema-docs', ...ENV, '--if-changed'],
  ['diff', '--scaffold-manual'],
  ...['apply', 'status', 'check'].map((command) => [command, ...ENV]),
  ['enable-cdc', ...ENV, '--all', '--emit-sql'],
  ['generate', '--check'],
  ['generate', '--only', 'tables', '--force'],
  ['generate', '--only', 'migrations', '--force'],
  ['generate', '--force'],
];

interface Attack {
  readonly arrange: () => void;
  /** Expected error of these commands. */
  readonly message: RegExp;
  /** Commands that must report this error. */
  readonly commands: readonly string[];
}

/** Errors of a target begin with its name. */
const PREFIX = '(sink_asma\\.directory in nonprod: )?';

const FOUND_LINK = 'expected a file or folder in the repo itself, found a link';

function linked(path: string, ...commands: readonly string[]): Attack {
  return {
    arrange: () => moveOut(path),
    message: new RegExp(
      `^${PREFIX}${path}[^:\\n]*: expected [^\\n]+, found a link( at ${path})?`,
      'm',
    ),
    commands,
  };
}

const MANIFEST = 'migrations/manifest.yaml';

function listed(path: string): Attack {
  return {
    arrange: () => forge(MANIFEST, '"manual/0001-first.sql"', JSON.stringify(path)),
    message:
      /^(sink_asma\.directory in nonprod: )?migrations\/.*: expected a path within the repo/m,
    commands: ['apply', 'status', 'check'],
  };
}

const ATTACKS: Readonly<Record<string, Attack>> = {
  'migrations is a link': linked('migrations', 'generate', 'apply', 'status', 'check'),
  'migrations/tables is a link': linked('migrations/tables', 'generate', 'apply', 'status'),
  'migrations/manual is a link': linked('migrations/manual', 'generate', 'apply', 'status'),
  'generated is a link': linked('generated', 'generate', 'diff', 'apply', 'schema-docs'),
  'generated/schemas is a link': linked('generated/schemas', 'generate', 'diff'),
  'generated/table-definitions is a link': linked(
    'generated/table-definitions',
    ...['generate', 'diff', 'apply', 'status'],
  ),
  'generated/migration-sets.yaml is a link': linked('generated/migration-sets.yaml', 'apply'),
  'services is a link': linked('services', 'generate', 'apply', 'schema-docs', 'enable-cdc'),
  'services/adopus.yaml is a link': linked('services/adopus.yaml', 'generate', 'apply'),
  'the templates are a link': linked('services/_schemas/column-templates.yaml', 'generate'),
  'source-groups.yaml is a link': linked('source-groups.yaml', 'generate', 'apply', 'diff'),
  'sink-groups.yaml is a link': linked('sink-groups.yaml', 'generate', 'apply'),
  'a table file is a link': linked('migrations/tables/Actor.sql', 'generate', 'apply', 'status'),
  'the manifest is a link': linked(MANIFEST, 'generate', 'apply', 'status'),
  'a manual file is a link': linked('migrations/manual/0001-first.sql', 'generate', 'apply'),
  'a manual file is a link to a secret': {
    arrange: () => link('migrations/manual/0002-more.sql', 'secret.sql'),
    message: new RegExp(`^migrations/manual/0002-more.sql: ${FOUND_LINK}`, 'm'),
    commands: ['generate'],
  },
  'a service is a link to a secret': {
    arrange: () => link('services/more.yaml', 'secret.yaml'),
    message: new RegExp(`^services/more.yaml: ${FOUND_LINK}`, 'm'),
    commands: ['generate', 'apply', 'schema-docs'],
  },
  'a snapshot is a link to a secret': {
    arrange: () => link('generated/schemas/More.dbo.yaml', 'secret.yaml'),
    message: new RegExp(`^generated/schemas/More.dbo.yaml: ${FOUND_LINK}`, 'm'),
    commands: ['generate', 'diff'],
  },
  'a file to be written is a link to nothing': {
    arrange: () => link('migrations/tables/Actor.sql', 'new.sql'),
    message: new RegExp(`^${PREFIX}migrations/tables/Actor.sql: ${FOUND_LINK}`, 'm'),
    commands: ['generate', 'apply'],
  },
  'a link leads back into the repo': {
    arrange: () => symlinkSync('..', join(root, 'migrations/manual/all')),
    message: /./,
    commands: [],
  },
  'the folder of the original tool is a link': {
    arrange: () => {
      mkdirSync(join(outside, 'pg-migrations'));
      link('generated/pg-migrations', 'pg-migrations');
    },
    message: /^generated\/pg-migrations/m,
    commands: ['generate'],
  },
  'the manifest lists ../../outside/secret.sql': listed('../../outside/secret.sql'),
  'the manifest lists manual/../../../outside/secret.sql': listed(
    'manual/../../../outside/secret.sql',
  ),
  'the manifest lists ..\\..\\outside\\secret.sql': listed('..\\..\\outside\\secret.sql'),
  'the manifest lists /etc/passwd': listed('/etc/passwd'),
  'the manifest lists a NUL': listed('manual/0001-first.sql\0'),
  'the migration set is in ../outside': {
    arrange: () => {
      write(outside, 'manifest.yaml', read(root, MANIFEST));
      forge('generated/migration-sets.yaml', '"migrations"', '"../outside"');
    },
    message:
      /^(sink_asma\.directory in nonprod: )?\.\.\/outside\/.*: expected a path within the repo/m,
    commands: ['apply', 'status', 'check'],
  },
  'the name of a sink contains a path out of the repo': {
    arrange: () => {
      edit(root, 'sink-groups.yaml', '    reports:', '    x/../../../outside:');
      edit(
        root,
        'services/adopus.yaml',
        '    sink_asma.directory:',
        '    sink_asma.x/../../../outside:',
      );
    },
    message: /^sink-groups\.yaml:\d+ sink_asma\.sources\.x\/\.\.\/\.\.\/\.\.\/outside: /m,
    commands: ['generate', 'apply'],
  },
};

describe.each(Object.entries(ATTACKS))('if %s', (_, { arrange, message, commands }) => {
  it('no command writes or prints a file outside of the repo', async () => {
    arrange();
    const before = treeOf(outside);
    for (const command of COMMANDS) {
      const words = ['manage-migrations', '--root', root, ...command];
      const { code, stdout, stderr } = await cdcHere(words, SERVER);
      const output = `${stdout}${stderr}`;
      expect(changesSince(before, outside)).toEqual([]);
      expect(output).not.toContain(SECRET);
      expect(output).not.toMatch(/^ +at .*:\d+:\d+/m);
      if (!commands.includes(command[0]!) || command[1] === '--only') continue;
      expect({ command, code, stderr }).toEqual({
        command,
        code: 2,
        stderr: expect.stringMatching(message),
      });
    }
  });
});

it('init refuses to write through a link', () => {
  for (const path of ['.gitignore', '.github', 'generated', 'services']) {
    const workspace = emptyFolder();
    mkdirSync(join(workspace, '.git'));
    symlinkSync(outside, join(workspace, path));
    const before = treeOf(outside);
    const args = ['init', '.', '--name', 'shop', '--pattern', 'db-shared'];
    const run = cdc(args, { cwd: workspace });
    expect(run.code).toBe(2);
    expect(run.stderr).toMatch(
      /: expected a file or folder in the repo itself, found a link( at [\w.]+)?$/m,
    );
    expect(changesSince(before, outside)).toEqual([]);
  }
});

it('generate accepts a repo whose root is a link', () => {
  const linkedRoot = join(outside, '../way');
  symlinkSync(root, linkedRoot);
  expect(generate(linkedRoot, ['--check'])).toMatchObject({ code: 0 });
});
