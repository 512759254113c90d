import { SET } from './management.fixture.ts';
import { renderSchemas } from './render-schemas.ts';

it('makes the schemas of the bookkeeping, of the set and of all tenants, each once', () => {
  const { path, text } = renderSchemas(SET, ['kunde-b', 'avansas', 'shared'], 'cdc "x"');
  expect(path).toBe('migrations/schemas/create-schemas.sql');
  expect(text.slice(text.indexOf('CREATE SCHEMA')))
    .toBe(`CREATE SCHEMA IF NOT EXISTS "cdc_management";
GRANT USAGE ON SCHEMA "cdc_management" TO "cdc ""x""";
CREATE SCHEMA IF NOT EXISTS "shared";
GRANT USAGE ON SCHEMA "shared" TO "cdc ""x""";
CREATE SCHEMA IF NOT EXISTS "avansas";
GRANT USAGE ON SCHEMA "avansas" TO "cdc ""x""";
CREATE SCHEMA IF NOT EXISTS "kunde-b";
GRANT USAGE ON SCHEMA "kunde-b" TO "cdc ""x""";
`);
});

it('is the same whatever the order of the tenants', () => {
  const [one, two] = [
    ['a', 'b'],
    ['b', 'a'],
  ].map((tenants) => renderSchemas(SET, tenants, 'postgres'));
  expect(one).toEqual(two);
});

it('takes a schema that is called as JavaScript calls any object', () => {
  const { text } = renderSchemas(SET, ['[object Object]'], 'postgres');
  expect(text).toContain('GRANT USAGE ON SCHEMA "[object Object]" TO "postgres";');
});
