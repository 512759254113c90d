import { parsePgType } from '@cdc-migrations/table-defs';

const NUMBERS = new Set(['smallint', 'integer', 'bigint', 'numeric', 'real', 'double precision']);
const TEXTS = new Set(['character', 'bpchar', 'character varying', 'text']);
const MOMENTS = new Set(['timestamp without time zone', 'timestamp with time zone']);
const DATES = new Set(['date', ...MOMENTS]);
/** Families whose types PostgreSQL casts to one another. */
const FAMILIES = [NUMBERS, DATES];

/**
 * A value of one type as a value of another; both as `format_type` spells them. Through text where PostgreSQL has no
 * cast between the two. A time without a zone is taken for one of UTC.
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

/** Types whose values cannot be compared. */
const WITHOUT_EQUALITY = new Set(['xml', 'json']);

/** SQL condition: the value is not the same any more after it was of the other type. */
export function changesValue(value: string, from: string, to: string): string {
  const back = convertValue(`(${convertValue(value, from, to)})`, to, from);
  const isCompared = !WITHOUT_EQUALITY.has(parsePgType(from)?.base ?? from);
  return isCompared
    ? `${back} IS DISTINCT FROM ${value}`
    : `(${back})::text IS DISTINCT FROM ${value}::text`;
}
