import { parseIsoTime, renderIsoClock, renderIsoDate, type TimeParts } from '../tds/iso-time.ts';
import { familyOf, type SqlType, type SqlValue, type TypeFamily } from '../tds/sql-type.ts';
import { notRun, raise } from '../engine/sql-server-error.ts';

type Present = Exclude<SqlValue, null>;

/** A conversion by CAST or CONVERT. The default `style` is 0. */
export interface Conversion {
  readonly from: SqlType;
  readonly to: SqlType;
  readonly style: number;
}

const CONVERT: {
  readonly [F in TypeFamily]: (value: Present, conversion: Conversion) => SqlValue;
} = {
  number: toNumber,
  text: toText,
  bytes: toBytes,
  time: toTime,
  guid: toGuid,
  variant: (value) => value,
};

const INTEGER_RANGES: Readonly<Record<string, readonly [low: number, high: number]>> = {
  tinyint: [0, 255],
  smallint: [-32_768, 32_767],
  int: [-2_147_483_648, 2_147_483_647],
};

/** Converts a value to another type. Throws 241, 245, 8114, 8115 or 8169 if that is impossible. */
export function convertValue(value: SqlValue, conversion: Conversion): SqlValue {
  return value === null ? null : CONVERT[familyOf(conversion.to)](value, conversion);
}

function toNumber(value: Present, { from, to }: Conversion): SqlValue {
  if (value instanceof Uint8Array) {
    const big = BigInt(`0x0${Buffer.from(value).toString('hex')}`);
    return safe(to.name === 'bigint' ? BigInt.asIntN(64, big) : BigInt.asIntN(32, big));
  }
  const text = String(value).trim();
  if (to.name === 'bit' && /^(true|false)$/i.test(text))
    return text.toLowerCase() === 'true' ? 1 : 0;
  const isWhole = /^(bit|tinyint|smallint|int|bigint)$/.test(to.name);
  const fits =
    isWhole && typeof value === 'string' ? /^[+-]?\d*$/ : /^[+-]?\d*\.?\d*(e[+-]?\d+)?$/i;
  if (!fits.test(text)) throw conversionFailure(value, from, to);
  const number = Number(text);
  if (to.name === 'bit') return number === 0 ? 0 : 1;
  if (!isWhole) return to.scale === undefined ? number : Number(number.toFixed(to.scale));
  if (to.name === 'bigint')
    return typeof value === 'number' ? Math.trunc(value) : safe(BigInt(text));
  const whole = Math.trunc(number);
  const [low, high] = INTEGER_RANGES[to.name] ?? [-Infinity, Infinity];
  if (whole < low || whole > high) throw raise(8115, [to.name]);
  return whole;
}

