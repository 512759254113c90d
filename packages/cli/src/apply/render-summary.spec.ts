import type { ApplyResult, FileFailure } from '@cdc-migrations/tracker';
import { renderSummary } from './render-summary.ts';

const NOTHING: ApplyResult = {
  applied: [],
  appliedBefore: 0,
  failures: [],
  waiting: [],
  notBegun: [],
  schemaCount: 3,
  mergeProblems: [],
  tightened: [],
  indexes: [],
  stale: [],
};

const failureIn = (schema: string, more: Partial<FileFailure> = {}): FileFailure => ({
  kind: 'unsafe',
  schema,
  path: 'tables/Actor.sql',
  message: `table ${schema}."Actor" column "Navn" could lose values`,
  code: 'CD005',
  detail: undefined,
  context: undefined,
  statement: { line: 28, text: `CALL cdc_management.converge_table('${schema}'` },
  hint: 'Write a manual file.',
  ...more,
});
const render = (...failures: readonly FileFailure[]) =>
  renderSummary('sink', { ...NOTHING, failures }).slice(1);

it('prints the failures of two schemas separately', () => {
  expect(render(failureIn('blue'), failureIn('avansas'))).toHaveLength(6);
});

it('prints a failure that several schemas share once, with their names', () => {
  expect(render(failureIn('blue'), failureIn('avansas'), failureIn('oslo'))).toEqual([
    'blue tables/Actor.sql: table blue."Actor" column "Navn" could lose values (SQLSTATE CD005)',
    "  statement at line 28: CALL cdc_management.converge_table('blue'",
    '  hint: Write a manual file.',
    '  the same in 2 more: avansas, oslo',
  ]);
});

it.each<[string, Partial<FileFailure>]>([
  ['a different file', { path: 'tables/Distrikt.sql' }],
  ['a different reason', { message: 'relation "x" does not exist' }],
  ['a different code', { code: '42P01' }],
  ['a different hint', { hint: 'Drop it.' }],
])('prints a failure with %s separately', (_, more) => {
  const lines = render(failureIn('blue'), failureIn('oslo'), failureIn('avansas', more)).join('\n');
  expect(lines).toContain('\navansas ');
  expect(lines).not.toContain('the same in');
});

it('lists at most ten schemas', () => {
  const schemas = Array.from({ length: 12 }, (_, index) => `c${index}`);
  expect(render(...schemas.map((schema) => failureIn(schema))).at(-1)).toBe(
    '  the same in 11 more: c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, …',
  );
});
