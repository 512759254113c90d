import type { Connection } from 'tedious';
import { readAdopusCatalog } from './read-adopus-catalog.ts';
import { startMssqlFixture, type MssqlFixture } from './server/start-mssql-fixture.ts';
import { close, connect, errorOf, run, type RunOptions } from './tedious.fixture.ts';

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

const select = async (
  sql: string,
  options?: RunOptions,
): Promise<readonly Readonly<Record<string, unknown>>[]> =>
  (await run(connection, sql, options)).rows;

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

it('gives the types that the views declare', async () => {
  const { columns, rows } = await run(
    connection,
    `SELECT t.name, t.object_id, t.type, t.create_date, t.is_tracked_by_cdc, t.temporal_type, c.max_length,
       p.rows, i.seed_value, CAST(0x01 AS binary(10)) AS lsn, CAST(NULL AS nvarchar(max)) AS text
     FROM sys.tables t JOIN sys.columns c ON c.object_id = t.object_id
     JOIN sys.identity_columns i ON i.object_id = c.object_id AND i.column_id = c.column_id
     LEFT JOIN sys.partitions p ON p.object_id = t.object_id
     WHERE t.name = 'actor '`,
  );
  expect(columns.map(({ name, type, length }) => [name, type, length])).toEqual([
    ['name', 'NVarChar', 256],
    ['object_id', 'IntN', 4],
    ['type', 'Char', 2],
    ['create_date', 'DateTimeN', 8],
    ['is_tracked_by_cdc', 'BitN', 1],
    ['temporal_type', 'IntN', 1],
    ['max_length', 'IntN', 2],
    ['rows', 'IntN', 8],
    ['seed_value', 'Variant', 8009],
    ['lsn', 'Binary', 10],
    ['text', 'NVarChar', 65535],
  ]);
  expect(rows).toEqual([
    {
      name: 'Actor',
      object_id: 245575929,
      type: 'U ',
      create_date: new Date('2019-03-04T08:15:30.120Z'),
      is_tracked_by_cdc: false,
      temporal_type: 0,
      max_length: 4,
      rows: null,
      seed_value: 1,
      lsn: Buffer.from('01000000000000000000', 'hex'),
      text: null,
    },
  ]);
});

it('carries a value of every type, and NULL', async () => {
  const types = [
    ['bit', '1', true],
    ['tinyint', '255', 255],
    ['smallint', '-2', -2],
    ['int', '-3', -3],
    ['bigint', '9007199254740993', '9007199254740993'],
    ['decimal(10, 2)', '-12.34', -12.34],
    ['money', '12.5', 12.5],
    ['smallmoney', '-1.25', -1.25],
    ['real', '0.5', 0.5],
    ['float', '1.25', 1.25],
    ['date', "'2024-01-31'", new Date('2024-01-31')],
    ['time(0)', "'10:11:12'", new Date('1970-01-01T10:11:12Z')],
    ['datetime', "'2024-01-31T10:11:12.007'", new Date('2024-01-31T10:11:12.007Z')],
    ['smalldatetime', "'2024-01-31T10:11:00'", new Date('2024-01-31T10:11:00Z')],
    ['datetime2(7)', "'2024-01-31T10:11:12.1234567'", new Date('2024-01-31T10:11:12.123Z')],
    ['datetimeoffset(3)', "'2024-01-31T10:11:12+02:00'", new Date('2024-01-31T08:11:12Z')],
    ['char(3)', "'ø'", 'ø  '],
    ['varchar(3)', "'abcd'", 'abc'],
    ['nchar(2)', "N'x'", 'x '],
    ['nvarchar(5)', "N'Døv'", 'Døv'],
    ['nvarchar(max)', "REPLICATE(CAST(N'æ' AS nvarchar(max)), 5000)", 'æ'.repeat(5000)],
    ['sysname', "N'dbo'", 'dbo'],
    ['binary(4)', '0x0102', Buffer.from([1, 2, 0, 0])],
    ['varbinary(max)', '0x0102', Buffer.from([1, 2])],
    [
      'uniqueidentifier',
      "'6f9619ff-8b86-d011-b42d-00c04fc964ff'",
      '6F9619FF-8B86-D011-B42D-00C04FC964FF',
    ],
    ['sql_variant', "N'text'", 'text'],
  ] as const;
  const list = types.map(
    ([type, value], i) => `CAST(${value} AS ${type}) AS v${i}, CAST(NULL AS ${type}) AS n${i}`,
  );
  const [row] = await select(`SELECT ${list.join(', ')}`);
  expect(types.map(([type], i) => [type, row?.[`v${i}`], row?.[`n${i}`]])).toEqual(
    types.map(([type, , value]) => [type, value, null]),
  );
});

