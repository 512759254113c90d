import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDefinition } from '@cdc-migrations/table-defs';
import { renderStaging } from './render-staging.ts';

const CASES = join(__dirname, '..', 'cases');

/**
 * Every folder of `cases` has a definition and the expected file. UPDATE_CASES=1 writes the expected files for a
 * review.
 */
test.each(readdirSync(CASES))('renders the expected file of the case %s', (name) => {
  const folder = join(CASES, name);
  const file = join(folder, 'definition.yaml');
  const table = parseDefinition(readFileSync(file, 'utf8'), file);
  if (table.kind !== 'replicated') throw new Error('an existing table has no staging');
  const path = `migrations/staging/${table.name}-staging.sql`;
  const { text } = renderStaging(table, { path, role: 'cdc_writer' });
  const expected = join(folder, 'expected.sql');
  if (process.env['UPDATE_CASES']) writeFileSync(expected, text);
  expect(text).toBe(readFileSync(expected, 'utf8'));
});
