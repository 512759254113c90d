import type { CatalogRow } from './views.ts';

/** Name, system_type_id, max_length, precision, scale, and user_type_id if it differs. */
const TYPES: readonly (readonly [string, number, number, number, number, number?])[] = [
  ['image', 34, 16, 0, 0],
  ['text', 35, 16, 0, 0],
  ['uniqueidentifier', 36, 16, 0, 0],
  ['date', 40, 3, 10, 0],
  ['time', 41, 5, 16, 7],
  ['datetime2', 42, 8, 27, 7],
  ['datetimeoffset', 43, 10, 34, 7],
  ['tinyint', 48, 1, 3, 0],
  ['smallint', 52, 2, 5, 0],
  ['int', 56, 4, 10, 0],
  ['smalldatetime', 58, 4, 16, 0],
  ['real', 59, 4, 24, 0],
  ['money', 60, 8, 19, 4],
  ['datetime', 61, 8, 23, 3],
  ['float', 62, 8, 53, 0],
  ['sql_variant', 98, 8016, 0, 0],
  ['ntext', 99, 16, 0, 0],
  ['bit', 104, 1, 1, 0],
  ['decimal', 106, 17, 38, 38],
  ['numeric', 108, 17, 38, 38],
  ['smallmoney', 122, 4, 10, 4],
  ['bigint', 127, 8, 19, 0],
  ['varbinary', 165, 8000, 0, 0],
  ['varchar', 167, 8000, 0, 0],
  ['binary', 173, 8000, 0, 0],
  ['char', 175, 8000, 0, 0],
  ['timestamp', 189, 8, 0, 0],
  ['nvarchar', 231, 8000, 0, 0],
  ['nchar', 239, 8000, 0, 0],
  ['xml', 241, -1, 0, 0],
  ['sysname', 231, 256, 0, 0, 256],
  ['hierarchyid', 240, 892, 0, 0, 128],
  ['geometry', 240, -1, 0, 0, 129],
  ['geography', 240, -1, 0, 0, 130],
];

/** Builds sys.types of a database without user-defined types. */
export function systemTypes(collation: string): readonly CatalogRow[] {
  return TYPES.map(([name, id, bytes, precision, scale, userTypeId = id]) => ({
    ...{ name, system_type_id: id, user_type_id: userTypeId },
    ...{ max_length: bytes, precision, scale },
    collation_name: /char|text|sysname/.test(name) ? collation : null,
    is_nullable: !/^(timestamp|sysname)$/.test(name),
    is_assembly_type: id === 240,
  }));
}
