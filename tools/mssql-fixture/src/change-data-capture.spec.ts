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

beforeAll(async () => {
  server = await startMssqlFixture({
    databases: { AdOpusTest: readAdopusCatalog() },
    logins: [
      { name: 'sa', password: 'a', serverRoles: ['sysadmin'], databaseRoles: {} },
      { name: 'owner', password: 'b', serverRoles: [], databaseRoles: { '*': ['db_owner'] } },
    ],
  });
  admin = await connect(server);
  owner = await connect(server, {}, { userName: 'owner', password: 'b' });
  await run(admin, 'EXEC sys.sp_cdc_enable_db');
});

afterAll(async () => {
  await Promise.all([admin, owner].map(close));
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

it('enables a database: its schema, its user, its tables', async () => {
  const { rows } = await run(
    admin,
    `SELECT is_cdc_enabled, (SELECT COUNT(*) FROM sys.schemas WHERE name = 'cdc') AS schemas,
       (SELECT COUNT(*) FROM sys.database_principals WHERE name = 'cdc') AS users,
       (SELECT COUNT(*) FROM sys.tables WHERE SCHEMA_NAME(schema_id) = 'cdc' AND is_ms_shipped = 1) AS tables
     FROM sys.databases WHERE name = DB_NAME()`,
  );
  expect(rows).toEqual([{ is_cdc_enabled: true, schemas: 1, users: 1, tables: 5 }]);
});

it('enables a table: what the catalog says of it afterwards', async () => {
  const { status } = await enable(table('ActorActor'));
  expect(status).toBe(0);
  const { rows } = await run(
    owner,
    `SELECT t.is_tracked_by_cdc AS tracked, c.capture_instance AS instance, c.supports_net_changes AS net,
       c.index_name AS [index], OBJECT_NAME(c.object_id) AS change_table,
       (SELECT COUNT(*) FROM cdc.captured_columns x WHERE x.object_id = c.object_id) AS columns,
       (SELECT STRING_AGG(x.column_name, ',') FROM cdc.index_columns x WHERE x.object_id = c.object_id) AS [key]
     FROM cdc.change_tables c JOIN sys.tables t ON t.object_id = c.source_object_id WHERE t.name = 'ActorActor'`,
  );
  expect(rows).toEqual([
    {
      ...{ tracked: true, instance: 'dbo_ActorActor', net: true, index: 'PK_ActorActor' },
      ...{ change_table: 'dbo_ActorActor_CT', columns: 10, key: 'ActNo1,ActNo2,RelasjonType' },
    },
  ]);
  const change = await run(owner, 'SELECT * FROM cdc.dbo_ActorActor_CT');
  expect(change.columns.map(({ name }) => name).slice(0, 6)).toEqual([
    '__$start_lsn',
    '__$end_lsn',
    '__$seqval',
    '__$operation',
    '__$update_mask',
    'ActNo1',
  ]);
});

it('takes the columns, the index and the role that it is given', async () => {
  await enable(
    table('Actor', {
      capture_instance: 'Actor_v2',
      captured_column_list: '[actno], [RowGuid], Navn',
      index_name: 'UX_Actor_RowGuid',
      role_name: ' cdc_reader ',
      supports_net_changes: 1,
      allow_partition_switch: 0,
    }),
  );
  const { rows } = await run(
    owner,
    `SELECT c.role_name, (SELECT STRING_AGG(x.column_name, ',') FROM cdc.index_columns x WHERE x.object_id = c.object_id) AS [key],
       (SELECT STRING_AGG(x.column_name, ',') FROM cdc.captured_columns x WHERE x.object_id = c.object_id) AS captured
     FROM cdc.change_tables c WHERE c.capture_instance = 'Actor_v2'`,
  );
  expect(rows).toEqual([
    { role_name: 'cdc_reader', key: 'RowGuid', captured: 'actno,Navn,RowGuid' },
  ]);
  const role = await run(
    owner,
    "SELECT type FROM sys.database_principals WHERE name = 'cdc_reader'",
  );
  expect(role.rows).toEqual([{ type: 'R' }]);
});

it('says that a database is enabled already', async () => {
  const { messages, status } = await run(admin, 'sys.sp_cdc_enable_db', { how: 'callProcedure' });
  expect(messages[0]).toMatch("Database 'AdOpusTest' is already enabled for Change Data Capture.");
  expect(status).toBe(0);
});

it('cleans a change table up to an LSN of the log', async () => {
  await enable(table('Distrikt'));
  const database = server.database('AdOpusTest');
  const early = database.advanceLog(new Date(Date.now() + 60_000));
  const late = database.advanceLog(new Date(Date.now() + 120_000));
  const lsn = (text: string): Uint8Array => Buffer.from(text.slice(2), 'hex');
  database.insertRows('cdc.dbo_Distrikt_CT', [
    { __$start_lsn: lsn(early), __$operation: 2, DistriktID: 1 },
    { __$start_lsn: lsn(late), __$operation: 2, DistriktID: 2 },
  ]);
  const cleanUp = (mark: string) =>
    run(
      owner,
      `EXEC sys.sp_cdc_cleanup_change_table @capture_instance = N'dbo_Distrikt', @low_water_mark = ${mark}`,
    );
  expect((await errorOf(cleanUp('0x00000000000000000001'))).number).toBe(22957);
  const mark = `DECLARE @mark binary(10) = sys.fn_cdc_map_time_to_lsn('largest less than or equal', DATEADD(second, 125, GETUTCDATE()));`;
  await run(
    owner,
    `${mark} EXEC sys.sp_cdc_cleanup_change_table N'dbo_Distrikt', @mark, @threshold = 100`,
  );
  const { rows } = await run(
    owner,
    `SELECT DistriktID, CONVERT(varchar(22), sys.fn_cdc_get_min_lsn('dbo_Distrikt'), 1) AS low FROM cdc.dbo_Distrikt_CT`,
  );
  expect(rows).toEqual([{ DistriktID: 2, low: late }]);
  expect(
    (
      await errorOf(
        run(
          owner,
          "EXEC sys.sp_cdc_cleanup_change_table @capture_instance = N'none', @low_water_mark = NULL",
        ),
      )
    ).number,
  ).toBe(22920);
});

it('disables a table, and then the database', async () => {
  await enable(table('Address'));
  await run(
    owner,
    "EXEC sys.sp_cdc_disable_table @source_schema = N'dbo', @source_name = N'Address', @capture_instance = N'all'",
  );
  const { rows } = await run(
    owner,
    "SELECT is_tracked_by_cdc AS t FROM sys.tables WHERE name = 'Address'",
  );
  expect(rows).toEqual([{ t: false }]);
  await run(admin, 'EXEC sys.sp_cdc_disable_db');
  const after = await run(
    admin,
    `SELECT COUNT(*) AS n FROM sys.tables WHERE is_tracked_by_cdc = 1 OR schema_id <> 1`,
  );
  expect(after.rows).toEqual([{ n: 0 }]);
  expect((await errorOf(run(admin, 'SELECT * FROM cdc.change_tables'))).number).toBe(208);
});
