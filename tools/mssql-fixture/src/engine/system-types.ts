import type { FoundRow, RowValues } from './views.ts';

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
export function systemTypes(collation: string): readonly FoundRow[] {
  return TYPES.map(([name, id, bytes, precision, scale, userTypeId = id]) => ({
    ...{ name, system_type_id: id, user_type_id: userTypeId },
    ...{ max_length: bytes, precision, scale },
    collation_name: /char|text|sysname/.test(name) ? collation : null,
    is_assembly_type: Number(id === 240),
  }));
}

/** A column to add to a table. */
export interface ColumnSpec {
  readonly name: string;
  /** Type in T-SQL: `nvarchar(50)`, `decimal(10, 2)`, `varbinary(max)`, or the name of an alias type. */
  readonly type: string;
  /** The default is true. */
  readonly isNullable?: boolean;
  readonly isIdentity?: boolean;
  /** The expression of a computed column, `(len([Notat]))`. */
  readonly computed?: string;
}

/**
 * Builds the row of sys.columns for a column. Lengths are in bytes, as in SQL Server. Throws for a type that is missing
 * in `types` (rows of sys.types).
 */
export function columnRow(
  { name, type, isNullable = true, isIdentity = false, computed }: ColumnSpec,
  types: readonly FoundRow[],
): RowValues {
  const [, written = '', facets = ''] =
    /^\s*(?:\[?\w+\]?\.)?\[?([^\](]+?)\]?\s*(?:\(([^)]*)\))?\s*$/.exec(type) ?? [];
  const wanted = written.toLowerCase() === 'rowversion' ? 'timestamp' : written.toLowerCase();
  const found = types.find((row) => String(row['name']).toLowerCase() === wanted);
  if (!found) throw new Error(`sys.types has no type ${type}`);
  const numbers = (facets.match(/max|\d+/gi) ?? []).map((facet) =>
    /max/i.test(facet) ? -1 : Number(facet),
  );
  const { system_type_id = 0, user_type_id = 0, collation_name = null } = found;
  const { max_length = 0, precision = 0, scale = 0 } = found;
  return {
    ...{ name, system_type_id, user_type_id, collation_name, max_length, precision, scale },
    ...sizes(wanted, numbers),
    ...{ is_nullable: isNullable, is_identity: isIdentity, is_computed: computed !== undefined },
  };
}

/** Bytes and digits of time types without a fraction. */
const TIMES: Readonly<Record<string, readonly [bytes: number, digits: number]>> = {
  time: [3, 8],
  datetime2: [6, 19],
  datetimeoffset: [8, 26],
};

/** Calculates the sizes of a type with facets. */
function sizes(name: string, [first, second = 0]: readonly number[]): RowValues {
  const [bytes, digits] = TIMES[name] ?? [];
  if (bytes !== undefined && digits !== undefined) {
    const scale = first ?? 7;
    const extra = scale <= 2 ? 0 : scale <= 4 ? 1 : 2;
    return { max_length: bytes + extra, precision: digits + (scale > 0 ? scale + 1 : 0), scale };
  }
  if (/^n(var)?char$/.test(name)) return { max_length: first === -1 ? -1 : (first ?? 1) * 2 };
  if (/char|binary/.test(name)) return { max_length: first ?? 1 };
  if (!/^(decimal|numeric)$/.test(name)) return {};
  const precision = first ?? 18;
  const stored = precision <= 9 ? 5 : precision <= 19 ? 9 : precision <= 28 ? 13 : 17;
  return { max_length: stored, precision, scale: second };
}
