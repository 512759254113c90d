import type { Connection } from 'tedious';
import { readAdopusCatalog } from './read-adopus-catalog.ts';
import { startMssqlFixture, type MssqlFixture } from './server/start-mssql-fixture.ts';
import {
  close,
  connect,
  errorOf,
  run,
  type ClientParameter,
  type ClientResult,
} from './tedious.fixture.ts';

let server: MssqlFixture;
let owner: Connection;
let admin: Connection;
let reader: Connection;

beforeAll(async () => {
  server = await startMssqlFixture({
    databases: { AdOpusTest: readAdopusCatalog(), Fresh: readAdopusCatalog() },
    logins: [
      { name: 'sa', password: 'a', serverRoles: ['sysadmin'], databaseRoles: {} },
      { name: 'owner', password: 'b', serverRoles: [], databaseRoles: { '*': ['db_owner'] } },
      { name: 'reader', password: 'c', serverRoles: [], databaseRoles: { '*': ['public'] } },
    ],
  });
  admin = await connect(server);
  owner = await connect(server, {}, { userName: 'owner', password: 'b' });
  reader = await connect(server, {}, { userName: 'reader', password: 'c' });
  await run(admin, 'EXEC sys.sp_cdc_enable_db');
  await enable(table('ActorActor'));
});

afterAll(async () => {
  await Promise.all([admin, owner, reader].map(close));
  expect(server.internalErrors()).toEqual([]);
  await server.close();
});

async function enable(
  values: Readonly<Record<string, unknown>>,
  connection = owner,
): Promise<ClientResult> {
  const parameters = Object.entries(values).map(([name, value]): ClientParameter => ({
    name,
    type: typeof value === 'number' ? 'Bit' : 'NVarChar',
    value,
  }));
  return run(connection, 'sys.sp_cdc_enable_table', { how: 'callProcedure', parameters });
}

const table = (name: string, more: Readonly<Record<string, unknown>> = {}) => ({
  source_schema: 'dbo',
  source_name: name,
  role_name: null,
  ...more,
});

it('allows two capture instances of a table and no third one', async () => {
  await enable(table('Address'));
  await enable(table('Address', { capture_instance: 'dbo_Address_v2' }));
  const error = await errorOf(enable(table('Address', { capture_instance: 'dbo_Address_v3' })));
  expect(error).toMatchObject({ number: 22962, procName: 'sp_cdc_enable_table' });
});

it.each<readonly [number: number, why: string, values: Readonly<Record<string, unknown>>]>([
  [22931, 'there is no such table', table('Nothing')],
  [22963, 'the table is not named', table('')],
  [22907, 'the role has no name', table('Fraver', { role_name: '' })],
  [22974, 'it is a table of cdc', { ...table('change_tables'), source_schema: 'cdc' }],
  [22926, 'the capture instance exists', table('Fraver', { capture_instance: 'DBO_actoractor' })],
  [
    22927,
    'the name of the capture instance is too long',
    table('Fraver', { capture_instance: 'x'.repeat(101) }),
  ],
  [22928, 'there is no such index', table('Fraver', { index_name: 'IX_None' })],
  [
    22929,
    'the index is filtered',
    table('Actor', { index_name: 'UX_Actor_BrukerNavn', capture_instance: 'b' }),
  ],
  [22930, 'there is no such column', table('Fraver', { captured_column_list: 'FraverId, Nope' })],
  [22943, 'the key is not captured', table('Fraver', { captured_column_list: '[ActNo]' })],
  [22965, 'a bracket is not closed', table('Fraver', { captured_column_list: '[FraverId' })],
  [22973, 'there is no such filegroup', table('Fraver', { filegroup_name: 'FG2' })],
])('refuses with %d because %s', async (number, _why, values) => {
  const error = await errorOf(enable(values));
  expect(error.number).toBe(number);
});

it('refuses net changes without a key', async () => {
  const { rows } = await run(
    owner,
    `SELECT t.name FROM sys.tables t WHERE is_ms_shipped = 0
       AND NOT EXISTS (SELECT 1 FROM sys.indexes i WHERE i.object_id = t.object_id AND i.is_primary_key = 1) ORDER BY t.name`,
  );
  const name = String(rows[0]?.['name']);
  expect((await errorOf(enable(table(name, { supports_net_changes: 1 })))).number).toBe(22939);
  await enable(table(name));
});

it('wants a role to be said, even if it is NULL', async () => {
  const error = await errorOf(
    run(owner, "EXEC sys.sp_cdc_enable_table @source_schema = N'dbo', @source_name = N'Fraver'"),
  );
  expect(error).toMatchObject({
    number: 201,
    message:
      "Procedure or function 'sp_cdc_enable_table' expects parameter '@role_name', which was not supplied.",
  });
  const unknown = await errorOf(enable(table('Fraver', { nope: 'x' })));
  expect(unknown.number).toBe(8145);
});

it.each<readonly [number: number, who: () => Connection, sql: string]>([
  [22902, () => owner, 'EXEC sys.sp_cdc_disable_db'],
  [22902, () => owner, 'EXEC sys.sp_cdc_enable_db'],
  [22904, () => reader, "EXEC sys.sp_cdc_enable_table N'dbo', N'Fraver', @role_name = NULL"],
  [229, () => reader, 'SELECT * FROM cdc.change_tables'],
  [22989, () => admin, 'EXEC master.sys.sp_cdc_enable_db'],
  [22901, () => owner, "EXEC Fresh.sys.sp_cdc_enable_table N'dbo', N'Fraver', @role_name = NULL"],
  [22960, () => owner, "EXEC sys.sp_cdc_disable_table N'dbo', N'ActorActor', N'other'"],
  [22985, () => owner, "EXEC sys.sp_cdc_disable_table N'dbo', N'Distrikt', N'all'"],
])('refuses with %d what is not allowed', async (number, who, sql) => {
  expect((await errorOf(run(who(), sql))).number).toBe(number);
});

it('refuses a database that has a schema or a user named cdc', async () => {
  const fresh = await connect(server, { database: 'Fresh' });
  const database = server.database('Fresh');
  database.insert('sys.schemas', { schema_id: 99, name: 'cdc' });
  expect((await errorOf(run(fresh, 'EXEC sys.sp_cdc_enable_db'))).number).toBe(22906);
  database.remove('sys.schemas', { name: 'cdc' });
  database.insert('sys.database_principals', { name: 'CDC', principal_id: 77 });
  expect((await errorOf(run(fresh, 'EXEC sys.sp_cdc_enable_db'))).number).toBe(22906);
  await close(fresh);
});

it('refuses tables in memory and clustered columnstores', async () => {
  const database = server.database('AdOpusTest');
  database.update('sys.tables', { name: 'Gjoremal' }, { is_memory_optimized: true });
  expect((await errorOf(enable(table('Gjoremal')))).number).toBe(10794);
  database.addTable({ name: 'dbo.Store', columns: [{ name: 'a', type: 'int' }] });
  const [store] = database.find('sys.tables', { name: 'Store' });
  const id = store?.['object_id'] ?? 0;
  database.update(
    'sys.indexes',
    { object_id: id },
    { type: 5, type_desc: 'CLUSTERED COLUMNSTORE', name: 'CCI' },
  );
  expect((await errorOf(enable(table('Store')))).message).toBe(
    "Change Data Capture cannot be enabled on a table with a clustered columnstore index. Consider dropping clustered columnstore index 'CCI' on table 'Store'.",
  );
});
