import { useAdopusClient } from './adopus-client.fixture.ts';

const { run, select } = useAdopusClient();

it('joins the views of a table', async () => {
  const rows = await select(`
    SELECT s.name AS [schema], t.name AS [table], c.column_id, c.name, ty.name AS type, c.max_length, c.is_nullable
    FROM sys.tables AS t
    INNER JOIN sys.schemas AS s ON s.schema_id = t.schema_id
    JOIN sys.columns c ON c.object_id = t.object_id
    JOIN sys.types ty WITH (NOLOCK) ON ty.user_type_id = c.user_type_id
    WHERE s.name = N'dbo' AND t.name IN ('Avdeling') AND t.is_ms_shipped = 0
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

it.each<readonly [what: string, sql: string, rows: readonly Readonly<Record<string, unknown>>[]]>([
  [
    'types in fixed-length columns',
    "SELECT COUNT(*) AS n FROM sys.tables WHERE type = 'U'",
    [{ n: 43 }],
  ],
  [
    'names without case',
    "SELECT OBJECT_NAME(OBJECT_ID(N'[DBO].[ACTOR]')) AS name",
    [{ name: 'Actor' }],
  ],
  [
    'names of objects',
    "SELECT OBJECT_ID('Actor', 'U') AS a, SCHEMA_NAME(1) AS s, DB_NAME() AS d, OBJECT_ID('x') AS x",
    [{ a: 245575929, s: 'dbo', d: 'AdOpusTest', x: null }],
  ],
  [
    'temporary tables',
    'CREATE TABLE #n (n sysname); INSERT #n SELECT name FROM sys.schemas WHERE schema_id < 3; SELECT COUNT(*) AS c FROM #n; DROP TABLE #n',
    [{ c: 2 }],
  ],
  [
    'common table expressions and row numbers',
    "WITH k AS (SELECT c.name, ROW_NUMBER() OVER (ORDER BY c.column_id DESC) AS rn FROM sys.columns c WHERE c.object_id = OBJECT_ID('dbo.Avdeling')) SELECT name FROM k WHERE rn = 1",
    [{ name: 'Aktiv' }],
  ],
  [
    'groups',
    'SELECT t.name, COUNT(*) AS n, MAX(c.max_length) AS m FROM sys.tables t JOIN sys.columns c ON c.object_id = t.object_id GROUP BY t.name HAVING COUNT(*) > 20',
    [{ name: 'Actor', n: 29, m: 200 }],
  ],
  [
    'joined text',
    "SELECT STRING_AGG(c.name, ',') WITHIN GROUP (ORDER BY c.column_id DESC) AS s FROM sys.columns c WHERE c.object_id = OBJECT_ID('dbo.Distrikt')",
    [{ s: 'NavKontornr,Enhet,Navn,DistriktID' }],
  ],
  [
    'lack of case and of end blanks',
    "SELECT 1 AS one WHERE 'a' = 'A ' AND N'Act' LIKE 'a[b-d]_' AND NOT (1 = 2)",
    [{ one: 1 }],
  ],
  [
    'pages',
    'SELECT name FROM sys.tables ORDER BY name OFFSET 5 ROWS FETCH NEXT 1 ROWS ONLY',
    [{ name: 'AdgangLinjer' }],
  ],
  [
    'subqueries that are applied',
    `SELECT t.name, k.name AS [key], n.columns FROM sys.tables t
       OUTER APPLY (SELECT TOP (1) i.name FROM sys.indexes i WHERE i.object_id = t.object_id AND i.is_unique = 1 ORDER BY i.index_id DESC) k
       CROSS APPLY (SELECT COUNT(*) AS columns FROM sys.columns c WHERE c.object_id = t.object_id) n
     WHERE t.name IN ('Actor', 'Tekst') ORDER BY t.name`,
    [
      { name: 'Actor', key: 'UX_Actor_BrukerNavn', columns: 29 },
      { name: 'Tekst', key: null, columns: 4 },
    ],
  ],
  [
    'unions',
    "SELECT name FROM sys.tables WHERE name = 'Actor' UNION ALL SELECT TOP 1 name FROM sys.schemas UNION SELECT N'z' ORDER BY name",
    [{ name: 'Actor' }, { name: 'dbo' }, { name: 'z' }],
  ],
  [
    'other databases',
    'SELECT COUNT(*) AS n FROM AdOpusTest.sys.tables; USE master; USE AdOpusTest',
    [{ n: 43 }],
  ],
  [
    'branches',
    "IF EXISTS (SELECT 1 FROM sys.databases WHERE name = DB_NAME() AND is_cdc_enabled = 1) SELECT 'on' AS cdc ELSE SELECT 'off' AS cdc",
    [{ cdc: 'off' }],
  ],
  [
    'text of bytes',
    "SELECT CONVERT(varchar(22), 0x0000002A000001100001, 1) AS lsn, CONVERT(binary(2), '0x0A0B', 1) AS raw",
    [{ lsn: '0x0000002A000001100001', raw: Buffer.from([10, 11]) }],
  ],
  [
    'times',
    "SELECT CONVERT(varchar(19), DATEADD(month, 1, '2024-01-31'), 120) AS t, DATEDIFF(day, '2024-01-01', '2024-02-01') AS d",
    [{ t: '2024-02-29 00:00:00', d: 31 }],
  ],
  ['empty user tables', 'SELECT COUNT(*) AS n FROM dbo.Avtale', [{ n: 0 }]],
  [
    'settings',
    "SELECT CAST(value_in_use AS int) AS v FROM sys.configurations WHERE name = 'max text repl size (B)'",
    [{ v: 65536 }],
  ],
  [
    'the Agent',
    "SELECT status_desc FROM sys.dm_server_services WHERE servicename LIKE N'SQL Server Agent%'",
    [{ status_desc: 'Running' }],
  ],
  [
    'the version',
    "SELECT CAST(SERVERPROPERTY('ProductMajorVersion') AS int) AS v, SERVERPROPERTY('ProductVersion') AS p",
    [{ v: 15, p: '15.0.4382.1' }],
  ],
  [
    'rights',
    "SELECT IS_SRVROLEMEMBER('sysadmin') AS s, IS_MEMBER('db_owner') AS o, HAS_PERMS_BY_NAME(DB_NAME(), 'DATABASE', 'VIEW DEFINITION') AS p",
    [{ s: 1, o: 1, p: 1 }],
  ],
])('understands %s', async (_what, sql, rows) => {
  expect(await select(sql)).toEqual(rows);
});

it('gives the results of several statements in order', async () => {
  const { resultSets, rows } = await run(
    'SET NOCOUNT ON; SELECT 1 AS a; SELECT 2 AS a; DECLARE @x int = 3; SELECT @x AS a',
  );
  expect(resultSets).toBe(3);
  expect(rows).toEqual([{ a: 1 }, { a: 2 }, { a: 3 }]);
});

it('gives the value of an OUTPUT parameter', async () => {
  const { outputs } = await run('SELECT @n = COUNT(*) FROM sys.tables', {
    parameters: [{ name: 'n', type: 'Int', value: null, isOutput: true }],
  });
  expect(outputs).toEqual({ n: 43 });
});
