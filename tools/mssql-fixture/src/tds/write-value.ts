import { createByteWriter, type ByteWriter } from './byte-writer.ts';
import { DATETIME_EPOCH_DAYS, parseIsoTime, type TimeParts } from './iso-time.ts';
import type { SqlType, SqlValue, TypeName } from './sql-type.ts';
import { COLLATION_BYTES, isMax, scaleOf, TYPE_CODE } from './write-type-info.ts';

type Present = Exclude<SqlValue, null>;
type WriteValue = (writer: ByteWriter, value: Present, type: SqlType) => void;

const PLP_NULL = 0xffff_ffff_ffff_ffffn;
const PLP_CHUNK_BYTES = 1 << 20;

const integer =
  (size: number): WriteValue =>
  (writer, value) => {
    writer.u8(size);
    writer.unsigned(BigInt.asUintN(size * 8, toBigInt(value)), size);
  };

const scaledInteger =
  (
    writeDigits: (writer: ByteWriter, digits: bigint, type: SqlType) => void,
    scale?: number,
  ): WriteValue =>
  (writer, value, type) =>
    writeDigits(writer, shiftPoint(String(value), scale ?? type.scale ?? 0), type);

const decimal = scaledInteger((writer, digits) => {
  writer.u8(17);
  writer.u8(digits < 0n ? 0 : 1);
  writer.unsigned(digits < 0n ? -digits : digits, 16);
});

const money = scaledInteger((writer, digits) => {
  writer.u8(8);
  writer.i32(Number(digits >> 32n));
  writer.u32(Number(digits & 0xffff_ffffn));
}, 4);

const text =
  (encoding: 'utf16le' | 'latin1', pads: boolean): WriteValue =>
  (writer, value, type) => {
    const padded = pads ? String(value).padEnd(type.length ?? 1) : String(value);
    writeBytes(writer, Buffer.from(padded, encoding), type);
  };

const bytes =
  (pads: boolean): WriteValue =>
  (writer, value, type) => {
    const raw = toBytes(value);
    const size = type.name === 'timestamp' ? 8 : (type.length ?? 1);
    const padded = pads && raw.length < size ? Buffer.concat([raw], size) : raw;
    writeBytes(writer, padded, type);
  };

const VALUES: { readonly [N in TypeName]: WriteValue } = {
  bit: (writer, value) => {
    writer.u8(1);
    writer.u8(Number(value) === 0 ? 0 : 1);
  },
  tinyint: integer(1),
  smallint: integer(2),
  int: integer(4),
  bigint: integer(8),
  decimal,
  numeric: decimal,
  money,
  smallmoney: scaledInteger((writer, digits) => {
    writer.u8(4);
    writer.i32(Number(digits));
  }, 4),
  real: (writer, value) => {
    writer.u8(4);
    writer.f32(Number(value));
  },
  float: (writer, value) => {
    writer.u8(8);
    writer.f64(Number(value));
  },
  date: (writer, value) => {
    writer.u8(3);
    writer.unsigned(BigInt(timeOf(value).days), 3);
  },
  time: (writer, value, type) => {
    writer.u8(clockBytes(type));
    writeClock(writer, timeOf(value), type);
  },
  datetime: (writer, value) => {
    const { days, ticks } = timeOf(value);
    writer.u8(8);
    writer.i32(days - DATETIME_EPOCH_DAYS);
    writer.u32(Math.round((Number(ticks) * 300) / 10_000_000));
  },
  smalldatetime: (writer, value) => {
    const { days, ticks } = timeOf(value);
    writer.u8(4);
    writer.u16(days - DATETIME_EPOCH_DAYS);
    writer.u16(Number(ticks / 600_000_000n));
  },
  datetime2: (writer, value, type) => {
    writer.u8(clockBytes(type) + 3);
    writeClock(writer, timeOf(value), type);
    writer.unsigned(BigInt(timeOf(value).days), 3);
  },
  datetimeoffset: (writer, value, type) => {
    const local = timeOf(value);
    const utc = toUtc(local);
    writer.u8(clockBytes(type) + 5);
    writeClock(writer, utc, type);
    writer.unsigned(BigInt(utc.days), 3);
    writer.i16(local.offsetMinutes);
  },
  char: text('latin1', true),
  varchar: text('latin1', false),
  text: text('latin1', false),
  nchar: text('utf16le', true),
  nvarchar: text('utf16le', false),
  ntext: text('utf16le', false),
  binary: bytes(true),
  varbinary: bytes(false),
  image: bytes(false),
  timestamp: bytes(true),
  uniqueidentifier: (writer, value) => {
    writer.u8(16);
    writer.bytes(guidBytes(String(value)));
  },
  xml: text('utf16le', false),
  sql_variant: writeVariant,
};

