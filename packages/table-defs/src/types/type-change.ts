import { parsePgType, type PgType } from './canonical-type.ts';

/**
 * What `ALTER COLUMN TYPE` means for the values and for the table: `same` nothing; `free` a change of the
 * catalog only; `rewrite` nothing is lost and the table is written anew under a lock; `unsafe` values can be
 * lost or the change can fail.
 */
export type TypeChange = 'same' | 'free' | 'rewrite' | 'unsafe';

const INTEGER_DIGITS: Readonly<Record<string, number>> = { smallint: 5, integer: 10, bigint: 19 };
const WIDER: Readonly<Record<string, readonly string[]>> = {
  smallint: ['integer', 'bigint'],
  integer: ['bigint'],
  real: ['double precision'],
  date: ['timestamp without time zone'],
};
/** Types padded with blanks; `bpchar` is the one without a length. */
const PADDED = new Set(['character', 'bpchar']);
const TEXT_LIKE = new Set([...PADDED, 'character varying', 'text']);
const TIMES = new Set([
  'time without time zone',
  'time with time zone',
  'timestamp without time zone',
  'timestamp with time zone',
  'interval',
]);
const MAX_TIME_DIGITS = 6;

/** Classifies the change of a column from type `from` to type `to`; both as `format_type` spells them. */
export function classifyTypeChange(from: string, to: string): TypeChange {
  if (from === to) return 'same';
  const before = parsePgType(from);
  const after = parsePgType(to);
  if (!before || !after || before.array !== after.array || before.array) return 'unsafe';
  if (TEXT_LIKE.has(before.base) && TEXT_LIKE.has(after.base)) return textChange(before, after);
  if (before.base === 'numeric' && after.base === 'numeric') return numericChange(before, after);
  if (before.base === after.base && TIMES.has(before.base)) return timeChange(before, after);
  if (after.base === 'numeric') return integerToNumeric(before, after);
  return WIDER[before.base]?.includes(after.base) ? 'rewrite' : 'unsafe';
}

function textChange(before: PgType, after: PgType): TypeChange {
  const fits = (before.facets[0] ?? Infinity) <= (after.facets[0] ?? Infinity);
  if (!fits) return 'unsafe';
  if (after.base === 'bpchar' && PADDED.has(before.base)) return 'free';
  if (PADDED.has(before.base)) return 'rewrite';
  return PADDED.has(after.base) ? 'unsafe' : 'free';
}

function numericChange(before: PgType, after: PgType): TypeChange {
  const [precision = Infinity, scale = Infinity] = before.facets;
  const [newPrecision = Infinity, newScale = Infinity] = after.facets;
  if (after.facets.length === 0) return 'free';
  if (newScale < scale || newPrecision - newScale < precision - scale) return 'unsafe';
  return newScale === scale ? 'free' : 'rewrite';
}

function timeChange(before: PgType, after: PgType): TypeChange {
  return (before.facets[0] ?? MAX_TIME_DIGITS) <= (after.facets[0] ?? MAX_TIME_DIGITS)
    ? 'free'
    : 'unsafe';
}

function integerToNumeric(before: PgType, after: PgType): TypeChange {
  const digits = INTEGER_DIGITS[before.base];
  if (digits === undefined) return 'unsafe';
  const [precision = Infinity, scale = 0] = after.facets;
  return scale >= 0 && precision - scale >= digits ? 'rewrite' : 'unsafe';
}
