import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDefinition } from '@cdc-migrations/table-defs';
import { renderTable } from './render-table.ts';
import { renderValidation } from './render-validation.ts';

const CASES = join(__dirname, '..', 'cases');

/**
 * Every folder of `cases` has a definition and the expected file. UPDATE_CASES=1 writes the expected files for a
 * review.
 */
test.each(readdirSync(CASES))('%s', (name) => {
  const folder = join(CASES, name);
  const file = join(folder, 'definition.yaml');
  const table = parseDefinition(readFileSync(file, 'utf8'), file);
  const { text } =
    table.kind === 'replicated'
      ? renderTable(table, `migrations/tables/${table.name}.sql`)
      : renderValidation(table, `migrations/validation/${table.name}.sql`);
  const expected = join(folder, 'expected.sql');
  if (process.env['UPDATE_CASES']) writeFileSync(expected, text);
  expect(text).toBe(readFileSync(expected, 'utf8'));
});
