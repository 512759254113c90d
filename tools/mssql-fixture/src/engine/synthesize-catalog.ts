import { columnRow } from './column-row.ts';
import { systemTypes } from './system-types.ts';
import type { CatalogRow, MssqlCatalog } from './views.ts';

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
  const perTable = (row: (id: number, i: number) => CatalogRow): readonly CatalogRow[] =>
    ids.map(row);
  return {
    'sys.tables': perTable((id, i) => ({ object_id: id, name: name(i), schema_id: 1, type: 'U' })),
    'sys.columns': ids.flatMap((id) =>
      template.map((column, i) => ({ object_id: id, column_id: i + 1, ...column })),
    ),
    'sys.identity_columns': perTable((id) => ({
      ...{ object_id: id, column_id: 1, seed_value: 1, increment_value: 1 },
    })),
    'sys.indexes': perTable((id, i) => ({
      ...{ object_id: id, name: `PK_${name(i)}`, index_id: 1, type: 1, type_desc: 'CLUSTERED' },
      ...{ is_unique: true, is_primary_key: true },
    })),
    'sys.index_columns': perTable((id) => ({
      ...{ object_id: id, index_id: 1, index_column_id: 1, column_id: 1, key_ordinal: 1 },
    })),
    'sys.key_constraints': perTable((id, i) => ({
      ...{ object_id: id + 1, name: `PK_${name(i)}`, schema_id: 1, parent_object_id: id },
      ...{ type: 'PK', unique_index_id: 1 },
    })),
    'sys.partitions': perTable((id) => ({ partition_id: id, object_id: id, index_id: 1 })),
  };
}
