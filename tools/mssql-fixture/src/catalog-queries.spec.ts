import { useAdopusClient } from './adopus-client.fixture.ts';

const { run, select } = useAdopusClient();

it('joins the views of a table', async () => {
  const rows = await select(`
    SELECT s.name AS [schema], t.name AS [table], c.column_id, c.name, ty.name AS type, c.max_length, c.is_nullable
    FROM sys.tables AS t
    INNER JOIN sys.schemas AS s ON s.schema_id = t.schema_id
    JOIN sys.columns c ON c.object_id = t.object_id
    JOIN sys.types ty ON ty.user_type_id = c.user_type_id
    WHERE s.name = N'dbo' AND t.name = 'avdeling' AND t.is_ms_shipped = 0
    ORDER BY t.name, c.column_id`);
  expect(rows).toHaveLength(5);
  expect(rows[3]).toEqual({
    schema: 'dbo',
    table: 'Avdeling',
    column_id: 4,
    name: 'Webside',
    type: 'Url',
    max_length: 200,
    is_nullable: true,
  });
});

it.each<readonly [label: string, sql: string, rows: readonly Readonly<Record<string, unknown>>[]]>([
  [
    'names in any case',
    "SELECT OBJECT_ID(N'[DBO].[ACTOR]') AS a, OBJECT_ID('Actor') AS b, OBJECT_ID('x') AS x",
    [{ a: 245575929, b: 245575929, x: null }],
  ],
  [
    'temporary tables',
    'CREATE TABLE #n (n sysname); INSERT INTO #n (n) SELECT name FROM sys.schemas WHERE schema_id < 3; SELECT COUNT(*) AS c FROM #n',
    [{ c: 2 }],
  ],
  [
    'row numbers',
    "SELECT name FROM (SELECT c.name, ROW_NUMBER() OVER (PARTITION BY c.object_id ORDER BY c.column_id DESC) AS rn FROM sys.columns c WHERE c.object_id = OBJECT_ID('dbo.Avdeling')) AS k WHERE rn = 1",
    [{ name: 'Aktiv' }],
  ],
  [
    'comparisons that ignore case and trailing blanks',
    "SELECT 1 AS one WHERE 'a' = 'A ' AND N'Actor' LIKE 'a%t_r'",
    [{ one: 1 }],
  ],
  [
    'pages',
    'SELECT name FROM sys.tables ORDER BY name OFFSET 5 ROWS FETCH NEXT 1 ROWS ONLY',
    [{ name: 'AdgangLinjer' }],
  ],
  [
    'subqueries',
    `SELECT t.name, (SELECT COUNT(*) FROM sys.columns c WHERE c.object_id = t.object_id) AS columns,
       (SELECT s.name AS n FROM sys.schemas s WHERE s.schema_id = t.schema_id FOR XML PATH('s')) AS xml
     FROM sys.tables t WHERE t.object_id IN (SELECT object_id FROM sys.columns WHERE name = 'NavKontornr')`,
    [{ name: 'Distrikt', columns: 4, xml: '<s><n>dbo</n></s>' }],
  ],
  [
    'outer joins',
    "SELECT t.name, d.definition FROM sys.tables t LEFT JOIN sys.computed_columns d ON d.object_id = t.object_id WHERE t.name = 'Tekst'",
    [{ name: 'Tekst', definition: null }],
  ],
  [
    'unions',
    "SELECT name FROM sys.tables WHERE name = 'Actor' UNION ALL SELECT name FROM sys.schemas WHERE schema_id = 1",
    [{ name: 'Actor' }, { name: 'dbo' }],
  ],
  [
    'IF statements',
    "IF NOT EXISTS (SELECT * FROM sys.databases WHERE database_id = DB_ID() AND is_cdc_enabled = 1) SELECT 'off' AS cdc",
    [{ cdc: 'off' }],
  ],
  [
    'conversions between bytes and text',
    "SELECT CONVERT(varchar(22), 0x0000002A000001100001, 1) AS lsn, CONVERT(binary(2), '0x0A0B', 1) AS raw",
    [{ lsn: '0x0000002A000001100001', raw: Buffer.from([10, 11]) }],
  ],
  [
    'times',
    "SELECT CONVERT(varchar(30), DATEADD(day, -1, '2024-03-01'), 126) AS t, DATEDIFF_BIG(minute, '2024-01-01', '2024-01-02') AS m",
    [{ t: '2024-02-29T00:00:00.000', m: '1440' }],
  ],
  ['empty user tables', 'SELECT COUNT(*) AS n FROM dbo.Avtale', [{ n: 0 }]],
  [
    'settings',
    "SELECT CAST(value_in_use AS int) AS v FROM sys.configurations WHERE name = 'max text repl size (B)'",
    [{ v: 65536 }],
  ],
  [
    'the status of the Agent',
    "SELECT status_desc FROM sys.dm_server_services WHERE servicename LIKE N'SQL Server Agent%'",
    [{ status_desc: 'Running' }],
  ],
  [
    'roles and edition',
    "SELECT IS_SRVROLEMEMBER('sysadmin') AS s, IS_MEMBER('db_owner') AS o, CAST(SERVERPROPERTY('EngineEdition') AS int) AS e",
    [{ s: 1, o: 1, e: 3 }],
  ],
])('understands %s', async (_, sql, rows) => {
  expect(await select(sql)).toEqual(rows);
});

it('returns the results of several statements in order', async () => {
  const { resultSets, rows } = await run(
    'SET NOCOUNT ON; SELECT 1 AS a; USE master; SELECT 2 AS a; USE AdOpusTest; DECLARE @x int = 3; SELECT @x AS a',
  );
  expect(resultSets).toBe(3);
  expect(rows).toEqual([{ a: 1 }, { a: 2 }, { a: 3 }]);
});
