import type { ByteReader } from './byte-reader.ts';
import { DATETIME_EPOCH_DAYS, renderIsoClock, renderIsoDate } from './iso-time.ts';
import { MalformedMessageError } from './malformed-message-error.ts';
import type { SqlType, SqlValue, TypeName } from './sql-type.ts';
import { TYPE_CODE } from './write-type-info.ts';

/** A value and the type that came with it. */
export interface TypedValue {
  readonly type: SqlType;
  readonly value: SqlValue;
}

type ReadTyped = (reader: ByteReader) => TypedValue;

const PLP_NULL = 0xffff_ffff_ffff_ffffn;
const INTEGER_NAMES: Readonly<Record<number, TypeName>> = {
  1: 'tinyint',
  2: 'smallint',
  4: 'int',
  8: 'bigint',
};

const READERS: Readonly<Record<number, ReadTyped>> = {
  [TYPE_CODE.null]: () => ({ type: { name: 'nvarchar', length: 1 }, value: null }),
  [TYPE_CODE.int1]: (reader) => integer(reader, 1, 1),
  [TYPE_CODE.int2]: (reader) => integer(reader, 2, 2),
  [TYPE_CODE.int4]: (reader) => integer(reader, 4, 4),
  [TYPE_CODE.int8]: (reader) => integer(reader, 8, 8),
  [TYPE_CODE.bit]: (reader) => ({ type: { name: 'bit' }, value: reader.u8() }),
  [TYPE_CODE.intN]: (reader) => integer(reader, reader.u8(), reader.u8()),
  [TYPE_CODE.bitN]: (reader) => {
    reader.skip(1);
    return { type: { name: 'bit' }, value: reader.u8() === 0 ? null : reader.u8() };
  },
  [TYPE_CODE.floatN]: (reader) => {
    const name = reader.u8() === 4 ? 'real' : 'float';
    const size = reader.u8();
    if (size === 0) return { type: { name }, value: null };
    return { type: { name }, value: size === 4 ? reader.f32() : reader.f64() };
  },
  [TYPE_CODE.float8]: (reader) => ({ type: { name: 'float' }, value: reader.f64() }),
  [TYPE_CODE.decimal]: decimal,
  [TYPE_CODE.numeric]: decimal,
  [TYPE_CODE.moneyN]: (reader) => {
    const name = reader.u8() === 4 ? 'smallmoney' : 'money';
    const size = reader.u8();
    if (size === 0) return { type: { name }, value: null };
    const high = size === 8 ? BigInt(reader.i32()) << 32n : 0n;
    const low = size === 8 ? BigInt(reader.u32()) : BigInt(reader.i32());
    return { type: { name }, value: Number(high + low) / 10_000 };
  },
  [TYPE_CODE.datetimeN]: (reader) => {
    const name = reader.u8() === 4 ? 'smalldatetime' : 'datetime';
    const size = reader.u8();
    if (size === 0) return { type: { name }, value: null };
    const days = size === 4 ? reader.u16() : reader.i32();
    const ticks = size === 4 ? BigInt(reader.u16()) * 600_000_000n : ticksOf300(reader.u32());
    return { type: { name }, value: isoTime(days + DATETIME_EPOCH_DAYS, ticks, 3) };
  },
  [TYPE_CODE.date]: (reader) => ({
    type: { name: 'date' },
    value: reader.u8() === 0 ? null : renderIsoDate(Number(reader.unsigned(3))),
  }),
  [TYPE_CODE.time]: (reader) => {
    const type: SqlType = { name: 'time', scale: reader.u8() };
    const size = reader.u8();
    if (size === 0) return { type, value: null };
    return { type, value: renderIsoClock(readClock(reader, type, size), type.scale ?? 7) };
  },
  [TYPE_CODE.datetime2]: (reader) => {
    const type: SqlType = { name: 'datetime2', scale: reader.u8() };
    const size = reader.u8();
    if (size === 0) return { type, value: null };
    const ticks = readClock(reader, type, size - 3);
    return { type, value: isoTime(Number(reader.unsigned(3)), ticks, type.scale ?? 7) };
  },
  [TYPE_CODE.datetimeoffset]: (reader) => {
    const type: SqlType = { name: 'datetimeoffset', scale: reader.u8() };
    const size = reader.u8();
    if (size === 0) return { type, value: null };
    const ticks = readClock(reader, type, size - 5);
    const utc = isoTime(Number(reader.unsigned(3)), ticks, type.scale ?? 7);
    reader.skip(2);
    return { type, value: `${utc}+00:00` };
  },
  [TYPE_CODE.uniqueidentifier]: (reader) => {
    reader.skip(1);
    const size = reader.u8();
    const value = size === 0 ? null : guidText(reader.bytes(size));
    return { type: { name: 'uniqueidentifier' }, value };
  },
  [TYPE_CODE.nvarchar]: characters('nvarchar', 2),
  [TYPE_CODE.nchar]: characters('nchar', 2),
  [TYPE_CODE.varchar]: characters('varchar', 1),
  [TYPE_CODE.char]: characters('char', 1),
  [TYPE_CODE.varbinary]: binary('varbinary'),
  [TYPE_CODE.binary]: binary('binary'),
};

