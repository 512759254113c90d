import {
  compareNames,
  type Catalog,
  type CatalogColumn,
  type CatalogTable,
} from '@cdc-migrations/catalog';
import { groupBy } from '@cdc-migrations/sql-text';
import type { CatalogSelection } from '../source-database.ts';
import { buildPostgresType } from './build-postgres-type.ts';
import type {
  ColumnRow,
  ForeignKeyRow,
  IndexRow,
  PostgresCatalogRows,
  TypeRow,
} from './postgres-rows.ts';

/**
 * Builds the catalog of the selected tables that exist, from rows of PostgreSQL's catalog. Names are case-sensitive.
 */
export function buildPostgresCatalog(
  rows: PostgresCatalogRows,
  { database, schema, pattern, tables }: CatalogSelection,
): Catalog {
  const types = new Map(rows.types.map((type) => [type.oid, type]));
  const columnsOf = groupBy(rows.columns, ({ table }) => table);
  const indexesOf = groupBy(rows.indexes, ({ table }) => table);
  const foreignKeysOf = groupBy(rows.foreignKeys, ({ table }) => table);
  const wanted = new Set(tables);
  const built = rows.tables
    .filter((row) => row.schema === schema && wanted.has(row.name))
    .map(({ oid, name, published }): CatalogTable => ({
      name,
      columns: (columnsOf.get(oid) ?? []).map((column) => buildColumn(column, types)),
      ...buildKeys(indexesOf.get(oid) ?? []),
      foreignKeys: (foreignKeysOf.get(oid) ?? []).map(buildForeignKey).sort(compareNames),
      ...(published && { tracked: true }),
    }));
  return { database, schema, type: 'postgres', pattern, tables: built.sort(compareNames) };
}

function buildColumn(row: ColumnRow, types: ReadonlyMap<number, TypeRow>): CatalogColumn {
  const { notNull, ...type } = buildPostgresType(row, types);
  const { name, expression, collation } = row;
  return {
    name,
    ...type,
    nullable: !(row.not_null || notNull),
    ...(row.identity && { identity: true }),
    ...(row.generated && { computed: expression ?? '(not visible)' }),
    ...(!row.generated && expression !== null && { default: expression }),
    ...(collation !== null && { collation }),
  };
}

function buildKeys(rows: readonly IndexRow[]): Pick<CatalogTable, 'primaryKey' | 'uniqueIndexes'> {
  const primary = rows.find((row) => row.primary);
  const unique = rows.filter((row) => !row.primary);
  return {
    ...(primary && { primaryKey: { name: primary.name, columns: primary.columns } }),
    uniqueIndexes: unique
      .map(({ name, columns, filter }) => ({ name, columns, ...(filter !== null && { filter }) }))
      .sort(compareNames),
  };
}

function buildForeignKey(row: ForeignKeyRow): CatalogTable['foreignKeys'][number] {
  const { name, columns, schema, referred, referred_columns } = row;
  return { name, columns, references: { schema, table: referred, columns: referred_columns } };
}
