import { join } from 'node:path';
import { cdc, generate } from '../cdc.fixture.ts';
import { copyOf, edit, emptyFolder, smallRepo, write } from '../repo.fixture.ts';

const ADOPUS = join(__dirname, '../../../../fixtures/adopus');
const LSN = 'expected an LSN: 0x and 20 hexadecimal digits';
const ENABLE = 'enable-cdc --env prod';
const CLEAN = 'clean-cdc --env prod --customer avansas --days 7';
const TARGET = '--env prod --sink sink_asma.directory';

it.each([
  ['schema-docs --all', '--all needs --compare; name customers with --customer'],
  ['schema-docs --compare', '--compare needs --env <env>'],
  ['schema-docs --customer avansas', '--customer needs --env <env>'],
  ['schema-docs --env nonprod --customer avansas,', 'expected names separated by commas'],
  [
    'schema-docs --compare --env none',
    'no source has the environment "none"; known: local, nonprod, prod',
  ],
  [`${ENABLE} --customer avansas --all`, '--customer and --all cannot be used together'],
  [
    'enable-cdc --env nonprod --customer avansas --table Nope',
    '--table Nope: no service contains this table; known: ',
  ],
  [
    'enable-cdc --env nonprod --customer avansas --create-slot',
    '--publication, --slot-name and --create-slot are for PostgreSQL sources, found SQL Server',
  ],
  [
    `${ENABLE} --all --rotate --passed-lsn 0x${'0'.repeat(20)}`,
    '--passed-lsn needs one database, found 24; choose one with --customer',
  ],
  [`${CLEAN} --not-past 0x1`, `--not-past 0x1: ${LSN}\n`],
  [`${CLEAN} --not-past none.yaml`, `--not-past none.yaml: ${LSN}, or a readable file`],
  [`merge ${TARGET} --interval x`, 'expected 500ms, 30s, 2m, 1h or 0'],
  [`rename ${TARGET} --to new`, 'rename: expected --table or --customer'],
  [`retire ${TARGET}`, 'retire: expected --table or --customer'],
])('refuses %s', (command, message) => {
  const run = cdc(['manage-migrations', ...command.split(' ')], { cwd: ADOPUS });
  expect(run).toEqual({ code: 2, stdout: '', stderr: expect.stringContaining(message) });
});

it('reload signal refuses a table that is read without Debezium', () => {
  const root = smallRepo();
  const signal = (...args: readonly string[]) =>
    cdc(['manage-migrations', 'reload', 'signal', '--env', 'nonprod', ...args], { cwd: root });
  const sink = 'sink-groups.yaml';
  edit(root, sink, 'type: postgres', 'type: postgres\n  pipeline:\n    events: bento-sql-raw');
  expect(generate(root).code).toBe(0);
  expect(signal('--table', 'Actor', '--kafka').stderr).toContain(
    'Actor is read without Debezium; insert its rows into the staging table as described in docs/reload.md',
  );
  edit(root, sink, '    events: bento-sql-raw', '    positions: lsn');
  edit(root, 'services/adopus.yaml', 'dbo.Region: {}', 'dbo.Region: { key_columns: [Kode] }');
  expect(generate(root).code).toBe(0);
  expect(signal('--table', 'Actor', '--kafka').stderr).toMatch(
    /Actor is read without Debezium; run pipelines\/.*\.snapshot\.yaml/,
  );
});

it('generate refuses a generated file without its header', () => {
  const root = copyOf(ADOPUS);
  write(root, 'generated/table-definitions/Actor.yaml', 'name: Actor\n');
  expect(cdc(['manage-migrations', 'generate', '--only', 'tables'], { cwd: root })).toEqual({
    code: 6,
    stdout: '',
    stderr:
      'generated/table-definitions/Actor.yaml: is not a generated file; cdc manage-migrations generate --force rewrites all files\n',
  });
});

it('diff --base needs git', () => {
  const run = cdc(['manage-migrations', 'diff', '--base', 'HEAD'], {
    cwd: ADOPUS,
    env: { PATH: emptyFolder() },
  });
  expect(run).toEqual({ code: 2, stdout: '', stderr: '--base HEAD: git is not installed\n' });
});
