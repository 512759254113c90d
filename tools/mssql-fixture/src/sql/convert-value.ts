import { notRun, raise } from '../engine/sql-server-error.ts';
import { familyOf, type SqlType, type SqlValue, type TypeFamily } from '../tds/sql-type.ts';

type Present = Exclude<SqlValue, null>;

/** A conversion by CAST or CONVERT. The default `style` is 0. */
interface Conversion {
  readonly from: SqlType;
  readonly to: SqlType;
  readonly style?: number | undefined;
}

const CONVERT: {
  readonly [F in TypeFamily]: (value: Present, conversion: Conversion) => SqlValue;
} = {
  number: toNumber,
  text: toText,
  bytes: toBytes,
  time: String,
  guid: String,
  variant: (value) => value,
};

/** Converts a value to another type. Throws 8114 if that is impossible. */
export function convertValue(value: SqlValue, conversion: Conversion): SqlValue {
  return value === null ? null : CONVERT[familyOf(conversion.to)](value, conversion);
}

function toNumber(value: Present, { from, to }: Conversion): SqlValue {
  if (value instanceof Uint8Array) return safe(BigInt(`0x0${Buffer.from(value).toString('hex')}`));
  if (typeof value === 'bigint') return value;
  const number = Number(value);
  if (Number.isNaN(number)) throw raise(8114, [from.name, to.name]);
  if (to.name === 'bit') return number === 0 ? 0 : 1;
  return /int$/.test(to.name) ? Math.trunc(number) : number;
}

/** Converts a whole number to a JavaScript number if that is exact. */
export function safe(value: bigint): SqlValue {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

function toText(value: Present, conversion: Conversion): SqlValue {
  const text = textOf(value, conversion);
  const { length } = conversion.to;
  return length === undefined || length < 0 ? text : text.slice(0, length);
}

function textOf(value: Present, { from, to, style = 0 }: Conversion): string {
  if (value instanceof Uint8Array) {
    if (style !== 1 && style !== 2) throw notRun(`${from.name} to ${to.name} without a style`);
    return `${style === 1 ? '0x' : ''}${Buffer.from(value).toString('hex').toUpperCase()}`;
  }
  if (familyOf(from) === 'time') {
    const isIso = style === ({ date: 23, time: 121 }[from.name] ?? 126);
    if (!isIso) throw notRun(`CONVERT of ${from.name} with style ${style}`);
    return String(value);
  }
  if (/money/.test(from.name)) return Number(value).toFixed(style === 2 ? 4 : 2);
  return typeof value === 'number' && from.scale ? value.toFixed(from.scale) : String(value);
}

function toBytes(value: Present, conversion: Conversion): SqlValue {
  const raw = bytesOf(value, conversion);
  const { name, length = -1 } = conversion.to;
  if (length < 0 || (raw.length < length && name !== 'binary')) return raw;
  return Buffer.concat([raw], length);
}

function bytesOf(value: Present, { from, to, style = 0 }: Conversion): Buffer {
  if (value instanceof Uint8Array) return Buffer.from(value);
  const bytes = Buffer.alloc(from.name === 'real' ? 4 : 8);
  if (from.name === 'real') bytes.writeFloatBE(Number(value));
  else if (from.name === 'float') bytes.writeDoubleBE(Number(value));
  else {
    const [, hex] = /^0x((?:[0-9a-f]{2})*)$/i.exec(String(value)) ?? [];
    if (style !== 1 || hex === undefined) throw raise(8114, [from.name, to.name]);
    return Buffer.from(hex, 'hex');
  }
  return bytes;
}
