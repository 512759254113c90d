import type { CatalogColumn } from '@cdc-migrations/catalog';
import { formatPgType, parsePgType } from './canonical-type.ts';
import { exact, lossy, widened, type MappedType } from './mapped-type.ts';

/** Default type of a column of a PostgreSQL source: the same with its facets; undefined where there is none. */
export function mapPostgresType(column: CatalogColumn): MappedType | undefined {
  if (column.declaredKind === 'enum') {
    return widened(
      column.array ? 'text[]' : 'text',
      `the enum ${column.declaredAs} does not exist in the target`,
    );
  }
  if (column.type === 'money') {
    return lossy(
      column.array ? 'numeric(19,2)[]' : 'numeric(19,2)',
      'its text depends on the locale of the source',
    );
  }
  const named = parsePgType(column.type)?.base;
  if (!named) return undefined;
  const base = baseOf(named, column);
  const type = formatPgType({ base, facets: facetsOf(base, column), array: Boolean(column.array) });
  return column.declaredKind === 'domain'
    ? widened(type, `the checks of the domain ${column.declaredAs} do not exist in the target`)
    : exact(type);
}

/** `character` without a length is `bpchar` and takes any; as a word in SQL it would be `character(1)`. */
function baseOf(named: string, { length }: CatalogColumn): string {
  if (named !== 'character' && named !== 'bpchar') return named;
  return length === undefined ? 'bpchar' : 'character';
}

function facetsOf(base: string, { length, precision, scale }: CatalogColumn): readonly number[] {
  if (base === 'bit') return [typeof length === 'number' ? length : 1];
  if (base === 'numeric') return precision === undefined ? [] : [precision, scale ?? 0];
  if (/^(time|timestamp|interval)/.test(base)) return scale === undefined ? [] : [scale];
  return typeof length === 'number' ? [length] : [];
}
