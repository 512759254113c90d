import type { CatalogColumn, CatalogTable } from '@cdc-migrations/catalog';
import type { SourceTable } from '@cdc-migrations/config';
import { problemAt, suggestion, type ProblemList } from './problems.ts';
import type { KeyDefinition } from './table-definition.ts';

/** Key of a source table, in names of the source. */
export type SourceKey = KeyDefinition;

/**
 * The columns that tell the rows of a table apart: its primary key; else `key_columns`; else a unique index
 * without a filter over replicated NOT NULL columns (the one with fewest columns, then by name); else null.
 */
export function chooseKey(
  table: CatalogTable,
  columns: readonly CatalogColumn[],
  selection: SourceTable,
  problems: ProblemList,
): SourceKey | null {
  const replicated = new Map(columns.map((column) => [column.name, column]));
  if (table.primaryKey)
    return primaryKey(table.primaryKey.columns, table, replicated, selection, problems);
  if (selection.keyColumns)
    return chosenKey(selection.keyColumns, table, replicated, selection, problems);
  const unique = table.uniqueIndexes
    .filter(({ filter }) => filter === undefined)
    .filter((index) => index.columns.every((name) => replicated.get(name)?.nullable === false))
    .toSorted((a, b) => a.columns.length - b.columns.length || (a.name < b.name ? -1 : 1))[0];
  if (unique) return { columns: unique.columns, origin: 'unique index' };
  const message =
    `${selection.schema}.${table.name} has no key: inserts are appended, updates and deletes go to the dead ` +
    'letters; name its key in key_columns if it has one';
  problems.warnings.push(problemAt(selection.at, [], message));
  return null;
}

type Replicated = ReadonlyMap<string, CatalogColumn>;

function primaryKey(
  key: readonly string[],
  table: CatalogTable,
  replicated: Replicated,
  selection: SourceTable,
  problems: ProblemList,
): SourceKey {
  const name = `${selection.schema}.${table.name}`;
  for (const missing of key.filter((column) => !replicated.has(column))) {
    const message = `column "${missing}" is part of the primary key of ${name} and must be replicated`;
    problems.errors.push(problemAt(selection.at, [], message));
  }
  if (selection.keyColumns) {
    const message = `${name} has the primary key (${key.join(', ')}); key_columns is for tables without one`;
    problems.errors.push(problemAt(selection.at, ['key_columns'], message));
  }
  return { columns: key, origin: 'primary key' };
}

function chosenKey(
  key: readonly string[],
  table: CatalogTable,
  replicated: Replicated,
  selection: SourceTable,
  problems: ProblemList,
): SourceKey {
  key.forEach((column, index) => {
    if (replicated.has(column)) return;
    const message =
      `${selection.schema}.${table.name} has no replicated column "${column}"` +
      suggestion(column, replicated.keys());
    problems.errors.push(problemAt(selection.at, ['key_columns', index], message));
  });
  return { columns: key, origin: 'key_columns' };
}