it('takes parameters of every kind', async () => {
  const day = new Date('2024-01-31T10:11:12.123Z');
  const [row] = await select(
    'SELECT @big AS big, @no AS no, @text AS text, @day AS day, @raw AS raw, @bit AS bit',
    {
      parameters: [
        { name: 'big', type: 'BigInt', value: 9007199254740993n },
        { name: 'no', type: 'NVarChar', value: null },
        { name: 'text', type: 'NVarChar', value: 'Døv' },
        { name: 'day', type: 'DateTime2', value: day },
        { name: 'raw', type: 'VarBinary', value: Buffer.from([1, 2]) },
        { name: 'bit', type: 'Bit', value: true },
      ],
    },
  );
  expect(row).toEqual({
    big: '9007199254740993',
    no: null,
    text: 'Døv',
    day,
    raw: Buffer.from([1, 2]),
    bit: true,
  });
  const found = await select(
    'SELECT name FROM sys.tables WHERE name IN (@a, @b) AND create_date < @day',
    {
      parameters: [
        { name: 'a', type: 'NVarChar', value: 'actor  ' },
        { name: 'b', type: 'VarChar', value: 'Fraver' },
        { name: 'day', type: 'DateTime', value: day },
      ],
    },
  );
  expect(found).toEqual([{ name: 'Actor' }, { name: 'Fraver' }]);
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
    'lists as split text',
    "SELECT t.name FROM STRING_SPLIT(N'Actor,Avdeling', N',') AS s JOIN sys.tables t ON t.name = s.value ORDER BY t.name",
    [{ name: 'Actor' }, { name: 'Avdeling' }],
  ],
  [
    'lists as JSON',
    `SELECT j.name FROM OPENJSON(N'[{"name":"Actor"}]') WITH (name sysname '$.name') j JOIN sys.tables t ON t.name = j.name`,
    [{ name: 'Actor' }],
  ],
  [
    'table variables',
    "DECLARE @t TABLE (n sysname PRIMARY KEY); INSERT @t VALUES (N'Actor'), (N'x'); SELECT x.n FROM @t x JOIN sys.tables t ON t.name = x.n",
    [{ n: 'Actor' }],
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
    'joined text of SQL Server 2016',
    "SELECT STUFF((SELECT ',' + c.name FROM sys.columns c WHERE c.object_id = t.object_id ORDER BY c.column_id FOR XML PATH(''), TYPE).value('.', 'nvarchar(max)'), 1, 1, '') AS s FROM sys.tables t WHERE t.name = 'DagbokActor'",
    [{ s: 'DagbokID,Actno,Rolle,Bekreftet' }],
  ],
  [
    'JSON',
    "SELECT t.name, (SELECT c.name, c.is_nullable AS [null] FROM sys.columns c WHERE c.object_id = t.object_id AND c.column_id = 1 FOR JSON PATH) AS columns FROM sys.tables t WHERE t.name = 'Actor' FOR JSON PATH",
    [
      {
        'JSON_F52E2B61-18A1-11d1-B105-00805F49916B':
          '[{"name":"Actor","columns":[{"name":"actno","null":false}]}]',
      },
    ],
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
    'unions',
    'SELECT TOP 1 name FROM sys.schemas ORDER BY name DESC UNION ALL SELECT 1 WHERE 1 = 0',
    [],
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
    'caught errors',
    "BEGIN TRY THROW 50001, 'no', 1 END TRY BEGIN CATCH SELECT ERROR_NUMBER() AS n, ERROR_MESSAGE() AS m END CATCH",
    [{ n: 50001, m: 'no' }],
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
  [
    'INFORMATION_SCHEMA',
    "SELECT DATA_TYPE, CHARACTER_MAXIMUM_LENGTH AS n FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_NAME = 'Actor' AND COLUMN_NAME = 'Navn'",
    [{ DATA_TYPE: 'nvarchar', n: 100 }],
  ],
])('understands %s', async (what, sql, rows) => {
  if (what === 'unions') {
    expect((await errorOf(select(sql))).number).toBe(156);
    return;
  }
  expect(await select(sql)).toEqual(rows);
});

