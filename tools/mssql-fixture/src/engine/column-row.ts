import type { CatalogRow } from './views.ts';

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
  /** The expression of a default, `((0))`. */
  readonly default?: string;
  /** The default is the collation of the database. */
  readonly collation?: string;
}

/**
 * Builds the row of sys.columns for a column. Lengths are in bytes, as in SQL Server. Throws for a type that is missing
 * in `types` (rows of sys.types).
 */
export function columnRow(
  { name, type, isNullable = true, isIdentity = false, computed, collation }: ColumnSpec,
  types: readonly CatalogRow[],
): CatalogRow {
  const [, written = '', facets] =
    /^\s*(?:\[?\w+\]?\.)?\[?([^\](]+?)\]?\s*(?:\(([^)]*)\))?\s*$/.exec(type) ?? [];
  const wanted = written.toLowerCase() === 'rowversion' ? 'timestamp' : written.toLowerCase();
  const found = types.find((row) => String(row['name']).toLowerCase() === wanted);
  if (!found) throw new Error(`sys.types has no type ${type}`);
  const numbers = (facets ?? '').split(',').filter((facet) => facet.trim() !== '');
  const [first, second] = numbers.map((facet) => (/max/i.test(facet) ? -1 : Number(facet)));
  return {
    name,
    system_type_id: found['system_type_id'] ?? 0,
    user_type_id: found['user_type_id'] ?? 0,
    ...sizes(found, wanted, first, second),
    collation_name:
      found['collation_name'] === null ? null : (collation ?? found['collation_name'] ?? null),
    is_nullable: isNullable,
    is_identity: isIdentity,
    is_computed: computed !== undefined,
  };
}

interface Sizes {
  readonly max_length: number;
  readonly precision: number;
  readonly scale: number;
}

function sizes(found: CatalogRow, name: string, first?: number, second?: number): Sizes {
  const usual = {
    max_length: Number(found['max_length']),
    precision: Number(found['precision']),
    scale: Number(found['scale']),
  };
  switch (name) {
    case 'nchar':
    case 'nvarchar':
      return { ...usual, max_length: first === -1 ? -1 : (first ?? 1) * 2 };
    case 'char':
    case 'varchar':
    case 'binary':
    case 'varbinary':
      return { ...usual, max_length: first ?? 1 };
    case 'decimal':
    case 'numeric':
      return decimalSizes(first ?? 18, second ?? 0);
    case 'float':
      return first !== undefined && first <= 24
        ? { max_length: 4, precision: 24, scale: 0 }
        : usual;
    case 'time':
      return timeSizes(first ?? 7, { bytes: 3, digits: 8 });
    case 'datetime2':
      return timeSizes(first ?? 7, { bytes: 6, digits: 19 });
    case 'datetimeoffset':
      return timeSizes(first ?? 7, { bytes: 8, digits: 26 });
    default:
      return usual;
  }
}

function decimalSizes(precision: number, scale: number): Sizes {
  const bytes = precision <= 9 ? 5 : precision <= 19 ? 9 : precision <= 28 ? 13 : 17;
  return { max_length: bytes, precision, scale };
}

/** Calculates sizes of a time type. Three or four fractional digits take one more byte, five or more take two. */
function timeSizes(
  scale: number,
  { bytes, digits }: { readonly bytes: number; readonly digits: number },
): Sizes {
  const extra = scale <= 2 ? 0 : scale <= 4 ? 1 : 2;
  return { max_length: bytes + extra, precision: digits + (scale > 0 ? scale + 1 : 0), scale };
}
