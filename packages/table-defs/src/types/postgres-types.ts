import type { CatalogColumn } from '@cdc-migrations/catalog';
import { formatPgType, parsePgType } from './canonical-type.ts';
import { exact, noted, type MappedType } from './mapped-type.ts';
import type { TypeNoteCode } from './type-notes.ts';

/** Types whose arrays Debezium omits. */
const ARRAY_NOT_CARRIED = new Set(['money', 'interval', 'bit varying', 'xml']);

/** Types whose values Debezium sends in a changed form. */
const AS_DEBEZIUM_SENDS = new Map(
  Object.entries<TypeNoteCode>({
    money: 'money-text',
    'bit varying': 'bits-as-number',
    'time with time zone': 'offset-as-utc',
    interval: 'interval-as-number',
  }),
);

/**
 * Maps a column of a PostgreSQL source to the same type with its facets. Returns undefined if the type is not
 * supported.
 */
export function mapPostgresType(column: CatalogColumn): MappedType | undefined {
  const type = counterpartOf(column);
  if (type === undefined) return undefined;
  const { declaredAs, declaredKind } = column;
  if (column.array && ARRAY_NOT_CARRIED.has(column.type)) return noted(type, 'not-carried');
  if (declaredKind === 'enum') {
    return noted(type, 'enum-as-text', `the enum ${declaredAs} does not exist in the target`);
  }
  const code = AS_DEBEZIUM_SENDS.get(column.type);
  if (code) return noted(type, code);
  return declaredKind === 'domain'
    ? noted(
        type,
        'domain-as-base',
        `the checks of the domain ${declaredAs} do not exist in the target`,
      )
    : exact(type);
}

/** Returns the type as `format_type` prints it. */
function counterpartOf(column: CatalogColumn): string | undefined {
  const suffix = column.array ? '[]' : '';
  if (column.declaredKind === 'enum') return `text${suffix}`;
  if (column.type === 'money') return `numeric(19,2)${suffix}`;
  const named = parsePgType(column.type)?.base;
  if (!named) return undefined;
  const base = baseOf(named, column);
  return formatPgType({ base, facets: facetsOf(base, column), array: Boolean(column.array) });
}

/**
 * Maps `character` without a length to `bpchar`, which has no maximum length. In SQL, `character` would mean
 * `character(1)`.
 */
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
