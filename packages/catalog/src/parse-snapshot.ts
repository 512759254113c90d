import { parseYaml } from '@cdc-migrations/generated-file';
import type { Catalog, CatalogTable } from './catalog.ts';
import { compareNames } from './compare-names.ts';
import { parseSnapshotTable } from './parse-snapshot-table.ts';
import { buildShapeParser, isMapping, show } from './shape.ts';
import { SnapshotError, type SnapshotProblem } from './snapshot-error.ts';
import { HEAD } from './snapshot-shapes.ts';

const parseHead = buildShapeParser(HEAD);

/**
 * Catalog of a snapshot's text, tables in order of name. Any YAML of the right content is accepted, edited by
 * hand or not: the checksum is not looked at. Throws SnapshotError with every problem; `path` is told in it.
 */
export function parseSnapshot(text: string, path: string): Catalog {
  const problems: SnapshotProblem[] = [];
  const { tables: written, ...rest } = readMapping(text, path);
  const head = parseHead(rest, (message, key) => problems.push({ key, message }));
  const tables: CatalogTable[] = [];
  if (isMapping(written)) {
    for (const [name, value] of Object.entries(written)) {
      const table = parseSnapshotTable(name, value, problems);
      if (table) tables.push(table);
    }
  } else {
    const found = written === undefined ? 'is missing' : `is ${show(written)}`;
    problems.push({ key: 'tables', message: `${found}; would be a mapping of tables by name` });
  }
  if (!head || problems.length > 0) throw new SnapshotError(path, problems);
  return { ...head, tables: tables.sort(compareNames) };
}

function readMapping(text: string, path: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = parseYaml(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SnapshotError(path, [{ message: `no YAML: ${reason}` }], { cause });
  }
  if (isMapping(value)) return value;
  throw new SnapshotError(path, [{ message: `is ${show(value)}; would be a snapshot` }]);
}
