import { SET } from './management.fixture.ts';
import { renderSchemas } from './render-schemas.ts';

it('creates the schemas of the bookkeeping, the set and all tenants, each once', () => {
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

it('renders the same file for any order of the tenants', () => {
  const [one, two] = [
    ['a', 'b'],
    ['b', 'a'],
  ].map((tenants) => renderSchemas(SET, tenants, 'postgres'));
  expect(one).toEqual(two);
});

it('accepts a schema named [object Object]', () => {
  const { text } = renderSchemas(SET, ['[object Object]'], 'postgres');
  expect(text).toContain('GRANT USAGE ON SCHEMA "[object Object]" TO "postgres";');
});
