import { parsePgType } from '@cdc-migrations/table-defs';

const NUMBERS = new Set(['smallint', 'integer', 'bigint', 'numeric', 'real', 'double precision']);
const TEXTS = new Set(['character', 'bpchar', 'character varying', 'text']);
const MOMENTS = new Set(['timestamp without time zone', 'timestamp with time zone']);
const DATES = new Set(['date', ...MOMENTS]);
/** Families of types that PostgreSQL casts to each other. */
const FAMILIES = [NUMBERS, DATES];

/**
 * Renders the conversion of a value from one type to another, both spelled as by `format_type`. The conversion goes
 * through text if PostgreSQL has no cast between the types. A time without a time zone counts as UTC.
 */
export function convertValue(value: string, from: string, to: string): string {
  const [before, after] = [parsePgType(from), parsePgType(to)];
  if (!before || !after) return `${value}::text::${to}`;
  const bases = [before.base, after.base];
  const isPlain = before.array === after.array;
  if (isPlain && bases.every((base) => MOMENTS.has(base)) && before.base !== after.base) {
    return `(${value} AT TIME ZONE 'UTC')::${to}`;
  }
  const isFamily =
    before.base === after.base ||
    bases.some((base) => TEXTS.has(base)) ||
    FAMILIES.some((family) => bases.every((base) => family.has(base)));
  if (isPlain && bases.includes('boolean') && bases.some((base) => NUMBERS.has(base))) {
    return `${value}::integer::${to}`;
  }
  return isPlain && isFamily ? `${value}::${to}` : `${value}::text::${to}`;
}

/** Types without an equality operator. */
const WITHOUT_EQUALITY = new Set(['xml', 'json']);

/** Renders the SQL condition that a value differs after a conversion to the other type and back. */
export function changesValue(value: string, from: string, to: string): string {
  const back = convertValue(`(${convertValue(value, from, to)})`, to, from);
  const isCompared = !WITHOUT_EQUALITY.has(parsePgType(from)?.base ?? from);
  return isCompared
    ? `${back} IS DISTINCT FROM ${value}`
    : `(${back})::text IS DISTINCT FROM ${value}::text`;
}
