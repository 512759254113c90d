import { type ColumnDefinition, parsePgType } from '@cdc-migrations/table-defs';
import type { Random } from '../random.ts';
import { buildBits, buildDouble, buildInteger, buildNumeric, buildReal } from './number-values.ts';
import { buildBytes, buildJson, buildText, buildUuid, buildXml } from './text-values.ts';
import {
  buildDate,
  buildTime,
  buildTimestamp,
  buildZonedTimestamp,
  cutTime,
  MOST_SECOND_DIGITS,
  sentDigits,
} from './time-values.ts';

type Builder = (random: Random, facets: readonly number[]) => string;

const oneOf =
  (...values: readonly string[]): Builder =>
  (random) =>
    random.pick(values);

const integer =
  (bits: bigint): Builder =>
  (random) =>
    buildInteger(random, -(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n);

/** Builders by the type's name in `format_type`, without facets. */
const BUILDERS: Readonly<Record<string, Builder>> = {
  smallint: integer(16n),
  integer: integer(32n),
  bigint: integer(64n),
  numeric: (random, [precision, scale]) => buildNumeric(random, precision, scale),
  real: buildReal,
  'double precision': buildDouble,
  boolean: oneOf('true', 'false', 't', 'f'),
  'character varying': (random, [length]) => buildText(random, length),
  character: (random, [length]) => buildText(random, length),
  text: (random) => buildText(random),
  bytea: buildBytes,
  uuid: buildUuid,
  date: buildDate,
  'time without time zone': (random, [digits]) => buildTime(random, digits),
  'time with time zone': (random, [digits]) => `${buildTime(random, digits)}+02`,
  'timestamp without time zone': (random, [digits]) => buildTimestamp(random, digits),
  'timestamp with time zone': (random, [digits]) => buildZonedTimestamp(random, digits),
  interval: oneOf('1 year 2 mons 3 days 04:05:06', '-00:00:01', '00:00:00', '178000 years'),
  json: buildJson,
  jsonb: buildJson,
  xml: buildXml,
  bit: (random, [length = 1]) => buildBits(random, length),
  'bit varying': (random, [length = 70]) => buildBits(random, random.integer(0, length)),
  inet: oneOf('10.0.0.1', '192.168.1.5/24', '::1', '2001:db8::ff00:42:8329'),
  cidr: oneOf('10.0.0.0/8', '192.168.1.0/24', '2001:db8::/32'),
  macaddr: oneOf('08:00:2b:01:02:03', 'ff:ff:ff:ff:ff:ff'),
  macaddr8: oneOf('08:00:2b:01:02:03:04:05', 'ff:ff:ff:ff:ff:ff:ff:ff'),
  int4range: oneOf('empty', '[1,5)', '(,)', '[7,)'),
  int8range: oneOf('empty', '[1,9223372036854775807)', '(,)'),
  numrange: oneOf('empty', '[1.5,2.5]', '(,0)'),
  daterange: oneOf('empty', '[2020-01-01,2021-01-01)', '[2020-01-01,)'),
  tsrange: oneOf('empty', '["2020-01-01 00:00:00","2020-01-01 00:00:01")'),
  tstzrange: oneOf('empty', '["2020-01-01 00:00:00+00",)'),
};

/**
 * Builds the text of a random value, often at a bound of its type. The type keeps it exactly, except for fractional
 * digits that only the source has (see `storedValue`).
 *
 * @param type as spelled by `format_type`: `numeric(19,4)`, `jsonb[]`
 * @param sourceType of a SQL Server column: `tinyint` has no negative values, `datetime2(7)` has seven digits
 */
export function buildValue(type: string, random: Random, sourceType?: string): string {
  const parsed = parsePgType(type);
  const builder = parsed && BUILDERS[parsed.base];
  if (!builder) throw new Error(`no values are known for the type ${type}`);
  if (parsed.array) return buildArray(random, () => builder(random, parsed.facets));
  if (sourceType === 'tinyint') return buildInteger(random, 0n, 255n);
  const digits = sentDigits(sourceType);
  return builder(random, digits === undefined ? parsed.facets : [digits]);
}

/**
 * Returns the value of a final column for a value of an event, without the fractional digits that only the source has.
 */
export function storedValue(
  { type, source }: Pick<ColumnDefinition, 'type' | 'source'>,
  text: string,
): string {
  const kept = parsePgType(type)?.facets[0] ?? MOST_SECOND_DIGITS;
  const sent = sentDigits(source?.type) ?? 0;
  return /^time/.test(type) && sent > kept ? cutTime(text, kept) : text;
}

/**
 * Returns a text that is the same for values that PostgreSQL considers equal: `char(n)` without its padding, a uuid in
 * lower case. Two events have the same key if these texts are equal.
 */
export function canonicalValue(type: string, text: string): string {
  const base = parsePgType(type)?.base;
  if (base === 'character') return text.replace(/ +$/, '');
  if (base === 'uuid') return text.toLowerCase();
  if (base === 'boolean') return text.charAt(0);
  return text;
}

function buildArray(random: Random, element: () => string): string {
  const items = Array.from({ length: random.integer(0, 4) }, () =>
    random.chance(0.1) ? 'NULL' : `"${element().replace(/["\\]/g, '\\$&')}"`,
  );
  return `{${items.join(',')}}`;
}
