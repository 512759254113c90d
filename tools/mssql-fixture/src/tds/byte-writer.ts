/** Writes little-endian bytes in order, as in TDS. */
export interface ByteWriter {
  u8(value: number): void;
  u16(value: number): void;
  u32(value: number): void;
  i16(value: number): void;
  i32(value: number): void;
  i64(value: bigint): void;
  f32(value: number): void;
  f64(value: number): void;
  /** Writes an unsigned number of `length` bytes. */
  unsigned(value: bigint, length: number): void;
  bytes(value: Uint8Array): void;
  /** Writes UTF-16LE without a length. */
  utf16(text: string): void;
  /** Writes UTF-16LE after a one-byte character count. */
  text8(text: string): void;
  /** Writes UTF-16LE after a two-byte character count. */
  text16(text: string): void;
  readonly length: number;
  /** Returns the bytes since the last call and empties the writer. */
  take(): Buffer;
}

const FIRST_SIZE_BYTES = 4096;

/** Creates an empty writer. */
export function createByteWriter(): ByteWriter {
  let buffer = Buffer.allocUnsafe(FIRST_SIZE_BYTES);
  let end = 0;
  const reserve = (size: number): number => {
    if (end + size > buffer.length) {
      const grown = Buffer.allocUnsafe(Math.max(buffer.length * 2, end + size));
      buffer.copy(grown, 0, 0, end);
      buffer = grown;
    }
    end += size;
    return end - size;
  };
  const fixed =
    <T>(size: number, write: (value: T, at: number) => unknown) =>
    (value: T): void => {
      const at = reserve(size);
      write.call(buffer, value, at);
    };
  const { prototype: b } = Buffer;
  const writer: ByteWriter = {
    u8: fixed(1, b.writeUInt8),
    u16: fixed(2, b.writeUInt16LE),
    u32: fixed(4, b.writeUInt32LE),
    i16: fixed(2, b.writeInt16LE),
    i32: fixed(4, b.writeInt32LE),
    i64: fixed(8, b.writeBigInt64LE),
    f32: fixed(4, b.writeFloatLE),
    f64: fixed(8, b.writeDoubleLE),
    unsigned: (value, length) => {
      const start = reserve(length);
      for (let i = 0; i < length; i++) buffer[start + i] = Number((value >> BigInt(8 * i)) & 255n);
    },
    bytes: (value) => {
      const start = reserve(value.length);
      buffer.set(value, start);
    },
    utf16: (text) => {
      const at = reserve(text.length * 2);
      buffer.write(text, at, 'utf16le');
    },
    text8: (text) => {
      writer.u8(text.length);
      writer.utf16(text);
    },
    text16: (text) => {
      writer.u16(text.length);
      writer.utf16(text);
    },
    get length() {
      return end;
    },
    take: () => {
      const taken = buffer.subarray(0, end);
      buffer = Buffer.allocUnsafe(FIRST_SIZE_BYTES);
      end = 0;
      return taken;
    },
  };
  return writer;
}
