import type { Connection } from 'tedious';
import { readAdopusCatalog, synthesizeCatalog } from './catalogs.ts';
import { startMssqlFixture, type MssqlFixture } from './server/start-mssql-fixture.ts';
import { close, connect, run } from './tedious.fixture.ts';

let server: MssqlFixture;
let connection: Connection;

beforeAll(async () => {
  server = await startMssqlFixture({
    databases: { AdOpusTest: readAdopusCatalog(), Kunde2: readAdopusCatalog() },
  });
  connection = await connect(server);
});

afterAll(async () => {
  await close(connection);
  expect(server.internalErrors()).toEqual([]);
  await server.close();
});

const COLUMNS = `SELECT c.column_id AS id, c.name, y.name AS type, c.max_length AS bytes, c.precision AS p, c.scale AS s,
    c.is_nullable AS n FROM sys.columns c JOIN sys.types y ON y.user_type_id = c.user_type_id
  WHERE c.object_id = OBJECT_ID(@table) ORDER BY c.column_id`;

const columns = async (table: string): Promise<readonly unknown[]> => {
  const parameters = [{ name: 'table', type: 'NVarChar', value: table }] as const;
  return (await run(connection, COLUMNS, { parameters })).rows;
};

it('describes the types of new columns as SQL Server does', async () => {
  const types = [
    ['nvarchar(50)', 'nvarchar', 100, 0, 0],
    ['varchar(max)', 'varchar', -1, 0, 0],
    ['char(3)', 'char', 3, 0, 0],
    ['decimal(10, 2)', 'decimal', 9, 10, 2],
    ['numeric(38,0)', 'numeric', 17, 38, 0],
    ['time(0)', 'time', 3, 8, 0],
    ['datetime2(3)', 'datetime2', 7, 23, 3],
    ['datetime2', 'datetime2', 8, 27, 7],
    ['datetimeoffset(7)', 'datetimeoffset', 10, 34, 7],
    ['varbinary(16)', 'varbinary', 16, 0, 0],
    ['rowversion', 'timestamp', 8, 0, 0],
    ['[dbo].[Url]', 'Url', 200, 0, 0],
    ['sysname', 'sysname', 256, 0, 0],
    ['bigint', 'bigint', 8, 19, 0],
  ] as const;
  server.database('AdOpusTest').addTable({
    name: 'extra.Types',
    columns: types.map(([type], i) => ({ name: `c${i}`, type, isNullable: i > 0 })),
    primaryKey: ['c0'],
  });
  expect(await columns('extra.Types')).toEqual(
    types.map(([, type, bytes, p, s], i) => ({
      id: i + 1,
      name: `c${i}`,
      type,
      bytes,
      p,
      s,
      n: i > 0,
    })),
  );
});

it('shows changes of a table to clients immediately, and only in its database', async () => {
  const database = server.database('AdOpusTest');
  database.addColumn('dbo.Distrikt', {
    name: 'Ny',
    type: 'bit',
    isNullable: false,
  });
  database.alterColumn('dbo.Distrikt', { name: 'Enhet', type: 'varchar(40)' });
  database.renameColumn('dbo.Distrikt', 'Navn', 'Navnet');
  database.dropColumn('dbo.Distrikt', 'NavKontornr');
  expect(await columns('dbo.Distrikt')).toMatchObject([
    { id: 1, name: 'DistriktID' },
    { id: 2, name: 'Navnet' },
    { id: 3, name: 'Enhet', bytes: 40 },
    { id: 5, name: 'Ny', n: false },
  ]);
  expect(server.database('Kunde2').find('sys.columns', { name: 'NavKontornr' })).toHaveLength(1);
});

it('drops a table with its columns and indexes', () => {
  const { dropTable, find } = server.database('AdOpusTest');
  const id = Number(find('sys.tables', { name: 'Fraver' })[0]?.['object_id']);
  dropTable('dbo.Fraver');
  for (const view of ['sys.tables', 'sys.columns', 'sys.indexes'])
    expect(find(view, { object_id: id })).toEqual([]);
  expect(server.database('Kunde2').find('sys.tables', { name: 'Fraver' })).toHaveLength(1);
});

it('returns inserted rows in queries', async () => {
  server.database('AdOpusTest').insertRows('dbo.AdgangRoller', [{ RolleID: 7, Navn: 'Døv' }]);
  const { rows } = await run(
    connection,
    "SELECT RolleID, Navn, Beskrivelse FROM dbo.AdgangRoller WHERE Navn = 'døv'",
  );
  expect(rows).toEqual([{ RolleID: 7, Navn: 'Døv', Beskrivelse: null }]);
});

it('reports an unknown database, table, column or type', () => {
  expect(() => server.database('Nowhere')).toThrow('the server has no database Nowhere');
  const database = server.database('AdOpusTest');
  expect(() => database.dropTable('dbo.Nope')).toThrow('AdOpusTest has no table dbo.Nope');
  expect(() => database.dropColumn('dbo.Actor', 'Nope')).toThrow('dbo.Actor has no column Nope');
  expect(() => database.addColumn('dbo.Actor', { name: 'x', type: 'nope' })).toThrow(
    'sys.types has no type nope',
  );
});

it('reads a catalog of 4,000 tables with 3 columns each', async () => {
  server.addDatabase('Large', synthesizeCatalog({ tables: 4000, columnsPerTable: 3 }));
  const { rows } = await run(
    connection,
    `USE Large;
     SELECT t.name AS [table], c.name, y.name AS type, c.max_length, c.is_nullable FROM sys.columns c
     JOIN sys.tables t ON t.object_id = c.object_id JOIN sys.types y ON y.user_type_id = c.user_type_id
     ORDER BY t.name, c.column_id`,
  );
  expect(rows).toHaveLength(12_000);
  expect(rows[3]).toEqual({
    table: 'Table0002',
    name: 'Id',
    type: 'int',
    max_length: 4,
    is_nullable: false,
  });
});
