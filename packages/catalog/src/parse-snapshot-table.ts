import type { CatalogColumn, CatalogKey, CatalogTable } from './catalog.ts';
import { compareNames } from './compare-names.ts';
import { buildShapeParser, isMapping, show, type ShapeParser } from './shape.ts';
import type { SnapshotProblem } from './snapshot-error.ts';
import { COLUMN, FOREIGN_KEY, KEY, TABLE_KEYS, UNIQUE_INDEX } from './snapshot-shapes.ts';

const parseColumn = buildShapeParser(COLUMN);
const parseKey = buildShapeParser(KEY);
const parseUniqueIndex = buildShapeParser(UNIQUE_INDEX);
const parseForeignKey = buildShapeParser(FOREIGN_KEY);

const KNOWN: readonly string[] = Object.values(TABLE_KEYS);

type Report = (problem: Omit<SnapshotProblem, 'table'>) => void;

/** Table of a snapshot: what is wrong with it is added to `problems`, and the table then stands without it. */
export function parseSnapshotTable(
  name: string,
  value: unknown,
  problems: SnapshotProblem[],
): CatalogTable | undefined {
  const report: Report = (problem) => problems.push({ table: name, ...problem });
  if (!isMapping(value)) {
    report({ message: `is ${show(value)}; would be a mapping of ${KNOWN.join(', ')}` });
    return undefined;
  }
  for (const key of Object.keys(value)) {
    if (!KNOWN.includes(key)) report({ key, message: `unknown key; known: ${KNOWN.join(', ')}` });
  }
  const tracked = parseTracked(value[TABLE_KEYS.tracked], report);
  const primaryKey = parsePrimaryKey(value[TABLE_KEYS.primaryKey], report);
  const table: CatalogTable = {
    name,
    columns: parseColumns(value[TABLE_KEYS.columns], report),
    ...(primaryKey && { primaryKey }),
    uniqueIndexes: parseList(TABLE_KEYS.uniqueIndexes, value, parseUniqueIndex, report),
    foreignKeys: parseList(TABLE_KEYS.foreignKeys, value, parseForeignKey, report),
    ...(tracked !== undefined && { tracked }),
  };
  checkKeys(table, report);
  return table;
}

function parseTracked(value: unknown, report: Report): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') return value;
  report({ key: TABLE_KEYS.tracked, message: `is ${show(value)}; would be true or false` });
  return undefined;
}

function parseColumns(value: unknown, report: Report): CatalogColumn[] {
  if (!Array.isArray(value)) {
    const found = value === undefined ? 'is missing' : `is ${show(value)}`;
    report({ key: TABLE_KEYS.columns, message: `${found}; would be a list of columns` });
    return [];
  }
  const columns = new Map<string, CatalogColumn>();
  for (const [index, item] of value.entries()) {
    const column = parseColumn(item, (message, key) =>
      report({ column: nameOf(item) ?? `columns[${index}]`, key, message }),
    );
    if (!column) continue;
    if (columns.has(column.name)) report({ column: column.name, message: 'is there twice' });
    columns.set(column.name, column);
  }
  return [...columns.values()];
}

function parsePrimaryKey(value: unknown, report: Report): CatalogKey | undefined {
  if (value === undefined) return undefined;
  return parseKey(value, (message, key) =>
    report({ key: [TABLE_KEYS.primaryKey, key].filter(Boolean).join('.'), message }),
  );
}

function parseList<T extends CatalogKey>(
  listKey: string,
  table: Readonly<Record<string, unknown>>,
  parse: ShapeParser<T>,
  report: Report,
): T[] {
  const value = table[listKey] ?? [];
  if (!Array.isArray(value)) {
    report({ key: listKey, message: `is ${show(value)}; would be a list` });
    return [];
  }
  const items = value.map((item: unknown, index) =>
    parse(item, (message, key) => {
      const place = `${listKey}.${nameOf(item) ?? index}`;
      report({ key: key === undefined ? place : `${place}.${key}`, message });
    }),
  );
  return items.filter((item) => item !== undefined).sort(compareNames);
}

/** Keys and indexes name columns of their table; a foreign key as many as it refers to. */
function checkKeys(table: CatalogTable, report: Report): void {
  const names = new Set(table.columns.map((column) => column.name));
  const check = (key: string, columns: readonly string[]): void => {
    const strange = columns.filter((name) => !names.has(name));
    for (const name of strange) report({ key, message: `${show(name)} is no column of the table` });
  };
  if (table.primaryKey) check(TABLE_KEYS.primaryKey, table.primaryKey.columns);
  for (const index of table.uniqueIndexes)
    check(`${TABLE_KEYS.uniqueIndexes}.${index.name}`, index.columns);
  for (const { name, columns, references } of table.foreignKeys) {
    const key = `${TABLE_KEYS.foreignKeys}.${name}`;
    check(key, columns);
    if (columns.length !== references.columns.length) {
      report({ key, message: 'has not as many columns as it refers to' });
    }
  }
}

function nameOf(item: unknown): string | undefined {
  const name = isMapping(item) ? item['name'] : undefined;
  return typeof name === 'string' && name !== '' ? name : undefined;
}
