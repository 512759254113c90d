import { MalformedMessageError, type ByteReader, type ByteWriter } from './bytes.ts';
import { nvarchar, type SqlType, type SqlValue } from './sql-type.ts';

/** A value with its type. */
export interface TypedValue {
  readonly type: SqlType;
  readonly value: SqlValue;
}

/** Danish_Norwegian_CI_AS: locale 0x0406, ignores case, kana and width. */
export const COLLATION_BYTES = Uint8Array.of(0x06, 0x04, 0xd0, 0x00, 0x00);

/** Codes of the nullable types in MS-TDS 2.2.5.4, where each value has its length. */
const CODE = {
  ...{ integer: 0x26, bit: 0x68, float: 0x6d, nvarchar: 0xe7, nchar: 0xef },
  ...{ varchar: 0xa7, char: 0xaf, varbinary: 0xa5, binary: 0xad },
} as const;

type Write = (writer: ByteWriter, value: number | bigint) => void;

/** Types of one size: their code, size in bytes, and how a value is written after its size. */
const FIXED: ReadonlyMap<string, readonly [code: number, bytes: number, write: Write]> = new Map([
  ['bit', [CODE.bit, 1, (writer, value) => writer.u8(Number(value))]],
  ['tinyint', [CODE.integer, 1, (writer, value) => writer.u8(Number(value))]],
  ['smallint', [CODE.integer, 2, (writer, value) => writer.i16(Number(value))]],
  ['int', [CODE.integer, 4, (writer, value) => writer.i32(Number(value))]],
  ['bigint', [CODE.integer, 8, (writer, value) => writer.i64(BigInt(value))]],
  ['real', [CODE.float, 4, (writer, value) => writer.f32(Number(value))]],
  ['float', [CODE.float, 8, (writer, value) => writer.f64(Number(value))]],
]);

/** Text and bytes: their code, and the encoding of text. text, ntext, image and xml are sent as max types. */
const SIZED: ReadonlyMap<string, readonly [code: number, encoding?: BufferEncoding]> = new Map([
  ['nvarchar', [CODE.nvarchar, 'utf16le']],
  ['ntext', [CODE.nvarchar, 'utf16le']],
  ['xml', [CODE.nvarchar, 'utf16le']],
  ['nchar', [CODE.nchar, 'utf16le']],
  ['varchar', [CODE.varchar, 'latin1']],
  ['text', [CODE.varchar, 'latin1']],
  ['char', [CODE.char, 'latin1']],
  ['varbinary', [CODE.varbinary]],
  ['image', [CODE.varbinary]],
  ['binary', [CODE.binary]],
  ['timestamp', [CODE.binary]],
]);

const NULL_LENGTH = 0xffff;
const MAX_LENGTH = 0xffff;
const NULL_MAX = 0xffff_ffff_ffff_ffffn;

/** Checks if values of a type can be sent. Times, decimals and others have to be converted to text. */
export function isSendable({ name }: SqlType): boolean {
  return FIXED.has(name) || SIZED.has(name);
}

/** Checks if values of a type are sent in chunks. */
function isMax({ name, length }: SqlType): boolean {
  return length === -1 || /^(n?text|image|xml)$/.test(name);
}

/** Writes the TYPE_INFO of a column. */
export function writeTypeInfo(writer: ByteWriter, type: SqlType): void {
  const [fixedCode, bytes] = FIXED.get(type.name) ?? [];
  if (fixedCode !== undefined) {
    writer.u8(fixedCode);
    writer.u8(bytes ?? 0);
    return;
  }
  const [code, encoding] = SIZED.get(type.name) ?? [CODE.nvarchar];
  const length = type.name === 'timestamp' ? 8 : (type.length ?? 1);
  writer.u8(code);
  writer.u16(isMax(type) ? MAX_LENGTH : length * (encoding === 'utf16le' ? 2 : 1));
  if (encoding) writer.bytes(COLLATION_BYTES);
}

/** Writes a value of a row. */
export function writeValue(writer: ByteWriter, type: SqlType, value: SqlValue): void {
  const [, bytes, write] = FIXED.get(type.name) ?? [];
  if (write) {
    writer.u8(value === null ? 0 : (bytes ?? 0));
    if (value !== null) write(writer, typeof value === 'bigint' ? value : Number(value));
    return;
  }
  if (value === null) {
    if (isMax(type)) writer.u64(NULL_MAX);
    else writer.u16(NULL_LENGTH);
    return;
  }
  const raw = value instanceof Uint8Array ? value : encoded(String(value), type);
  if (isMax(type)) {
    writer.u64(BigInt(raw.length));
    if (raw.length > 0) writer.u32(raw.length);
  } else {
    writer.u16(raw.length);
  }
  writer.bytes(raw);
  if (isMax(type)) writer.u32(0);
}

/** Encodes text, with the blanks at the end of fixed-length text. */
function encoded(text: string, { name, length }: SqlType): Buffer {
  const padded = /^n?char$/.test(name) ? text.padEnd(length ?? 1) : text;
  return Buffer.from(padded, SIZED.get(name)?.[1]);
}

/** Reads TYPE_INFO and a value of a parameter: a whole number, text or bytes. */
export function readTypedValue(reader: ByteReader): TypedValue {
  const code = reader.u8();
  switch (code) {
    case CODE.bit:
    case CODE.integer: {
      const name = { 1: 'tinyint', 2: 'smallint', 4: 'int' }[reader.u8()] ?? 'bigint';
      const raw = Buffer.from(reader.bytes(reader.u8()));
      if (raw.length === 0) return { type: { name }, value: null };
      if (raw.length === 8) return { type: { name }, value: raw.readBigInt64LE() };
      return { type: { name }, value: raw.length === 1 ? raw[0]! : raw.readIntLE(0, raw.length) };
    }
    case CODE.nvarchar: {
      const declared = reader.u16();
      reader.skip(COLLATION_BYTES.length);
      const value = readBytes(reader, declared)?.toString('utf16le') ?? null;
      return { type: nvarchar(declared === MAX_LENGTH ? -1 : declared / 2), value };
    }
    case CODE.varbinary:
    case CODE.binary: {
      const declared = reader.u16();
      const length = declared === MAX_LENGTH ? -1 : declared;
      return { type: { name: 'varbinary', length }, value: readBytes(reader, declared) };
    }
    default:
      throw new MalformedMessageError(`a parameter of type 0x${code.toString(16)}`);
  }
}

function readBytes(reader: ByteReader, declared: number): Buffer | null {
  if (declared !== MAX_LENGTH) {
    const size = reader.u16();
    return size === NULL_LENGTH ? null : reader.bytes(size);
  }
  if (reader.u64() === NULL_MAX) return null;
  const chunks: Buffer[] = [];
  for (let size = reader.u32(); size > 0; size = reader.u32()) chunks.push(reader.bytes(size));
  return Buffer.concat(chunks);
}
