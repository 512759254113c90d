import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { edit, treeOf, write } from '../repo.fixture.ts';
import { copyAdopus, runCommand } from '../target/cli.fixture.ts';

const EMBEDDED = ['--env', 'embedded', '--schema', 'avansas', 'blue'];
const FIRST = 'sink_asma.directory in embedded';
const SECOND = 'sink_asma.reports in embedded';
const OTHER_TABLES = `
    sink_asma.reports:
      tables:
        adopus.Distrikt:
          from: dbo.Distrikt
          column_templates: [customer_id]
`;

let repo: ReturnType<typeof copyAdopus>;
beforeAll(() => {
  repo = copyAdopus();
});
afterAll(() => repo?.remove());

async function run(...args: readonly string[]) {
  const { exitCode, stdout, stderr } = await runCommand(repo.root, args);
  expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
  return `${stdout}\n${stderr}`;
}

const filesBelow = (folder: string) =>
  [...treeOf(join(repo.root, folder)).keys()].filter((path) => /\.(sql|yaml)$/.test(path)).sort();

it('adding a second sink moves the files of the first sink without applying them again', async () => {
  const { root } = repo;
  write(root, 'migrations/manual/0001-note.sql', 'CREATE TABLE public.note (a integer);\n');
  await run('generate');
  const applied = /files: (\d+) applied, 0 applied before/.exec(await run('apply', ...EMBEDDED));
  const count = applied![1]!;
  const before = filesBelow('migrations');

  edit(
    root,
    'sink-groups.yaml',
    '    directory:\n',
    `    reports:
      schemas: [public]
      local: { server: local, database: reports_local }
      prod: { server: prod, database: reports }
    directory:\n`,
  );
  edit(root, 'services/adopus.yaml', '\n  sinks:\n', `\n  sinks:${OTHER_TABLES}`);
  const printed = await run('generate');
  expect(printed).toMatch(/migrations\/manual/);
  renameSync(join(root, 'migrations/manual'), join(root, 'migrations/sink_asma.directory/manual'));
  await run('generate');
  expect(filesBelow('migrations/sink_asma.directory')).toEqual(before);
  expect(existsSync(join(root, 'migrations/manifest.yaml'))).toBe(false);
  expect(filesBelow('migrations/sink_asma.reports')).toEqual([
    'infrastructure/cdc-management.sql',
    'manifest.yaml',
    'schemas/create-schemas.sql',
    'staging/Distrikt-staging.sql',
    'tables/Distrikt.sql',
  ]);

  const again = await run('apply', ...EMBEDDED);
  expect(again).toContain(`files: 0 applied, ${count} applied before`);
  expect(again).toContain('files: 6 applied, 0 applied before');
  const status = await run('status', ...EMBEDDED);
  expect(status).toContain(`${FIRST}: all applied`);
  expect(status).toContain(`${SECOND}: all applied`);
  expect(await run('check', ...EMBEDDED, '--sink', 'sink_asma.reports')).toContain(
    `${SECOND}: matches the definitions`,
  );
});

it('removing the second sink does not apply the files of the first sink again', async () => {
  const { root } = repo;
  edit(root, 'services/adopus.yaml', OTHER_TABLES, '\n');
  await run('generate');
  renameSync(join(root, 'migrations/sink_asma.directory/manual'), join(root, 'migrations/manual'));
  rmSync(join(root, 'migrations/sink_asma.directory'), { recursive: true, force: true });
  await run('generate');
  expect(await run('apply', ...EMBEDDED)).toContain('files: 0 applied, ');
});
