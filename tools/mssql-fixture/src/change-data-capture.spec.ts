import type { Connection } from 'tedious';
import { readAdopusCatalog } from './catalogs.ts';
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
      {
        name: 'owner',
        password: 'b',
        serverRoles: [],
        databaseRoles: { AdOpusTest: ['db_owner'] },
      },
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

it('enables a database with its schema, user and log', async () => {
  const { find } = server.database('AdOpusTest');
  expect(find('sys.databases', { name: 'AdOpusTest' })).toMatchObject([{ is_cdc_enabled: 1 }]);
  for (const view of ['sys.schemas', 'sys.database_principals'])
    expect(find(view, { name: 'cdc' })).toHaveLength(1);
  const { rows } = await run(admin, 'SELECT start_lsn FROM cdc.lsn_time_mapping');
  expect(rows).toHaveLength(1);
});

it('enables a table and updates the catalog', async () => {
  const list = { captured_column_list: '[actno1], [RelasjonType]' };
  expect(await enable(table('ActorActor', list))).toMatchObject({ status: 0 });
  const { rows } = await run(
    owner,
    `SELECT t.is_tracked_by_cdc AS tracked, c.capture_instance AS instance, x.name AS change_table,
       (SELECT COUNT(*) FROM cdc.captured_columns x WHERE x.object_id = c.object_id) AS columns
     FROM cdc.change_tables c JOIN sys.tables t ON t.object_id = c.source_object_id
     JOIN sys.tables x ON x.object_id = c.object_id`,
  );
  expect(rows).toEqual([
    {
      ...{ tracked: true, instance: 'dbo_ActorActor', columns: 2 },
      change_table: 'dbo_ActorActor_CT',
    },
  ]);
  const change = await run(owner, 'SELECT * FROM cdc.dbo_ActorActor_CT');
  expect(change.columns.map(({ name }) => name)).toEqual([
    ...['__$start_lsn', '__$end_lsn', '__$seqval', '__$operation', '__$update_mask'],
    ...['ActNo1', 'RelasjonType', '__$command_id'],
  ]);
});

it.each<readonly [number: number, values: Readonly<Record<string, unknown>>]>([
  [22931, table('Nothing')],
  [22926, table('Actor', { capture_instance: 'dbo_actoractor' })],
  [22930, table('Actor', { captured_column_list: '[actno], [Nope]' })],
])('refuses with error %d to enable %j', async (number, values) => {
  const error = await errorOf(enable(values));
  expect(error.number).toBe(number);
});

it('refuses a third instance, a login without privileges and calls with wrong arguments', async () => {
  for (const capture_instance of ['one', 'two']) await enable(table('Tekst', { capture_instance }));
  const refused = [
    () => enable(table('Tekst', { capture_instance: 'three' })),
    () => run(owner, 'EXEC sys.sp_cdc_enable_db'),
    () => run(owner, 'EXEC sys.sp_cdc_disable_table'),
    () => enable(table('Tekst', { nope: 1 })),
  ];
  const numbers: unknown[] = [];
  for (const call of refused) numbers.push((await errorOf(call())).number);
  expect(numbers).toEqual([22962, 22902, 201, 8145]);
});

it('cleans up a change table to an LSN of the log', async () => {
  await enable(table('Distrikt'));
  const database = server.database('AdOpusTest');
  const early = database.advanceLog(new Date(Date.now() + 60_000));
  const late = database.advanceLog(new Date(Date.now() + 120_000));
  const lsn = (text: string): Uint8Array => Buffer.from(text.slice(2), 'hex');
  database.insertRows('cdc.dbo_Distrikt_CT', [
    { __$start_lsn: lsn(early), __$operation: 2, DistriktID: 1 },
    { __$start_lsn: lsn(late), __$operation: 2, DistriktID: 2 },
  ]);
  const cleanUp = (instance: string, mark: string) =>
    run(
      owner,
      `EXEC sys.sp_cdc_cleanup_change_table @capture_instance = ${instance}, @low_water_mark = ${mark}`,
    );
  const noEntry = await errorOf(cleanUp("N'dbo_Distrikt'", '0x00000000000000000001'));
  expect(noEntry.number).toBe(22964);
  expect((await errorOf(cleanUp("N'none'", 'NULL'))).number).toBe(22920);
  await run(
    owner,
    `DECLARE @mark binary(10) = sys.fn_cdc_map_time_to_lsn('largest less than or equal', DATEADD(minute, 3, GETDATE()));
     EXEC sys.sp_cdc_cleanup_change_table @capture_instance = N'dbo_Distrikt', @low_water_mark = @mark, @threshold = 100`,
  );
  const { rows } = await run(
    owner,
    `SELECT DistriktID, CONVERT(varchar(22), (
       SELECT start_lsn FROM cdc.change_tables WHERE capture_instance = 'dbo_Distrikt'), 1) AS low
     FROM cdc.dbo_Distrikt_CT`,
  );
  expect(rows).toEqual([{ DistriktID: 2, low: late }]);
});

it('disables a capture instance', async () => {
  await enable(table('Address'));
  const disable = () =>
    run(
      owner,
      "EXEC sys.sp_cdc_disable_table @source_schema = N'dbo', @source_name = N'Address', @capture_instance = N'dbo_Address'",
    );
  await disable();
  const { find } = server.database('AdOpusTest');
  expect(find('sys.tables', { name: 'Address' })).toMatchObject([{ is_tracked_by_cdc: 0 }]);
  expect(find('sys.tables', { name: 'dbo_Address_CT' })).toEqual([]);
  expect((await errorOf(disable())).number).toBe(22960);
});