/** Writes a value of a ROW, NBCROW or RETURNVALUE token. */
export function writeValue(writer: ByteWriter, type: SqlType, value: SqlValue): void {
  if (value !== null) VALUES[type.name](writer, value, type);
  else if (isMax(type)) writer.unsigned(PLP_NULL, 8);
  else if (type.name === 'sql_variant') writer.u32(0);
  else if (isCharacterOrBinary(type.name)) writer.u16(0xffff);
  else writer.u8(0);
}

function isCharacterOrBinary(name: TypeName): boolean {
  return /char|binary|timestamp/.test(name);
}

/** Writes bytes after their length, or in chunks (PLP) for a max type. */
function writeBytes(writer: ByteWriter, value: Uint8Array, type: SqlType): void {
  if (!isMax(type)) {
    writer.u16(value.length);
    writer.bytes(value);
    return;
  }
  writer.unsigned(BigInt(value.length), 8);
  for (let at = 0; at < value.length; at += PLP_CHUNK_BYTES) {
    const chunk = value.subarray(at, at + PLP_CHUNK_BYTES);
    writer.u32(chunk.length);
    writer.bytes(chunk);
  }
  writer.u32(0);
}

/** Writes a variant with its own type: int for whole numbers, float for others, varbinary for bytes, else nvarchar. */
function writeVariant(writer: ByteWriter, value: Present): void {
  const inner = createByteWriter();
  const isNumber = typeof value === 'number' || typeof value === 'bigint';
  if (isNumber && Number.isInteger(Number(value)) && Math.abs(Number(value)) < 2 ** 31) {
    inner.bytes(Uint8Array.of(TYPE_CODE.int4, 0));
    inner.i32(Number(value));
  } else if (typeof value === 'bigint') {
    inner.bytes(Uint8Array.of(TYPE_CODE.int8, 0));
    inner.i64(value);
  } else if (typeof value === 'number') {
    inner.bytes(Uint8Array.of(TYPE_CODE.float8, 0));
    inner.f64(value);
  } else if (typeof value === 'string') {
    inner.bytes(Uint8Array.of(TYPE_CODE.nvarchar, 7));
    inner.bytes(COLLATION_BYTES);
    inner.u16(value.length * 2);
    inner.utf16(value);
  } else {
    inner.bytes(Uint8Array.of(TYPE_CODE.varbinary, 2));
    inner.u16(value.length);
    inner.bytes(value);
  }
  writer.u32(inner.length);
  writer.bytes(inner.take());
}

function clockBytes(type: SqlType): number {
  const scale = scaleOf(type);
  if (scale <= 2) return 3;
  return scale <= 4 ? 4 : 5;
}

function writeClock(writer: ByteWriter, time: TimeParts, type: SqlType): void {
  writer.unsigned(time.ticks / 10n ** BigInt(7 - scaleOf(type)), clockBytes(type));
}

function toUtc(local: TimeParts): TimeParts {
  const ticksPerDay = 864_000_000_000n;
  const shifted = local.ticks - BigInt(local.offsetMinutes) * 600_000_000n;
  const ticks = ((shifted % ticksPerDay) + ticksPerDay) % ticksPerDay;
  return { ...local, days: local.days + Number((shifted - ticks) / ticksPerDay), ticks };
}

function timeOf(value: Present): TimeParts {
  const parts = parseIsoTime(String(value));
  if (!parts) throw new Error(`the engine holds ${String(value)} where a time should be`);
  return parts;
}

function toBigInt(value: Present): bigint {
  return typeof value === 'bigint' ? value : BigInt(Math.trunc(Number(value)));
}

function toBytes(value: Present): Uint8Array {
  return value instanceof Uint8Array ? value : Buffer.from(String(value), 'utf16le');
}

/** Converts `12.5` with scale 4 to 125000n. More digits are truncated. */
function shiftPoint(value: string, scale: number): bigint {
  const plain = /e/i.test(value) ? Number(value).toFixed(scale) : value;
  const [whole = '0', fraction = ''] = plain.split('.');
  const digits = BigInt(whole.replace('-', '') + fraction.slice(0, scale).padEnd(scale, '0'));
  return plain.startsWith('-') ? -digits : digits;
}

/** Converts a GUID to bytes. Its first three groups are little-endian on the wire. */
function guidBytes(text: string): Buffer {
  const raw = Buffer.from(text.replaceAll('-', ''), 'hex');
  const order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
  return Buffer.from(order.map((at) => raw[at] ?? 0));
}
