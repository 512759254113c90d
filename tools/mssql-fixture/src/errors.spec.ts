import { useAdopusClient } from './adopus-client.fixture.ts';
import { errorOf } from './tedious.fixture.ts';

const { run } = useAdopusClient();

it.each<readonly [sql: string, number: number, message: string | RegExp]>([
  ['SELECT name FORM sys.tables', 102, /sql parser error: .* found: sys/],
  ["SELECT 'abc", 102, /Unterminated string literal/],
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
  ['SELECT name FROM sys.tables WHERE is_ms_shipped', 4145, /non-boolean type/],
  ['SELECT name, COUNT(*) FROM sys.tables', 8120, /not contained in either an aggregate/],
  ['SELECT @x', 137, 'Must declare the scalar variable "@x".'],
  ['SELECT NOSUCH(1)', 195, "'NOSUCH' is not a recognized built-in function name."],
  ["SELECT CAST('x' AS int)", 8114, 'Error converting data type varchar to int.'],
  ['SELECT 1 / 0', 8134, 'Divide by zero error encountered.'],
  ['EXEC sp_nothing', 2812, "Could not find stored procedure 'sp_nothing'."],
  ['USE nowhere', 911, /'nowhere' does not exist/],
  ["IF 1 = 1 THROW 50001, 'none', 1; SELECT 1 AS a", 50001, 'none'],
  ['SELECT s.name FROM sys.tables t RIGHT JOIN sys.schemas s ON 1 = 1', 102, /not run Right joins/],
  ['SELECT name INTO #t FROM sys.tables', 102, 'The fixture does not run INTO.'],
  ['SELECT name FROM sys.tables LIMIT 3', 102, 'The fixture does not run LIMIT.'],
  ['SELECT TOP 1 PERCENT name FROM sys.tables', 102, 'The fixture does not run PERCENT.'],
  ["UPDATE sys.tables SET name = N'x'", 102, 'The fixture does not run UPDATE.'],
  ['SELECT GETDATE() AS now', 102, /results of type datetime, which need CONVERT to text/],
])('refuses %s with %d', async (sql, number, message) => {
  const error = await errorOf(run(sql, { how: 'execSqlBatch' }));
  expect(error.number).toBe(number);
  expect(error.message).toMatch(message);
});
