import { useAdopusClient } from './adopus-client.fixture.ts';
import { errorOf } from './tedious.fixture.ts';

const { run } = useAdopusClient();

it.each<readonly [sql: string, number: number, message: string]>([
  ['SELECT name FORM sys.tables', 102, "Incorrect syntax near 'sys'."],
  ['SELECT name FROM', 156, "Incorrect syntax near the keyword 'FROM'."],
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
  [
    'SELECT s.name FROM sys.tables t RIGHT JOIN sys.schemas s ON s.schema_id = t.schema_id',
    102,
    'The fixture does not run Right joins.',
  ],
  ['SELECT name INTO #t FROM sys.tables', 102, 'The fixture does not run INTO.'],
  ['SELECT name FROM sys.tables LIMIT 3', 102, 'The fixture does not run LIMIT.'],
  ['SELECT TOP 1 PERCENT name FROM sys.tables', 102, 'The fixture does not run PERCENT.'],
  ["UPDATE sys.tables SET name = N'x'", 102, 'The fixture does not run UPDATE.'],
])('refuses %s with %d', async (sql, number, message) => {
  const error = await errorOf(run(sql, { how: 'execSqlBatch' }));
  expect({ number: error.number, message: error.message }).toEqual({ number, message });
});
