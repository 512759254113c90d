import { SqlServerError } from '../engine/sql-server-error.ts';
import { parseBatch } from './parse-batch.ts';

const kinds = (sql: string): readonly string[] =>
  parseBatch(sql).map((statement) => statement.kind);

it.each<readonly [sql: string, kinds: readonly string[]]>([
  ['', []],
  [' ; ;', []],
  ['SELECT 1 SELECT 2', ['select', 'select']],
  ['SET NOCOUNT ON SELECT 1', ['set-option', 'select']],
  ['SET TRANSACTION ISOLATION LEVEL READ COMMITTED SELECT 1', ['set-option', 'select']],
  [
    'set ansi_nulls on\nset dateformat mdy\nset datefirst 7\nset textsize 2147483647',
    ['set-option', 'set-option', 'set-option', 'set-option'],
  ],
  ['DECLARE @a int = 1, @b nvarchar(max); SET @a = 2', ['declare', 'declare', 'set']],
  ['IF 1 = 1 SELECT 1; ELSE SELECT 2', ['if']],
  ['BEGIN SELECT 1; SELECT 2 END SELECT 3', ['block', 'select']],
  ['BEGIN TRY SELECT 1 END TRY BEGIN CATCH THROW END CATCH', ['try']],
  ['BEGIN TRAN t COMMIT', ['transaction', 'transaction']],
  ["sp_who 'a', @b = 1", ['exec']],
  ["EXEC @r = dbo.p N'a', @b = DEFAULT, @c = @d OUTPUT EXEC q", ['exec', 'exec']],
  ['/* a /* nested */ comment */ SELECT 1 -- end', ['select']],
  ['WITH a AS (SELECT 1 AS x), b (y) AS (SELECT x FROM a) SELECT y FROM b', ['select']],
  [
    "SELECT [a]]b] = 'it''s', \"c\" FROM x.[y z]..t AS u WITH (NOLOCK) OPTION (MAXDOP 1)",
    ['select'],
  ],
  ['SELECT a FROM t1 LEFT JOIN t2 INNER JOIN t3 ON t3.x = t2.x ON t2.x = t1.x', ['select']],
  ['SELECT 1 WHERE (1 = 1 OR (2 = 2)) AND (1 + 2) * 3 > (4) AND NOT (1 IN (1, 2))', ['select']],
])('parses %s', (sql, expected) => {
  expect(kinds(sql)).toEqual(expected);
});

it.each<readonly [sql: string, message: string, line: number]>([
  ['SELECT\n1 +', "Incorrect syntax near '+'.", 2],
  ['SELECT a b c', "Incorrect syntax near 'c'.", 1],
  ['SELECT 1 FROM (SELECT 1)', "Incorrect syntax near ')'.", 1],
  ['SELECT 1\nWHERE a = ', "Incorrect syntax near '='.", 2],
  ['SELECT 1 WHERE (a = 1', "Incorrect syntax near '1'.", 1],
  ['UPDATE t SET a = 1', "Incorrect syntax near the keyword 'UPDATE'.", 1],
  ['CREATE TABLE t (a int)', "Incorrect syntax near 't'.", 1],
  ['SELECT [a', "Unclosed quotation mark after the character string 'a'.", 1],
  ['/* no end', "Missing end comment mark '*/'.", 1],
  ['SELECT CAST(1 AS nope)', 'Type nope is not a defined system type.', 1],
  ['SELECT 1 ?', "Incorrect syntax near '?'.", 1],
])('refuses %j', (sql, message, line) => {
  const parse = (): unknown => parseBatch(sql);
  expect(parse).toThrow(SqlServerError);
  expect(parse).toThrow(expect.objectContaining({ message, line }));
});
