import type { Connection } from 'tedious';
import { readAdopusCatalog } from './read-adopus-catalog.ts';
import { startMssqlFixture, type MssqlFixture } from './server/start-mssql-fixture.ts';
import { close, connect, run } from './tedious.fixture.ts';

let server: MssqlFixture;
let connection: Connection;

beforeAll(async () => {
  server = await startMssqlFixture({ databases: { AdOpusTest: readAdopusCatalog() } });
  connection = await connect(server);
});

afterAll(async () => {
  await close(connection);
  expect(server.internalErrors()).toEqual([]);
  await server.close();
});

const select = async (sql: string): Promise<readonly Readonly<Record<string, unknown>>[]> =>
  (await run(connection, sql)).rows;

it('joins the views of a table', async () => {
  const rows = await select(`
    SELECT s.name AS [schema], t.name AS [table], c.column_id, c.name, ty.name AS type, c.max_length, c.is_nullable
    FROM sys.tables AS t
    INNER JOIN sys.schemas AS s ON s.schema_id = t.schema_id
    JOIN sys.columns c ON c.object_id = t.object_id
    JOIN sys.types ty WITH (NOLOCK) ON ty.user_type_id = c.user_type_id
    WHERE s.name = N'dbo' AND t.name IN ('Avdeling') AND t.is_ms_shipped = 0
    ORDER BY t.name, c.column_id
    OPTION (RECOMPILE)`);
  expect(rows[3]).toEqual({
    schema: 'dbo',
    table: 'Avdeling',
    column_id: 4,
    name: 'Webside',
    type: 'Url',
    max_length: 200,
    is_nullable: true,
  });
  expect(rows).toHaveLength(5);
});
