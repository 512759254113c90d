import { SqlServerError } from '../engine/sql-server-error.ts';
import { loadParser, parseBatch } from './syntax.ts';

beforeAll(() => loadParser());

it.each<readonly [sql: string, kinds: readonly string[]]>([
  ['', []],
  [' ; ;', []],
  ['SET NOCOUNT ON; SELECT 1', ['Set', 'Query']],
  ['DECLARE @a int = 1, @b nvarchar(max); SET @a = 2', ['Declare', 'Set']],
  ['IF 1 = 1 SELECT 1; ELSE SELECT 2', ['If']],
  ['BEGIN TRAN; COMMIT', ['StartTransaction', 'Commit']],
  ["EXEC dbo.p N'a', @b = NULL, @c = @d; EXEC q", ['Execute', 'Execute']],
  ['/* a /* nested */ comment */ SELECT 1 -- end', ['Query']],
])('parses %s', (sql, kinds) => {
  expect(parseBatch(sql).map((statement) => Object.keys(statement)[0])).toEqual(kinds);
});

it.each<readonly [sql: string, message: string, line: number]>([
  ['SELECT\n1 ) 2', "Incorrect syntax near ')'.", 2],
  ['SELECT\na b c', "Incorrect syntax near 'c'.", 2],
  ['SELECT 1\nWHERE a = ', "Incorrect syntax near '='.", 1],
  ['SELECT 1 SELECT 2', "Incorrect syntax near the keyword 'SELECT'.", 1],
  ['SELECT [a', "Unclosed quotation mark after the character string 'a'.", 1],
  ['/* no end', "Missing end comment mark '*/'.", 1],
  ['SELECT 1 ?', "Incorrect syntax near '?'.", 1],
])('refuses %j', (sql, message, line) => {
  const parse = (): unknown => parseBatch(sql);
  expect(parse).toThrow(SqlServerError);
  expect(parse).toThrow(expect.objectContaining({ message, line }));
});
