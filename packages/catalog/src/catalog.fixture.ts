import type { Catalog, CatalogColumn, CatalogTable } from './catalog.ts';

/** A column with every facet. No real column has all of them. */
export const FULL_COLUMN: Required<CatalogColumn> = {
  name: 'Døv: "x"',
  type: 'nvarchar',
  length: 'max',
  precision: 38,
  scale: 10,
  array: 1,
  declaredAs: 'dbo.Url',
  declaredKind: 'alias',
  nullable: false,
  identity: true,
  computed: '(len([Notat]))',
  default: "('N''#')",
  collation: 'Latin1_General_CI_AS',
};

export const ACTOR: CatalogTable = {
  name: 'Actor',
  columns: [
    { name: 'actno', type: 'int', nullable: false, identity: true },
    { name: 'Navn', type: 'nvarchar', length: 100, nullable: true },
    FULL_COLUMN,
  ],
  primaryKey: { name: 'PK_Actor', columns: ['actno'] },
  uniqueIndexes: [
    { name: 'UX_A', columns: ['Navn', 'actno'] },
    { name: 'UX_B', columns: ['Navn'], filter: '([Navn] IS NOT NULL)' },
  ],
  foreignKeys: [
    {
      name: 'FK_Actor_Actor',
      columns: ['actno'],
      references: { schema: 'dbo', table: 'Actor', columns: ['actno'] },
    },
  ],
  tracked: true,
};

export const CATALOG: Catalog = {
  database: 'AdOpusTest',
  schema: 'dbo',
  type: 'mssql',
  pattern: 'db-per-tenant',
  collation: 'Danish_Norwegian_CI_AS',
  fingerprint: 'mssql:5e2d',
  tables: [ACTOR],
};

/** Builds a table with a name and one column. */
export function plainTable(name: string): CatalogTable {
  return {
    name,
    columns: [{ name: 'id', type: 'int', nullable: false }],
    uniqueIndexes: [],
    foreignKeys: [],
  };
}
