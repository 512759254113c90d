import type { CapturePlan } from './plan-capture.ts';
import { renderCaptureSql, renderCleanupSql } from './render-capture-sql.ts';

/** Names for scripts that a DBA runs with sqlcmd, which interprets lines and variables even in literals. */
const HOSTILE = [
  "x\nGO\n:!! touch /tmp/mark\nGO\nDROP TABLE y --'",
  'a\r\n!!touch mark\r\nb',
  '$(PASSWORD)',
  'a\u2028:r /etc/passwd',
  '\n',
  "O'Brien + N'x' ]",
  'plain',
];

/** Returns the value that a script passes as an argument of a procedure. */
function argumentOf(batch: string, name: string): string | undefined {
  const given = new RegExp(`@${name} = (@${name}|N'(?:[^']|'')*')`).exec(batch)?.[1];
  if (given === undefined || given.startsWith('N')) return evaluate(given ?? '');
  const declared = new RegExp(`^DECLARE @${name} nvarchar\\(max\\) = (.*);$`, 'm').exec(batch)?.[1];
  return evaluate(declared ?? '');
}

/** Evaluates an expression of literals and character codes joined by `+`. */
function evaluate(expression: string): string {
  const parts = expression.matchAll(/N'((?:[^']|'')*)'|NCHAR\((\d+)\)/g);
  return [...parts]
    .map(([, text, code]) => text?.replaceAll("''", "'") ?? String.fromCharCode(Number(code)))
    .join('');
}

/** Splits a script into batches as sqlcmd does. */
function batchesOf(script: string): readonly string[] {
  expect(script).not.toContain('$(');
  expect(script).not.toMatch(/^\s*(?::|!!)/m);
  return script.split(/^GO$/m).map((batch) => batch.trim());
}

it.each(HOSTILE)('escapes %j as the name of a table to enable', (name) => {
  const plan: CapturePlan = {
    database: 'AdOpus',
    enablesDatabase: false,
    isBlocked: false,
    findings: [{ level: 'note', code: 'no-key', table: name, message: `of ${name}` }],
    tables: [{ schema: name, table: name, instance: name, columns: [name, 'b'], step: 'enable' }],
  };
  const [head, use, call, end] = batchesOf(renderCaptureSql(plan));
  expect([head, end]).toEqual([expect.stringMatching(/^--.*\n-- note no-key.*$/), '']);
  expect(use).toBe('USE [AdOpus];');
  for (const argument of ['source_schema', 'source_name', 'capture_instance']) {
    expect(argumentOf(call!, argument)).toBe(name);
  }
  const list = `[${name.replaceAll(']', ']]')}], [b]`;
  expect(argumentOf(call!, 'captured_column_list')).toBe(list);
});

it.each(HOSTILE)('escapes %j as the name of a capture instance to clean up', (name) => {
  const instance = { instance: name, schema: 'dbo', table: 't', changeTable: 't', startLsn: '' };
  const mark = '0000002A000001280003';
  const script = renderCleanupSql('AdOpus', [
    { ...instance, step: 'clean', mark, limitedBy: 'days' },
    { ...instance, step: 'nothing', reason: 'x' },
  ]);
  const [use, call, end] = batchesOf(script);
  expect([use, end]).toEqual(['USE [AdOpus];', '']);
  expect(argumentOf(call!, 'capture_instance')).toBe(name);
  expect(call).toMatch(/@low_water_mark = 0x0000002A000001280003, @threshold = 5000;$/);
});
