import type { CatalogColumn } from '@cdc-migrations/catalog';
import { parseArrayText } from './array-text.ts';

/** A value in an event. Integers are bigints. */
export type DebeziumValue = string | bigint | number | boolean | null | readonly DebeziumValue[];

const PLACEHOLDER = '__debezium_unavailable_value';
const PLACEHOLDER_BYTES = [...Buffer.from(PLACEHOLDER)];

const MICROS_PER_SECOND = 1_000_000n;
const MICROS_PER_DAY = 86_400n * MICROS_PER_SECOND;
const MILLIS_PER_DAY = 86_400_000;
/** Maximum number of fractional digits for timestamps in milliseconds. */
const MILLISECOND_DIGITS = 3;

type Convert = (text: string, column: CatalogColumn) => DebeziumValue;

/** Conversions of types that are not sent as text. */
const CONVERSIONS: Readonly<Record<string, Convert>> = {
  smallint: BigInt,
  integer: BigInt,
  bigint: BigInt,
  boolean: (text) => text === 't',
  real: toNumber,
  'double precision': toNumber,
  money: (text) => text.replace(/[$,]/g, ''),
  bytea: (text) => Buffer.from(text.slice(2), 'hex').toString('base64'),
  'bit varying': toBits,
  date: (text) => daysOf(text),
  'time without time zone': (text) => microsOfDay(text),
  'timestamp without time zone': (text, { scale = 6 }) => {
    const [date = '', time = ''] = text.split(' ');
    const micros = daysOf(date) * MICROS_PER_DAY + microsOfDay(time);
    return scale <= MILLISECOND_DIGITS ? micros / 1000n : micros;
  },
  'timestamp with time zone': (text) => text.replace(' ', 'T').replace(/\+00$/, 'Z'),
  interval: toIsoInterval,
};

/**
 * Converts a source value to its form in events of Debezium's PostgreSQL connector. Settings are the defaults except
 * for `decimal.handling.mode: string` and `interval.handling.mode: string`.
 *
 * @param text as the source writes it.
 */
export function toDebeziumValue(column: CatalogColumn, text: string): DebeziumValue {
  const { array: dimensions, ...element } = column;
  if (dimensions) {
    return parseArrayText(text).map((item) => item && toDebeziumValue(element, item));
  }
  return CONVERSIONS[column.type]?.(text, column) ?? text;
}

/** Returns Debezium's placeholder for an unchanged value that is stored out of line. */
export function toUnavailableValue({ type, array }: CatalogColumn): DebeziumValue {
  if (array) return /int|date/.test(type) ? PLACEHOLDER_BYTES.map(BigInt) : [PLACEHOLDER];
  return type === 'bytea' ? Buffer.from(PLACEHOLDER).toString('base64') : PLACEHOLDER;
}

function toNumber(text: string): DebeziumValue {
  const value = Number(text);
  return Number.isFinite(value) ? value : text;
}

/** Converts bits to a number, lowest byte first. Leading zero bits are lost. */
function toBits(text: string): string {
  const bytes: number[] = [];
  for (let rest = BigInt(`0b0${text}`); rest > 0n; rest >>= 8n) bytes.push(Number(rest & 255n));
  return Buffer.from(bytes).toString('base64');
}

function daysOf(date: string): bigint {
  return BigInt(Date.parse(`${date}T00:00:00Z`) / MILLIS_PER_DAY);
}

function microsOfDay(time: string): bigint {
  const [hours = '', minutes = '', seconds = ''] = time.split(':');
  const [whole = '', fraction = ''] = seconds.split('.');
  const second = (BigInt(hours) * 60n + BigInt(minutes)) * 60n + BigInt(whole);
  return second * MICROS_PER_SECOND + BigInt(fraction.padEnd(6, '0'));
}

/** Converts `1 year 2 mons -3 days -04:05:06.7` to `P1Y2M-3DT-4H-5M-6.7S`. */
function toIsoInterval(text: string): string {
  const part = (name: string) => Number(new RegExp(`([+-]?\\d+) ${name}`).exec(text)?.[1] ?? 0);
  const [, sign = '', hours = '0', minutes = '0', seconds = '0'] =
    /([+-]?)(\d+):(\d+):([\d.]+)/.exec(text) ?? [];
  const factor = sign === '-' ? -1 : 1;
  const of = (digits: string) => factor * Number(digits);
  const date = `P${part('year')}Y${part('mon')}M${part('day')}D`;
  return `${date}T${of(hours)}H${of(minutes)}M${of(seconds)}S`;
}
