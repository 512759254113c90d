import { readFileSync } from 'node:fs';
import type { MssqlCatalog } from './engine/open-engine.ts';
import { columnRow, systemTypes } from './engine/system-types.ts';
import type { RowValues } from './engine/views.ts';

const FILE = new URL('../data/AdOpusTest.catalog.json', import.meta.url);

/** Reads the catalog of AdOpus's validation database. It has the 43 tables that data/AdOpusTest.sql creates. */
export function readAdopusCatalog(): MssqlCatalog {
  return JSON.parse(readFileSync(FILE, 'utf8')) as MssqlCatalog;
}

/** Size of a synthetic catalog. */
export interface CatalogSize {
  readonly tables: number;
  readonly columnsPerTable: number;
}

/** Types that the columns after the key take in turn. */
const TYPES = [
  'nvarchar(100)',
  'int',
  'datetime2(7)',
  'decimal(18, 2)',
  'bit',
  'varchar(50)',
  'uniqueidentifier',
  'nvarchar(max)',
  'bigint',
  'date',
];

const FIRST_OBJECT_ID = 100_000_000;
const IDS_PER_TABLE = 16;

/** Builds a catalog of tables `dbo.Table0001`, … with a primary key on their first column, `Id`. */
export function synthesizeCatalog({ tables, columnsPerTable }: CatalogSize): MssqlCatalog {
  const types = systemTypes('Danish_Norwegian_CI_AS');
  const template = Array.from({ length: columnsPerTable }, (_, i) =>
    i === 0
      ? columnRow({ name: 'Id', type: 'int', isNullable: false, isIdentity: true }, types)
      : columnRow({ name: `Column${i}`, type: TYPES[i % TYPES.length] ?? 'int' }, types),
  );
  const ids = Array.from({ length: tables }, (_, i) => FIRST_OBJECT_ID + i * IDS_PER_TABLE);
  const name = (i: number): string => `Table${String(i + 1).padStart(4, '0')}`;
  const perTable = (row: (id: number, i: number) => RowValues): readonly RowValues[] =>
    ids.map(row);
  return {
    'sys.tables': perTable((id, i) => ({ object_id: id, name: name(i) })),
    'sys.columns': ids.flatMap((id) =>
      template.map((column, i) => ({ object_id: id, column_id: i + 1, ...column })),
    ),
    'sys.indexes': perTable((id, i) => ({
      ...{
        object_id: id,
        name: `PK_${name(i)}`,
        index_id: 1,
        is_unique: true,
        is_primary_key: true,
      },
    })),
    'sys.index_columns': perTable((id) => ({
      ...{ object_id: id, index_id: 1, column_id: 1, key_ordinal: 1 },
    })),
  };
}
