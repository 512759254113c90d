import {
  compareNames,
  type CatalogForeignKey,
  type CatalogTable,
  type CatalogUniqueIndex,
} from '@cdc-migrations/catalog';
import { groupBy } from '@cdc-migrations/sql-text';
import { NOT_VISIBLE, rowsInOrder } from './build-mssql-columns.ts';
import type { MssqlCatalogRows } from './parse-mssql-catalog-rows.ts';

type TableKeys = Pick<CatalogTable, 'primaryKey' | 'uniqueIndexes' | 'foreignKeys'>;

/** Returns the names of a table's columns, or undefined if one of them is not visible. */
type NamesOf = (objectId: number, columnIds: readonly number[]) => readonly string[] | undefined;

/**
 * Builds the keys of tables by `object_id`: primary key and unique indexes from `sys.indexes`, and foreign keys with
 * their target. Disabled indexes and keys are omitted, because the server does not enforce them.
 */
export function buildMssqlKeys(rows: MssqlCatalogRows): (objectId: number) => TableKeys {
  const namesOf = buildNamesOf(rows);
  const indexes = groupBy(buildIndexes(rows, namesOf), ({ objectId }) => objectId);
  const foreignKeys = groupBy(buildForeignKeys(rows, namesOf), ({ objectId }) => objectId);

  return (objectId) => {
    const own = indexes.get(objectId) ?? [];
    const primary = own.find(({ isPrimaryKey }) => isPrimaryKey);
    const unique = own.filter(({ isPrimaryKey }) => !isPrimaryKey).map(({ index }) => index);
    const foreign = (foreignKeys.get(objectId) ?? []).map(({ key }) => key);
    return {
      ...(primary && { primaryKey: { name: primary.index.name, columns: primary.index.columns } }),
      uniqueIndexes: unique.sort(compareNames),
      foreignKeys: foreign.sort(compareNames),
    };
  };
}

interface TableIndex {
  readonly objectId: number;
  readonly isPrimaryKey: boolean;
  readonly index: CatalogUniqueIndex;
}

function buildIndexes(rows: MssqlCatalogRows, namesOf: NamesOf): readonly TableIndex[] {
  const keyColumns = rows.index_columns.filter((row) => row.key_ordinal > 0);
  const columnsOf = groupBy(keyColumns, indexKey);
  const keys = rows.indexes.filter(
    (row) => (row.is_primary_key || row.is_unique) && !row.is_disabled && !row.is_hypothetical,
  );
  const once = new Map(keys.map((row) => [indexKey(row), row]));
  return [...once].flatMap(([key, row]) => {
    const inOrder = rowsInOrder(columnsOf.get(key), ({ key_ordinal }) => key_ordinal);
    const columnIds = inOrder.map(({ column_id }) => column_id);
    const columns = namesOf(row.object_id, columnIds);
    if (row.name === null || !columns) return [];
    const filter = row.filter_definition ?? (row.has_filter ? NOT_VISIBLE : undefined);
    const index = { name: row.name, columns, ...(filter !== undefined && { filter }) };
    return { objectId: row.object_id, isPrimaryKey: row.is_primary_key, index };
  });
}

interface TableForeignKey {
  readonly objectId: number;
  readonly key: CatalogForeignKey;
}

function buildForeignKeys(rows: MssqlCatalogRows, namesOf: NamesOf): readonly TableForeignKey[] {
  const tables = new Map(rows.tables.map((row) => [row.object_id, row]));
  const schemas = new Map(rows.schemas.map((row) => [row.schema_id, row.name]));
  const columnsOf = groupBy(rows.foreign_key_columns, (row) => row.constraint_object_id);
  const once = new Map(rows.foreign_keys.map((row) => [row.object_id, row]));
  return [...once.values()].flatMap((row) => {
    const pairs = rowsInOrder(columnsOf.get(row.object_id), (pair) => pair.constraint_column_id);
    const columns = namesOf(
      row.parent_object_id,
      pairs.map((pair) => pair.parent_column_id),
    );
    const target = tables.get(row.referenced_object_id);
    const schema = target && schemas.get(target.schema_id);
    const targetColumns = namesOf(
      row.referenced_object_id,
      pairs.map((pair) => pair.referenced_column_id),
    );
    if (!columns || !target || schema === undefined || !targetColumns) return [];
    const references = { schema, table: target.name, columns: targetColumns };
    return { objectId: row.parent_object_id, key: { name: row.name, columns, references } };
  });
}

function buildNamesOf({ columns }: MssqlCatalogRows): NamesOf {
  const names = new Map(columns.map((row) => [`${row.object_id}.${row.column_id}`, row.name]));
  return (objectId, columnIds) => {
    const found = columnIds.flatMap((columnId) => names.get(`${objectId}.${columnId}`) ?? []);
    return found.length > 0 && found.length === columnIds.length ? found : undefined;
  };
}

function indexKey(row: { readonly object_id: number; readonly index_id: number }): string {
  return `${row.object_id}.${row.index_id}`;
}