/** Reads TYPE_INFO and a value, as a parameter has them. */
export function readTypedValue(reader: ByteReader): TypedValue {
  const code = reader.u8();
  const read = READERS[code];
  if (!read) throw new MalformedMessageError(`a parameter of type 0x${code.toString(16)}`);
  return read(reader);
}

function integer(reader: ByteReader, declared: number, size: number): TypedValue {
  const type: SqlType = { name: INTEGER_NAMES[declared] ?? 'int' };
  if (size === 0) return { type, value: null };
  if (size === 1) return { type, value: reader.u8() };
  if (size === 8) return { type, value: reader.i64() };
  return { type, value: size === 2 ? reader.i16() : reader.i32() };
}

function decimal(reader: ByteReader): TypedValue {
  reader.skip(1);
  const type: SqlType = { name: 'decimal', precision: reader.u8(), scale: reader.u8() };
  const size = reader.u8();
  if (size === 0) return { type, value: null };
  const sign = reader.u8() === 0 ? '-' : '';
  const scale = type.scale ?? 0;
  const digits = reader
    .unsigned(size - 1)
    .toString()
    .padStart(scale + 1, '0');
  const whole = digits.slice(0, digits.length - scale);
  return { type, value: sign + whole + (scale > 0 ? `.${digits.slice(-scale)}` : '') };
}

function characters(name: TypeName, bytesPerCharacter: number): ReadTyped {
  return (reader) => {
    const declared = reader.u16();
    reader.skip(5);
    const raw = readBytes(reader, declared);
    const length = declared === 0xffff ? -1 : declared / bytesPerCharacter;
    const value = raw?.toString(bytesPerCharacter === 2 ? 'utf16le' : 'latin1') ?? null;
    return { type: { name, length }, value };
  };
}

function binary(name: TypeName): ReadTyped {
  return (reader) => {
    const declared = reader.u16();
    const value = readBytes(reader, declared);
    return { type: { name, length: declared === 0xffff ? -1 : declared }, value };
  };
}

function readBytes(reader: ByteReader, declared: number): Buffer | null {
  if (declared !== 0xffff) {
    const size = reader.u16();
    return size === 0xffff ? null : reader.bytes(size);
  }
  if (reader.unsigned(8) === PLP_NULL) return null;
  const chunks: Buffer[] = [];
  for (let size = reader.u32(); size > 0; size = reader.u32()) chunks.push(reader.bytes(size));
  return Buffer.concat(chunks);
}

function readClock(reader: ByteReader, type: SqlType, size: number): bigint {
  return reader.unsigned(size) * 10n ** BigInt(7 - (type.scale ?? 7));
}

/** Steps of 1/300 s as 100 ns, rounded to the millisecond that SQL Server shows. */
function ticksOf300(steps: number): bigint {
  return BigInt(Math.round((steps * 10) / 3)) * 10_000n;
}

function isoTime(days: number, ticks: bigint, digits: number): string {
  return `${renderIsoDate(days)}T${renderIsoClock(ticks, digits)}`;
}

function guidText(raw: Buffer): string {
  const order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
  const hex = Buffer.from(order.map((at) => raw[at] ?? 0))
    .toString('hex')
    .toUpperCase();
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
