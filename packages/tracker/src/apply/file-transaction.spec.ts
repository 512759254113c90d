import type { MigrationFile } from '../migrations/migrations.ts';
import { expandSchema, PlaceholderError } from './file-transaction.ts';

const fileOf = (scope: MigrationFile['scope'], text: string) =>
  ({ path: 'migrations/after/0010-grants.sql', scope, text }) as MigrationFile;

describe('the placeholder of a file', () => {
  it('is replaced with the schema of the tenant', () => {
    const file = fileOf(
      'tenant',
      `GRANT USAGE ON SCHEMA "{{SCHEMA}}" TO reader; SELECT '{{SCHEMA}}'`,
    );
    expect(expandSchema({ file, schema: 'blue' })).toBe(
      `GRANT USAGE ON SCHEMA "blue" TO reader; SELECT 'blue'`,
    );
  });

  it.each([
    ['tenant', '{{ SCHEMA }}'],
    ['tenant', '{{schema}}'],
    ['database', '{{SCHEMA}}'],
  ] as const)('is refused in a file of scope %s as %s', (scope, placeholder) => {
    const file = fileOf(scope, `SELECT '${placeholder}'`);
    const expand = () => expandSchema({ file, schema: 'blue' });
    expect(expand).toThrow(PlaceholderError);
    expect(expand).toThrow(
      `migrations/after/0010-grants.sql: expected only {{SCHEMA}} in a file of tenants, found ${placeholder}`,
    );
  });
});
