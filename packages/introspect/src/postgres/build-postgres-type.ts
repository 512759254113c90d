import type { CatalogColumn } from '@cdc-migrations/catalog';
import type { ColumnRow, TypeRow } from './postgres-rows.ts';

type Facets = Pick<CatalogColumn, 'length' | 'precision' | 'scale'>;
type PostgresType = Facets &
  Pick<CatalogColumn, 'type' | 'array' | 'declaredAs' | 'declaredKind'> & {
    /** Set if a domain is NOT NULL, which makes its column NOT NULL. */
    readonly notNull?: boolean;
  };

/**
 * Builds the type of a column. A domain is resolved to its base type and an array to its element type. Both keep the
 * declared type.
 */
export function buildPostgresType(
  { type, modifier, dimensions }: Pick<ColumnRow, 'type' | 'modifier' | 'dimensions'>,
  types: ReadonlyMap<number, TypeRow>,
): PostgresType {
  const row = types.get(type);
  if (!row) return { type: `type ${type}` };
  switch (row.kind) {
    case 'base':
      return { type: baseName(row, modifier), ...FACETS.get(row.bare)?.(modifier) };
    case 'enum':
      return { type: 'enum', declaredAs: row.declared, declaredKind: 'enum' };
    case 'array': {
      const inner = buildPostgresType({ type: row.inner, modifier, dimensions: 0 }, types);
      // A domain's NOT NULL on elements does not apply to the column.
      return { ...inner, notNull: false, array: (inner.array ?? 0) + Math.max(dimensions, 1) };
    }
    case 'domain': {
      const inner = buildPostgresType({ ...row, type: row.inner }, types);
      const declared = {
        declaredAs: row.declared,
        declaredKind: inner.declaredKind ?? 'domain',
      } as const;
      const notNull = row.not_null || inner.notNull;
      return { ...inner, ...declared, ...(notNull && { notNull: true }) };
    }
  }
}

/** Distinguishes `character` without a length from `character(1)`. */
function baseName({ name, bare }: TypeRow, modifier: number): string {
  return bare === 'bpchar' && modifier < 0 ? 'bpchar' : name;
}

/** Offset that lengths and the two halves of a numeric's facets are stored with, in bytes. */
const HEADER_BYTES = 4;

/**
 * Facets of a type modifier (`atttypmod`), by name in `pg_type`. -1 means none.
 * https://github.com/postgres/postgres/blob/REL_15_STABLE/src/backend/utils/adt/numeric.c (numerictypmodin)
 */
const FACETS = new Map(
  Object.entries<(modifier: number) => Facets>({
    varchar: length(HEADER_BYTES),
    bpchar: length(HEADER_BYTES),
    bit: length(0),
    varbit: length(0),
    numeric: (modifier) => {
      if (modifier < HEADER_BYTES) return {};
      const facets = modifier - HEADER_BYTES;
      return { precision: (facets >> 16) & 0xffff, scale: ((facets & 0x7ff) ^ 1024) - 1024 };
    },
    time: seconds,
    timetz: seconds,
    timestamp: seconds,
    timestamptz: seconds,
    interval: (modifier) => seconds(modifier < 0 ? -1 : intervalDigits(modifier)),
  }),
);

function length(header: number): (modifier: number) => Facets {
  return (modifier) => (modifier < header || modifier < 0 ? {} : { length: modifier - header });
}

function seconds(modifier: number): Facets {
  return modifier < 0 ? {} : { scale: modifier };
}

/** Returns the lower half of the modifier. The upper half restricts the fields of an interval. */
function intervalDigits(modifier: number): number {
  const digits = modifier & 0xffff;
  return digits === 0xffff ? -1 : digits;
}
