import { findClientCommand } from './client-command.ts';

it.each([
  ['COPY t FROM STDIN;', 1, 'COPY FROM STDIN'],
  [
    'SELECT 1;\n-- x\ncopy "t" (a, b) from stdin WITH (FORMAT csv);\n1\n\\.\n',
    3,
    'COPY FROM STDIN',
  ],
  ['COPY (SELECT 1) TO STDOUT', 1, 'COPY TO STDOUT'],
  ['/* a */ COPY t FROM\nSTDOUT', 2, 'COPY FROM STDOUT'],
  ['\\! touch mark', 1, 'a command of psql'],
  ['SELECT 1 \\gexec', 1, 'a command of psql'],
  [`SELECT 'a\\'\n\\! touch mark`, 2, 'a command of psql'],
])('finds a client command in %s', (sql, line, found) => {
  expect(findClientCommand(sql)).toEqual({
    line,
    message: expect.stringContaining(`found ${found}`),
  });
});

it.each([
  "COPY t FROM '/tmp/x'",
  "COPY t FROM PROGRAM 'x'",
  'SELECT stdin FROM stdin',
  'SELECT 1; INSERT INTO copy SELECT * FROM stdin',
  `SELECT 'COPY t FROM STDIN', '\\', E'\\'\\\\', "\\x", $$ \\! $$ -- \\!\n/* \\! COPY t FROM STDIN */`,
  'CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $f$ COPY t FROM STDIN; \\! $f$',
])('finds no client command in %s', (sql) => {
  expect(findClientCommand(sql)).toBeUndefined();
});