it('gives the results of several statements in order', async () => {
  const { resultSets, rows } = await run(
    connection,
    'SET NOCOUNT ON; SELECT 1 AS a; SELECT 2 AS a; DECLARE @x int = 3; SELECT @x AS a',
  );
  expect(resultSets).toBe(3);
  expect(rows).toEqual([{ a: 1 }, { a: 2 }, { a: 3 }]);
});

it('gives the value of an OUTPUT parameter', async () => {
  const { outputs } = await run(connection, 'SELECT @n = COUNT(*) FROM sys.tables', {
    parameters: [{ name: 'n', type: 'Int', value: null, isOutput: true }],
  });
  expect(outputs).toEqual({ n: 43 });
});

it.each<readonly [sql: string, number: number, message: string]>([
  ['SELECT name FORM sys.tables', 102, "Incorrect syntax near 'sys'."],
  ['SELECT name FROM', 156, "Incorrect syntax near the keyword 'FROM'."],
  ['SELECT name FROM WHERE 1 = 1', 156, "Incorrect syntax near the keyword 'WHERE'."],
  ["SELECT 'abc", 105, "Unclosed quotation mark after the character string 'abc'."],
  ['SELECT * FROM sys.nothing', 208, "Invalid object name 'sys.nothing'."],
  ['SELECT * FROM dbo.Nothing', 208, "Invalid object name 'dbo.Nothing'."],
  ['SELECT * FROM cdc.change_tables', 208, "Invalid object name 'cdc.change_tables'."],
  ['SELECT nope FROM sys.tables', 207, "Invalid column name 'nope'."],
  ['SELECT t.nope FROM sys.tables t', 207, "Invalid column name 'nope'."],
  [
    'SELECT x.name FROM sys.tables t',
    4104,
    'The multi-part identifier "x.name" could not be bound.',
  ],
  ['SELECT name FROM sys.tables t, sys.schemas s', 209, "Ambiguous column name 'name'."],
  [
    'SELECT name FROM sys.tables WHERE is_ms_shipped',
    4145,
    "An expression of non-boolean type specified in a context where a condition is expected, near 'is_ms_shipped'.",
  ],
  [
    'SELECT name, COUNT(*) FROM sys.tables',
    8120,
    "Column 'tables.name' is invalid in the select list because it is not contained in either an aggregate function or the GROUP BY clause.",
  ],
  ['SELECT @x', 137, 'Must declare the scalar variable "@x".'],
  ['SELECT NOSUCH(1)', 195, "'NOSUCH' is not a recognized built-in function name."],
  [
    "SELECT CAST('x' AS int)",
    245,
    "Conversion failed when converting the varchar value 'x' to data type int.",
  ],
  ['SELECT 1 / 0', 8134, 'Divide by zero error encountered.'],
  ['EXEC sp_nothing', 2812, "Could not find stored procedure 'sp_nothing'."],
  [
    'USE nowhere',
    911,
    "Database 'nowhere' does not exist. Make sure that the name is entered correctly.",
  ],
  [
    'SELECT name FROM sys.schemas UNION SELECT 1, 2',
    205,
    'All queries combined using a UNION, INTERSECT or EXCEPT operator must have an equal number of expressions in their target lists.',
  ],
])('refuses %s with %d', async (sql, number, message) => {
  const error = await errorOf(run(connection, sql, { how: 'execSqlBatch' }));
  expect({ number: error.number, message: error.message }).toEqual({ number, message });
});
