import type { CatalogColumn } from '@cdc-migrations/catalog';
import { renderArrayText } from './array-text.ts';
import type { DebeziumValue } from './debezium-value.ts';

const MILLIS_PER_DAY = 86_400_000;
const MICROS_PER_SECOND = 1_000_000n;
const MILLISECOND_DIGITS = 3;

type Convert = (value: never, column: CatalogColumn) => string;

/** Conversions that a sink pipeline must do, because the staging table would misread or refuse the value. */
const CONVERSIONS: Readonly<Record<string, Convert>> = {
  bytea: (base64: string) => `\\x${Buffer.from(base64, 'base64').toString('hex')}`,
  'bit varying': (base64: string) => {
    const bytes = [...Buffer.from(base64, 'base64')].reverse();
    const bits = bytes.map((byte) => byte.toString(2).padStart(8, '0')).join('');
    return bits.replace(/^0+/, '');
  },
  date: (days: bigint) => dayOf(days),
  'time without time zone': (micros: bigint) => timeOf(micros),
  'timestamp without time zone': (count: bigint, { scale = 6 }) => {
    const micros = scale <= MILLISECOND_DIGITS ? count * 1000n : count;
    const perDay = 86_400n * MICROS_PER_SECOND;
    const ofDay = ((micros % perDay) + perDay) % perDay;
    return `${dayOf((micros - ofDay) / perDay)} ${timeOf(ofDay)}`;
  },
};

/** Converts a value of an event to the text that a sink pipeline stages. */
export function toStagedText(column: CatalogColumn, value: DebeziumValue): string | null {
  if (value === null) return null;
  const { array: dimensions, ...element } = column;
  if (dimensions) {
    return renderArrayText(
      (value as readonly DebeziumValue[]).map((item) => toStagedText(element, item)),
    );
  }
  return CONVERSIONS[column.type]?.(value as never, column) ?? String(value as string);
}

function dayOf(days: bigint): string {
  return new Date(Number(days) * MILLIS_PER_DAY).toISOString().slice(0, 10);
}

function timeOf(micros: bigint): string {
  const seconds = micros / MICROS_PER_SECOND;
  const two = (value: bigint) => String(value).padStart(2, '0');
  const clock = [seconds / 3600n, (seconds / 60n) % 60n, seconds % 60n].map(two).join(':');
  return `${clock}.${String(micros % MICROS_PER_SECOND).padStart(6, '0')}`;
}
