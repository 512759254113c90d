import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { code, markdownTable } from './markdown-table.ts';

interface Row {
  readonly input: string;
  readonly change: string;
  readonly runs: readonly string[];
}

const TARGETS = [
  ...['table-defs', 'schemas', 'infrastructure', 'tables', 'staging', 'migrations', 'pipelines'],
];

/** Renders the targets that run again after each change, from the rows of the caching test. */
export function renderCachingMatrix(root: string): string {
  const file = join(root, 'packages/nx-plugin/src/caching-matrix.json');
  const rows = JSON.parse(readFileSync(file, 'utf8')) as readonly Row[];
  const strange = rows.flatMap(({ runs }) => runs.filter((name) => !TARGETS.includes(name)));
  if (strange.length > 0) throw new Error(`caching-matrix.json: no target ${strange.join(', ')}`);
  return markdownTable(
    ['input', 'change', ...TARGETS.map(code)],
    rows.map(({ input, change, runs }) => [
      input,
      change,
      ...TARGETS.map((target) => (runs.includes(target) ? 'runs' : '')),
    ]),
  );
}
