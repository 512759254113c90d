import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { renderDocuments } from './render-documents.ts';

/** `npm run docs`: writes the generated blocks; with `--check` names the documents that are stale, and exits with 1. */
const ROOT = join(import.meta.dirname, '../../..');

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
const documents = await renderDocuments(ROOT);
const stale = documents.filter(({ before, text }) => before !== text);
for (const { path, text } of stale) {
  console.log(`${values.check ? 'stale' : 'written'}: ${path}`);
  if (!values.check) writeFileSync(join(ROOT, path), text);
}
if (values.check && stale.length > 0) process.exitCode = 1;
