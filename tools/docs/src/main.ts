import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { renderDocuments } from './render-documents.ts';

/**
 * Runs `npm run docs`: writes generated blocks, JSON Schemas and reports of public APIs. With `--check` it lists the
 * stale ones. Exits with 1 for these, and for invalid exports of a library.
 */
const ROOT = join(import.meta.dirname, '../../..');

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
const { documents, faults } = await renderDocuments(ROOT);
const stale = documents.filter(({ before, text }) => before !== text);
for (const { path, text } of stale) {
  console.log(`${values.check ? 'stale' : 'written'}: ${path}`);
  if (!values.check) writeFileSync(join(ROOT, path), text);
}
for (const fault of faults) console.error(fault);
if ((values.check && stale.length > 0) || faults.length > 0) process.exitCode = 1;
