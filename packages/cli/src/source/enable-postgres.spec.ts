import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type PostgresServer, startDebianPostgres } from '@cdc-migrations/postgres-fixture';
import { type AsmaSource, createAsmaSource } from './asma-source.fixture.ts';

const PAGE = readFileSync(join(__dirname, '../../../../docs/sources.md'), 'utf8');

let server: PostgresServer;
let source: AsmaSource;
beforeAll(async () => {
  server = await startDebianPostgres({
    settings: { wal_level: 'logical', max_slot_wal_keep_size: '1GB' },
  });
  source = await createAsmaSource(server);
  source.repo.setEnv(source.env(server));
});
afterAll(async () => {
  source.repo.remove();
  await server.stop();
});

const enable = (...args: readonly string[]) =>
  source.repo.cdc('enable-cdc', '--env', 'dev', ...args);
const read = async (database: string, query: string) => {
  const sql = server.connect({ database, max: 1 });
  const rows = await sql.unsafe(query);
  await sql.end();
  return [...rows];
};

it('runs the commands in docs/sources.md: dry run, run, repeated run as JSON, script', async () => {
  const commands = [
    ...PAGE.matchAll(/^npx --no-install cdc manage-migrations (enable-cdc --env dev .*)$/gm),
  ].map(([, line]) => line!.replace(/ > .*/, '').split(' '));
  const runs = [];
  for (const command of commands) {
    const run = await source.repo.cdc(...command);
    expect({ command, ...run }).toMatchObject({ exitCode: 0 });
    runs.push(run);
  }
  const [dry, first, again, script] = runs;
  expect(dry!.stdout).toContain(
    'chat_dev: publication cdc_chat_dev would be created, slot cdc_chat_dev left to the connector\n',
  );
  expect(first!.stdout).toContain('chat_dev public.rooms: enabled, replica identity primary key\n');
  const { databases } = JSON.parse(again!.stdout) as {
    databases: { publication: object; tables: { state: string }[] }[];
  };
  expect(databases).toHaveLength(3);
  expect(databases.every(({ tables }) => tables.every(({ state }) => state === 'kept'))).toBe(true);
  expect(databases[0]).toMatchObject({
    database: 'chat_dev',
    publication: { name: 'cdc_chat_dev', state: 'kept' },
    slot: { name: 'cdc_chat_dev', state: 'left to the connector' },
  });
  expect(script!.stdout).toMatch(/^-- Changes of chat_dev: /);
  const tables = await read('chat_dev', 'SELECT tablename FROM pg_publication_tables ORDER BY 1');
  expect(tables.map((row) => row['tablename'])).toEqual(['messages', 'receipts', 'rooms', 'users']);
});

it('removes an extra table from the publication only with --accept extra-table', async () => {
  const sql = server.connect({ database: 'proxy_dev', max: 1 });
  await sql.unsafe(
    'CREATE TABLE IF NOT EXISTS extra (id int PRIMARY KEY); ALTER PUBLICATION cdc_proxy_dev ADD TABLE extra',
  );
  await sql.end();
  const refused = await enable('--customer', 'proxy');
  expect(refused.exitCode).toBe(3);
  expect(refused.stdout).toContain('proxy_dev public.extra: blocked by extra-table\n');
  expect(refused.stderr).not.toContain('chat_dev');
  const accepted = await enable('--customer', 'proxy', '--accept', 'extra-table');
  expect(accepted.exitCode).toBe(0);
  expect(accepted.stdout).toContain('proxy_dev public.extra: removed\n');
  expect((await enable('--customer', 'proxy')).exitCode).toBe(0);
});

it('adds the signal_table to the publication, and reports a missing one', async () => {
  const type = '  type: postgres\n';
  source.repo.edit('source-groups.yaml', type, `${type}  signal_table: public.signals\n`);
  const missing = await enable('--customer', 'proxy');
  expect(missing.exitCode).toBe(3);
  expect(missing.stdout).toContain('proxy_dev public.signals: blocked by no-table\n');
  await read(
    'proxy_dev',
    'CREATE TABLE signals (id varchar(100) PRIMARY KEY, type varchar(32), data text)',
  );
  expect(await enable('--customer', 'proxy')).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining(
      'proxy_dev public.signals: enabled, replica identity primary key\n',
    ),
  });
  const again = await enable('--customer', 'proxy', '--accept', 'extra-table');
  expect(again.stdout).not.toContain('signals');
  const members = await read('proxy_dev', `SELECT tablename FROM pg_publication_tables`);
  expect(members).toContainEqual({ tablename: 'signals' });
  source.repo.edit('source-groups.yaml', '  signal_table: public.signals\n', '');
});

it('creates two slots for databases whose names differ only in characters invalid in slot names', async () => {
  const name = 'Proxy-Dev';
  await server.createDatabase({ name, template: 'chat_dev' });
  source.repo.edit('source-groups.yaml', 'database: chat_dev', `database: ${name}`);
  const accept = ['--accept', 'extra-table'];
  const run = await enable('--customer', 'chat,proxy', '--create-slot', ...accept);
  expect(run.exitCode).toBe(0);
  const slots = await read(
    'postgres',
    'SELECT database, slot_name AS slot FROM pg_replication_slots ORDER BY 1',
  );
  expect(slots).toEqual([
    { database: name, slot: expect.stringMatching(/^cdc_proxy_dev_[0-9a-f]{8}$/) },
    { database: 'proxy_dev', slot: 'cdc_proxy_dev' },
  ]);
  for (const { database, slot } of slots)
    await read(String(database), `SELECT pg_drop_replication_slot('${String(slot)}')`);
  source.repo.edit('source-groups.yaml', `database: ${name}`, 'database: chat_dev');
});

it('accepts names of a publication and a slot for one database only', async () => {
  const names = ['--publication', 'p', '--slot-name', 's'] as const;
  expect(await enable('--all', ...names)).toMatchObject({
    exitCode: 2,
    complaints: [
      '--publication and --slot-name need one database, found 3; choose one with --customer',
    ],
  });
  const run = await enable('--customer', 'chat', ...names, '--create-slot');
  expect(run.stdout).toContain('publication p created, slot s created\n');
  expect(await read('chat_dev', 'SELECT slot_name FROM pg_replication_slots')).toEqual([
    { slot_name: 's' },
  ]);
  await read('chat_dev', "SELECT pg_drop_replication_slot('s')");
});

it.each([
  [
    ['enable-cdc', '--second-instance'],
    '--second-instance is for SQL Server sources: a publication includes new columns automatically',
  ],
  [
    ['clean-cdc', '--days', '7'],
    'asma is a PostgreSQL source group, and PostgreSQL removes WAL itself after the connector has confirmed it; ' +
      'enable-cdc --dry-run shows the WAL that an unread slot retains',
  ],
])('refuses %j with the reason', async (command, message) => {
  expect(await source.repo.cdc(...command, '--env', 'dev', '--all')).toMatchObject({
    exitCode: 2,
    complaints: [message],
  });
});
