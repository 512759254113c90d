import type { ByteReader } from './byte-reader.ts';
import { DATETIME_EPOCH_DAYS, renderIsoClock, renderIsoDate } from './iso-time.ts';
import { MalformedMessageError } from './malformed-message-error.ts';
import type { SqlType, SqlValue, TypeName } from './sql-type.ts';
import { TYPE_CODE } from './write-type-info.ts';

/** A value with its type. */
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
  [TYPE_CODE.intN]: (reader) => integer(reader, reader.u8(), reader.u8()),
  [TYPE_CODE.bitN]: (reader) => {
    reader.skip(1);
    return { type: { name: 'bit' }, value: reader.u8() === 0 ? null : reader.u8() };
  },
  [TYPE_CODE.datetimeN]: (reader) => {
    const name = reader.u8() === 4 ? 'smalldatetime' : 'datetime';
    const size = reader.u8();
    if (size === 0) return { type: { name }, value: null };
    const days = size === 4 ? reader.u16() : reader.i32();
    const ticks = size === 4 ? BigInt(reader.u16()) * 600_000_000n : ticksOf300(reader.u32());
    return { type: { name }, value: isoTime(days + DATETIME_EPOCH_DAYS, ticks, 3) };
  },
  [TYPE_CODE.datetime2]: (reader) => {
    const type: SqlType = { name: 'datetime2', scale: reader.u8() };
    const size = reader.u8();
    if (size === 0) return { type, value: null };
    const ticks = readClock(reader, type, size - 3);
    return { type, value: isoTime(Number(reader.unsigned(3)), ticks, type.scale ?? 7) };
  },
  [TYPE_CODE.nvarchar]: characters('nvarchar', 2),
  [TYPE_CODE.nchar]: characters('nchar', 2),
  [TYPE_CODE.varchar]: characters('varchar', 1),
  [TYPE_CODE.char]: characters('char', 1),
  [TYPE_CODE.varbinary]: binary('varbinary'),
  [TYPE_CODE.binary]: binary('binary'),
};

/** Reads TYPE_INFO and a value of a parameter. */
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
  return { type, value: size === 2 ? (reader.u16() << 16) >> 16 : reader.i32() };
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

/** Converts steps of 1/300 s to units of 100 ns, rounded to milliseconds like SQL Server. */
function ticksOf300(steps: number): bigint {
  return BigInt(Math.round((steps * 10) / 3)) * 10_000n;
}

function isoTime(days: number, ticks: bigint, digits: number): string {
  return `${renderIsoDate(days)}T${renderIsoClock(ticks, digits)}`;
}