/** Converts a whole number to a JavaScript number if that is exact. */
function safe(value: bigint): SqlValue {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

function conversionFailure(value: Present, from: SqlType, to: SqlType): Error {
  const isInteger = /^(bit|tinyint|smallint|int)$/.test(to.name);
  return isInteger
    ? raise(245, [from.name, String(value), to.name])
    : raise(8114, [from.name, to.name]);
}

function toText(value: Present, conversion: Conversion): SqlValue {
  const text = textOf(value, conversion);
  const { length } = conversion.to;
  return length === undefined || length < 0 ? text : text.slice(0, length);
}

function textOf(value: Present, { from, to, style }: Conversion): string {
  if (value instanceof Uint8Array) {
    const hex = Buffer.from(value).toString('hex').toUpperCase();
    if (style === 1) return `0x${hex}`;
    if (style === 2) return hex;
    return Buffer.from(value).toString(to.name.startsWith('n') ? 'utf16le' : 'latin1');
  }
  if (familyOf(from) === 'time') return timeText(String(value), from, style);
  if (/money/.test(from.name)) return Number(value).toFixed(style === 2 ? 4 : 2);
  return typeof value === 'number' && from.scale ? value.toFixed(from.scale) : String(value);
}

/**
 * Formats a time in styles 20, 23, 112, 120, 121, 126 and 127. Without a style it uses 121. The default style of
 * datetime is not supported.
 */
function timeText(text: string, from: SqlType, style: number): string {
  const parts = parseIsoTime(text);
  if (!parts) return text;
  const date = renderIsoDate(parts.days);
  const isOlderType = from.name === 'datetime' || from.name === 'smalldatetime';
  const clock = renderIsoClock(parts.ticks, isOlderType ? 3 : (from.scale ?? 0));
  if (style === 112) return date.replaceAll('-', '');
  if (style === 23 || from.name === 'date') return date;
  if (from.name === 'time') return clock;
  if (style === 20 || style === 120) return `${date} ${clock.slice(0, 8)}`;
  if (style === 0 && isOlderType) throw notRun(`CONVERT of ${from.name} without a style`);
  const zone = from.name === 'datetimeoffset' ? zoneText(parts) : '';
  if (style === 126 || style === 127) return `${date}T${clock}${style === 127 ? 'Z' : zone}`;
  return `${date} ${clock}${zone && ` ${zone}`}`;
}

function zoneText({ offsetMinutes }: TimeParts): string {
  const minutes = Math.abs(offsetMinutes);
  const two = (number: number): string => String(number).padStart(2, '0');
  return `${offsetMinutes < 0 ? '-' : '+'}${two(Math.trunc(minutes / 60))}:${two(minutes % 60)}`;
}

function toBytes(value: Present, conversion: Conversion): SqlValue {
  const raw = bytesOf(value, conversion);
  const { name, length } = conversion.to;
  const size = name === 'timestamp' ? 8 : (length ?? -1);
  if (size < 0) return raw;
  if (raw.length >= size) {
    // A number keeps its low bytes, anything else keeps its first bytes.
    return typeof value === 'number' ? raw.subarray(raw.length - size) : raw.subarray(0, size);
  }
  const isPadded = name === 'binary' || name === 'timestamp';
  if (!isPadded) return raw;
  const padding = Buffer.alloc(size - raw.length);
  return typeof value === 'number' ? Buffer.concat([padding, raw]) : Buffer.concat([raw, padding]);
}

function bytesOf(value: Present, { from, to, style }: Conversion): Buffer {
  if (value instanceof Uint8Array) return Buffer.from(value);
  if (familyOf(from) === 'number') {
    const bytes = Buffer.alloc(8);
    if (from.name === 'float') {
      bytes.writeDoubleBE(Number(value));
      return bytes;
    }
    if (from.name === 'real') {
      bytes.writeFloatBE(Number(value));
      return bytes.subarray(0, 4);
    }
    bytes.writeBigInt64BE(BigInt(Math.trunc(Number(value))));
    return from.name === 'bigint' ? bytes : bytes.subarray(4);
  }
  const text = String(value);
  if (style === 1 || style === 2) {
    const hex = style === 1 ? text.replace(/^0x/i, '') : text;
    const isHex = /^(?:[0-9a-f]{2})*$/i.test(hex) && (style === 2 || /^0x/i.test(text));
    if (!isHex) throw raise(8114, [from.name, to.name]);
    return Buffer.from(hex, 'hex');
  }
  return Buffer.from(text, from.name.startsWith('n') ? 'utf16le' : 'latin1');
}

function toTime(value: Present, { to }: Conversion): SqlValue {
  const parts = parseIsoTime(String(value).replace(/^(\d{4})(\d{2})(\d{2})\b/, '$1-$2-$3'));
  if (!parts) throw raise(241);
  return renderAs(parts, to);
}

/** Formats date and time parts in the engine's format of the type. */
function renderAs(parts: TimeParts, type: SqlType): string {
  const date = renderIsoDate(parts.days);
  switch (type.name) {
    case 'date':
      return date;
    case 'time':
      return renderIsoClock(parts.ticks, type.scale ?? 7);
    case 'smalldatetime':
      return `${date}T${renderIsoClock(parts.ticks, 0).slice(0, 5)}:00`;
    case 'datetime':
      return `${date}T${renderIsoClock(parts.ticks, 3)}`;
    case 'datetimeoffset':
      return `${date}T${renderIsoClock(parts.ticks, type.scale ?? 7)}${zoneText(parts)}`;
    default:
      return `${date}T${renderIsoClock(parts.ticks, type.scale ?? 7)}`;
  }
}

function toGuid(value: Present): SqlValue {
  const text = String(value).replace(/^\{(.*)\}$/, '$1');
  const isGuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text.slice(0, 36));
  if (!isGuid) throw raise(8169);
  return text.slice(0, 36).toUpperCase();
}

/** Returns the bytes that SQL Server stores for a value of a type. */
export function storedBytes(value: Present, type: SqlType): Buffer {
  const to: SqlType = { name: 'varbinary', length: -1 };
  if (familyOf(type) !== 'number' && familyOf(type) !== 'time')
    return bytesOf(value, { from: type, to, style: 0 });
  const sizes: Readonly<Record<string, number>> = {
    bit: 1,
    tinyint: 1,
    smallint: 2,
    int: 4,
    real: 4,
  };
  return Buffer.alloc(sizes[type.name] ?? 8);
}
