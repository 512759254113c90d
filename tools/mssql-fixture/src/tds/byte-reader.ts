import { MalformedMessageError } from './malformed-message-error.ts';

/** Reads little-endian bytes in order. Each method throws {@link MalformedMessageError} past the end. */
export interface ByteReader {
  u8(): number;
  u16(): number;
  u32(): number;
  i32(): number;
  i64(): bigint;
  /** Reads an unsigned number of `length` bytes. */
  unsigned(length: number): bigint;
  bytes(length: number): Buffer;
  /** Reads `characters` of UTF-16LE. */
  utf16(characters: number): string;
  skip(length: number): void;
  readonly left: number;
}

/** Creates a reader at the start of `source`. */
export function createByteReader(source: Buffer): ByteReader {
  let position = 0;
  const advance = (size: number): number => {
    if (position + size > source.length) throw new MalformedMessageError('it ends too early');
    position += size;
    return position - size;
  };
  const bytes = (length: number): Buffer => {
    const start = advance(length);
    return source.subarray(start, start + length);
  };
  return {
    u8: () => source.readUInt8(advance(1)),
    u16: () => source.readUInt16LE(advance(2)),
    u32: () => source.readUInt32LE(advance(4)),
    i32: () => source.readInt32LE(advance(4)),
    i64: () => source.readBigInt64LE(advance(8)),
    unsigned: (length) =>
      bytes(length).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n),
    bytes,
    utf16: (characters) => bytes(characters * 2).toString('utf16le'),
    skip: (length) => void advance(length),
    get left() {
      return source.length - position;
    },
  };
}
