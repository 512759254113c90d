import { splitStatements } from './split-statements.ts';

it.each([
  ['an empty text', '', []],
  ['a text with comments only', '-- a;\n/* b; /* c; */ ; */', []],
  ['two statements', 'SELECT 1; SELECT 2', ['SELECT 1', 'SELECT 2']],
  ['a text with empty statements', ';;SELECT 1;;', ['SELECT 1']],
  ['a literal', `SELECT 'a;''b;'; SELECT 1`, [`SELECT 'a;''b;'`, 'SELECT 1']],
  ['a literal with escapes', `SELECT E'a\\';'; SELECT 1`, [`SELECT E'a\\';'`, 'SELECT 1']],
  ['a backslash in a plain literal', `SELECT 'a\\'; SELECT 1`, [`SELECT 'a\\'`, 'SELECT 1']],
  ['a name', `SELECT "a;""b;"; SELECT 1`, [`SELECT "a;""b;"`, 'SELECT 1']],
  [
    'a dollar quote',
    'DO $x$ BEGIN; $$ END $x$; SELECT 1',
    ['DO $x$ BEGIN; $$ END $x$', 'SELECT 1'],
  ],
  [
    'a parameter and a name with dollars',
    'SELECT $1, a$b$c; SELECT 1',
    ['SELECT $1, a$b$c', 'SELECT 1'],
  ],
  [
    'an atomic body',
    'CREATE FUNCTION f() BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END; SELECT 1',
    [
      'CREATE FUNCTION f() BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END',
      'SELECT 1',
    ],
  ],
  [
    'a rule',
    'CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2); SELECT 1',
    ['CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)', 'SELECT 1'],
  ],
  ['non-ASCII characters', `SELECT "æ;ø"; SELECT 'å;'`, [`SELECT "æ;ø"`, `SELECT 'å;'`]],
])('splits %s', (_, sql, expected) => {
  expect(splitStatements(sql).map(({ text }) => text)).toEqual(expected);
  for (const { offset, text } of splitStatements(sql))
    expect(sql.slice(offset, offset + text.length)).toBe(text);
});
