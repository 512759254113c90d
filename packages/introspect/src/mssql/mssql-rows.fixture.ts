import type { Catalog, CatalogColumn } from '@cdc-migrations/catalog';
import { buildMssqlCatalog } from './build-mssql-catalog.ts';
import { parseMssqlCatalogRows } from './parse-mssql-catalog-rows.ts';

type Row = Readonly<Record<string, unknown>>;
type Views = Readonly<Record<string, readonly object[]>>;

/** Minimal rows of a server: table `dbo.T` with a column `id`, and four types. */
export const VIEWS = {
  'sys.databases': [{ name: 'Db', collation_name: 'Danish_Norwegian_CI_AS' }],
  'sys.schemas': [
    { schema_id: 1, name: 'dbo' },
    { schema_id: 4, name: 'sys' },
  ],
  'sys.types': [
    { name: 'int', system_type_id: 56, user_type_id: 56, schema_id: 4 },
    { name: 'nvarchar', system_type_id: 231, user_type_id: 231, schema_id: 4 },
    { name: 'sysname', system_type_id: 231, user_type_id: 256, schema_id: 4 },
    {
      name: 'geography',
      system_type_id: 240,
      user_type_id: 130,
      schema_id: 4,
      is_assembly_type: true,
    },
    {
      name: 'geometry',
      system_type_id: 240,
      user_type_id: 129,
      schema_id: 4,
      is_assembly_type: true,
    },
  ],
  'sys.tables': [{ object_id: 1, name: 'T', schema_id: 1 }],
  'sys.columns': [columnRow({ column_id: 1, name: 'id' })],
} as const satisfies Views;

/** Builds a row of `sys.columns`. The default is a nullable int of table 1. */
export function columnRow(row: Row): Row {
  return {
    object_id: 1,
    column_id: 2,
    name: 'c',
    system_type_id: 56,
    user_type_id: 56,
    max_length: 4,
    precision: 10,
    scale: 0,
    is_nullable: true,
    ...row,
  };
}

/** Builds the catalog of the views above, with some views changed or extended. */
export function catalogOf(changes: Views, tables: readonly string[] = ['T']): Catalog {
  const selection = { database: 'Db', schema: 'dbo', pattern: 'db-per-tenant', tables } as const;
  return buildMssqlCatalog(parseMssqlCatalogRows({ ...VIEWS, ...changes }), selection);
}

/** Builds column `c` of a type with the name `type`. */
export function columnOf(type: string, row: Row, changes: Views = {}): CatalogColumn | undefined {
  const types = [...VIEWS['sys.types'], { name: type, system_type_id: 77, user_type_id: 7777 }];
  const column = columnRow({ system_type_id: 77, user_type_id: 7777, ...row });
  const columns = [...VIEWS['sys.columns'], column];
  const catalog = catalogOf({ 'sys.types': types, 'sys.columns': columns, ...changes });
  return catalog.tables[0]?.columns.find(({ name }) => name === 'c');
}
