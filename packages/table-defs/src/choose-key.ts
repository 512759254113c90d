import type { CatalogColumn, CatalogKey, CatalogTable } from '@cdc-migrations/catalog';
import type { SourceTable, ColumnTemplate } from '@cdc-migrations/config';
import { shortName } from '@cdc-migrations/sql-text';
import { goneAt, problemAt, suggestion, type ProblemList } from './problems.ts';
import type { KeyDefinition } from './table-definition.ts';
import type { TableMapping } from './find-source.ts';

/** Key of a source table with source names. */
export type SourceKey = KeyDefinition;

interface KeyChoice {
  readonly table: CatalogTable;
  /** Replicated columns. */
  readonly columns: readonly CatalogColumn[];
  readonly selection: SourceTable;
  /** Returns why a column cannot identify rows, or undefined if it can. */
  readonly problemOf: (column: CatalogColumn) => string | undefined;
  readonly problems: ProblemList;
}

/**
 * Chooses the columns that identify the rows of a table: its primary key, else `key_columns`, else an unfiltered unique
 * index over replicated NOT NULL columns, else null. Among several indexes, those with suitable types come first, then
 * the one with the fewest columns, then the first by name.
 */
export function chooseKey(choice: KeyChoice): SourceKey | null {
  const key = chooseColumns(choice);
  const { selection, problems } = choice;
  selection.lossyKeyColumns.forEach((name, index) => {
    if (key?.columns.includes(name)) return;
    const message = `"${name}" is not in the key; remove it from lossy_key_columns`;
    problems.errors.push(goneAt(selection.at, ['lossy_key_columns', index], message));
  });
  return key;
}

function chooseColumns(choice: KeyChoice): SourceKey | null {
  const { table, selection, problems } = choice;
  if (table.primaryKey) return choosePrimaryKey(table.primaryKey.columns, choice);
  if (selection.keyColumns) return chooseKeyColumns(selection.keyColumns, choice);
  const unique = findUniqueIndex(choice);
  if (unique) return { columns: unique, origin: 'unique index' };
  const message =
    `${selection.schema}.${table.name} has no key: inserts are appended, updates and deletes go to the dead ` +
    'letters; name its key in key_columns if it has one';
  problems.warnings.push(problemAt(selection.at, [], message));
  return null;
}

/**
 * Chooses the primary key. A primary key that is not replicated, such as a computed column, or that has unsuitable
 * types is ignored if `key_columns` names another key.
 */
function choosePrimaryKey(key: readonly string[], choice: KeyChoice): SourceKey {
  const { table, columns, selection, problemOf, problems } = choice;
  const name = `${selection.schema}.${table.name}`;
  const missing = key.filter((column) => !columns.some((replicated) => replicated.name === column));
  const isUnfit = columns.some((column) => key.includes(column.name) && problemOf(column));
  if (selection.keyColumns && (missing.length > 0 || isUnfit)) {
    return chooseKeyColumns(selection.keyColumns, choice);
  }
  for (const column of missing) {
    const message =
      `column "${column}" is part of the primary key of ${name} and is not replicated: ` +
      solution(column, table, selection);
    problems.errors.push(problemAt(selection.at, [], message));
  }
  if (selection.keyColumns) {
    const message = `${name} has the primary key (${key.join(', ')}); key_columns is for tables without one`;
    problems.errors.push(problemAt(selection.at, ['key_columns'], message));
  }
  return { columns: key, origin: 'primary key' };
}

function solution(
  column: string,
  { columns }: CatalogTable,
  { ignoreColumns }: SourceTable,
): string {
  const isComputed = columns.some(
    ({ name, computed }) => name === column && computed !== undefined,
  );
  if (isComputed) return 'it is computed; name another key in key_columns';
  return ignoreColumns.includes(column)
    ? 'remove it from ignore_columns, or name another key in key_columns'
    : 'add it to include_columns, or name another key in key_columns';
}

function chooseKeyColumns(
  key: readonly string[],
  { table, columns, selection, problems }: KeyChoice,
): SourceKey {
  const name = `${selection.schema}.${table.name}`;
  key.forEach((part, index) => {
    const column = columns.find((replicated) => replicated.name === part);
    if (!column) {
      const names = columns.map((replicated) => replicated.name);
      const message = `${name} has no replicated column "${part}"${suggestion(part, names)}`;
      problems.errors.push(goneAt(selection.at, ['key_columns', index], message));
    } else if (column.nullable) {
      const message = `column "${part}" of ${name} can be NULL: rows where it is go to the dead letters`;
      problems.warnings.push(problemAt(selection.at, ['key_columns', index], message));
    }
  });
  return { columns: key, origin: 'key_columns' };
}

function findUniqueIndex({ table, columns, problemOf }: KeyChoice): readonly string[] | undefined {
  // A row version is unique, but every update changes it, so it is no key.
  const fixed = columns.filter(({ nullable, type }) => !nullable && type !== 'rowversion');
  const notNull = new Set(fixed.map(({ name }) => name));
  const unfit = new Set(columns.filter(problemOf).map(({ name }) => name));
  const problems = (index: CatalogKey) => Number(index.columns.some((name) => unfit.has(name)));
  return table.uniqueIndexes
    .filter((index) => index.filter === undefined)
    .filter((index) => index.columns.every((name) => notNull.has(name)))
    .toSorted(
      (a, b) =>
        problems(a) - problems(b) ||
        a.columns.length - b.columns.length ||
        (a.name < b.name ? -1 : 1),
    )[0]?.columns;
}

/** Template for the column with the customer of a row. */
const CUSTOMER_TEMPLATE = 'customer_id';

/** Reports a table that receives rows of several customers without a column for the customer. */
export function checkCustomer(mapping: TableMapping, problems: ProblemList): void {
  const { catalog, table } = mapping;
  const isMixed = catalog.pattern === 'db-shared' || mixesDatabases(mapping);
  if (!isMixed || table.columnTemplates.some(({ template }) => template === CUSTOMER_TEMPLATE)) {
    return;
  }
  const message =
    `${table.schema}.${table.table} stores rows of several customers: add the column template ` +
    `"${CUSTOMER_TEMPLATE}"`;
  problems.errors.push(problemAt(table.at, [], message));
}

/**
 * Builds the key of the final table with PostgreSQL names. The customer comes first if a table combines rows of several
 * databases, as each database has its own key values.
 */
export function withCustomer(
  { columns, origin }: SourceKey,
  mapping: TableMapping,
  templates: ReadonlyMap<string, ColumnTemplate>,
  nameOf: (source: string) => string,
): KeyDefinition {
  const names = columns.map(nameOf);
  const use = mapping.table.columnTemplates.find(({ template }) => template === CUSTOMER_TEMPLATE);
  const customer = use && (use.name ?? templates.get(CUSTOMER_TEMPLATE)?.name);
  if (customer === undefined || !mixesDatabases(mapping)) return { columns: names, origin };
  const first = shortName(customer);
  return { columns: [first, ...names.filter((name) => name !== first)], origin };
}

/** Checks if a table combines several databases: with db-per-tenant, a literal schema is shared by all tenants. */
function mixesDatabases({ catalog, table, service }: TableMapping): boolean {
  return catalog.pattern === 'db-per-tenant' && table.schema !== service.name;
}
