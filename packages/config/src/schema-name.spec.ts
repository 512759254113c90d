import { schemaNameProblem, tenantNameProblem } from './schema-name.ts';

it.each([
  'avansas',
  'brukerforum22',
  'Ås kommune',
  'a-b.c',
  '世界',
  'o'.repeat(63),
  'ø'.repeat(31),
])('accepts %j as a tenant', (name) => {
  expect(tenantNameProblem(name)).toBeUndefined();
});

it.each([
  ['', 'empty'],
  ['a"b', 'contains "'],
  ["a'b", "contains '"],
  ['a\\b', 'contains \\'],
  ['a$b', 'contains $'],
  ['a{b', 'contains {'],
  ['a}b', 'contains }'],
  ['a\nb', 'a control character'],
  ['a\u0000b', 'a control character'],
  ['a\u007fb', 'a control character'],
  ['a\u0085b', 'a control character'],
  ['o'.repeat(64), '64 bytes'],
  ['ø'.repeat(32), '64 bytes'],
  ['pg_avansas', 'PostgreSQL'],
  ['information_schema', 'PostgreSQL'],
  ['cdc_management', 'bookkeeping'],
])('refuses %j as a schema and as a tenant', (name, reason) => {
  expect(schemaNameProblem(name)).toContain(reason);
  expect(tenantNameProblem(name)).toContain(reason);
});

it('refuses public as a tenant, not as a schema', () => {
  expect(schemaNameProblem('public')).toBeUndefined();
  expect(tenantNameProblem('public')).toContain('in every database');
});
