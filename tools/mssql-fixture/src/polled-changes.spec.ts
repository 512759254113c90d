import type { Connection } from 'tedious';
import { readAdopusCatalog } from './catalogs.ts';
import { startMssqlFixture, type MssqlFixture } from './server/start-mssql-fixture.ts';
import { close, connect, run, type ClientParameter } from './tedious.fixture.ts';

let server: MssqlFixture;
let connection: Connection;
let lsns: readonly string[];

const bytes = (lsn: string): Uint8Array => Buffer.from(lsn.slice(2), 'hex');

beforeAll(async () => {
  server = await startMssqlFixture({ databases: { AdOpusTest: readAdopusCatalog() } });
  connection = await connect(server);
  await run(connection, 'EXEC sys.sp_cdc_enable_db');
  await run(
    connection,
    "EXEC sys.sp_cdc_enable_table @source_schema = N'dbo', @source_name = N'Distrikt', @role_name = NULL",
  );
  const database = server.database('AdOpusTest');
  const start = Date.UTC(2030, 0, 1);
  lsns = [0, 1, 2].map((minute) => database.advanceLog(new Date(start + minute * 60_000)));
  const change = (at: number, operation: number, id: number, name: string, command = 1) => ({
    ...{ __$start_lsn: bytes(lsns[at]!), __$seqval: bytes(lsns[at]!), __$operation: operation },
    ...{ DistriktID: id, Navn: name, __$command_id: command },
  });
  database.insertRows('cdc.dbo_Distrikt_CT', [
    change(1, 3, 1, 'old', 2),
    change(1, 4, 1, 'new', 2),
    change(0, 2, 1, 'first'),
    change(1, 2, 2, 'other'),
    change(2, 1, 2, 'other'),
  ]);
});

afterAll(async () => {
  await close(connection);
  expect(server.internalErrors()).toEqual([]);
  await server.close();
});

const text = (name: string, value: string): ClientParameter => ({ name, type: 'NVarChar', value });
it('runs dynamic SQL that reads the last change of each key in each transaction', async () => {
  const { rows } = await run(
    connection,
    `DECLARE @after binary(10) = CONVERT(binary(10), @p1, 1);
DECLARE @max binary(10) = sys.fn_cdc_get_max_lsn();
DECLARE @instance nvarchar(100) = (
  SELECT TOP (1) i.capture_instance FROM cdc.change_tables AS i
  WHERE i.source_object_id = OBJECT_ID(@p2)
  ORDER BY CASE WHEN i.start_lsn <= @after THEN 0 ELSE 1 END,
    CASE WHEN i.start_lsn <= @after THEN i.create_date END DESC, i.create_date);
DECLARE @changes nvarchar(200) = N'cdc.' + QUOTENAME(@instance + N'_CT');
DECLARE @query nvarchar(max) = CONVERT(nvarchar(max), N'
DECLARE @page binary(10) = (
  SELECT ct.[__$start_lsn] FROM ') + @changes + N' AS ct
  WHERE ct.[__$start_lsn] > @after AND ct.[__$start_lsn] <= @max
  ORDER BY ct.[__$start_lsn] OFFSET 2 ROWS FETCH NEXT 1 ROWS ONLY);
DECLARE @to binary(10) = COALESCE(@page, @max);
SELECT CONVERT(varchar(22), page.read_to, 1) AS read_to, @instance AS instance,
  CONVERT(bigint, SUBSTRING(c.[__$start_lsn], 1, 4)) / 16384 AS generation,
  CONVERT(bigint, SUBSTRING(c.[__$start_lsn], 1, 4)) % 16384 * 281474976710656
    + CONVERT(bigint, SUBSTRING(c.[__$start_lsn], 5, 6)) AS position,
  DATEDIFF_BIG(millisecond, ''1970-01-01'',
    DATEADD(minute, -DATEPART(tzoffset, SYSDATETIMEOFFSET()), lsn.tran_end_time)) AS ms,
  c.[Navn]
FROM (SELECT @to AS read_to) AS page
LEFT JOIN (
  SELECT ct.*, ROW_NUMBER() OVER (
    PARTITION BY ct.[__$start_lsn], ct.[DistriktID]
    ORDER BY ct.[__$command_id] DESC, CASE ct.[__$operation] WHEN 1 THEN 1 ELSE 0 END, ct.[__$seqval] DESC) AS [__$number]
  FROM ' + @changes + N' AS ct
  WHERE ct.[__$start_lsn] > @after AND ct.[__$start_lsn] <= @to AND ct.[__$operation] <> 3
) AS c ON c.[__$number] = 1
LEFT JOIN cdc.lsn_time_mapping AS lsn ON lsn.start_lsn = c.[__$start_lsn]
ORDER BY c.[__$start_lsn]';
IF @instance IS NULL THROW 50000, 'no capture instance', 1;
EXEC sp_executesql @query, N'@after binary(10), @max binary(10), @instance nvarchar(100)', @after, @max, @instance`,
    { parameters: [text('p1', `0x${'0'.repeat(20)}`), text('p2', '[dbo].[Distrikt]')] },
  );
  const position = (lsn: string): string => {
    const whole = BigInt(lsn);
    return String((((whole >> 48n) % 16384n) << 48n) + (whole & (2n ** 48n - 1n)));
  };
  const time = Date.UTC(2030, 0, 1);
  const change = (at: number, Navn: string) => ({
    ...{ read_to: lsns[1], instance: 'dbo_Distrikt', generation: '0', Navn },
    ...{ position: position(lsns[at]!), ms: String(time + at * 60_000) },
  });
  expect(rows).toEqual([change(0, 'first'), change(1, 'new'), change(1, 'other')]);
});
