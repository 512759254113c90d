/** Thrown for bytes that are not TDS. The connection is closed, as in SQL Server. */
export class MalformedMessageError extends Error {
  override readonly name = 'MalformedMessageError';

  constructor(reason: string) {
    super(`malformed TDS message: ${reason}`);
  }
}

/** Reads little-endian bytes in order. */
export type ByteReader = ReturnType<typeof createByteReader>;

/** Creates a reader at the start of `source`. Its methods throw {@link MalformedMessageError} past the end. */
export function createByteReader(source: Buffer) {
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
    u64: () => source.readBigUInt64LE(advance(8)),
    bytes,
    /** Reads `characters` of UTF-16LE. */
    utf16: (characters: number) => bytes(characters * 2).toString('utf16le'),
    skip: (length: number) => void advance(length),
    left: () => source.length - position,
  };
}

/** Writes little-endian bytes in order, as in TDS. */
export type ByteWriter = ReturnType<typeof createByteWriter>;

const FIRST_SIZE_BYTES = 4096;

/** Creates an empty writer. */
export function createByteWriter() {
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
  const [u8, u16] = [fixed(1, b.writeUInt8), fixed(2, b.writeUInt16LE)];
  const utf16 = (text: string): void => {
    const at = reserve(text.length * 2);
    buffer.write(text, at, 'utf16le');
  };
  return {
    u8,
    u16,
    u32: fixed(4, b.writeUInt32LE),
    i16: fixed(2, b.writeInt16LE),
    i32: fixed(4, b.writeInt32LE),
    i64: fixed(8, b.writeBigInt64LE),
    u64: fixed(8, b.writeBigUInt64LE),
    f32: fixed(4, b.writeFloatLE),
    f64: fixed(8, b.writeDoubleLE),
    bytes: (value: Uint8Array): void => {
      const at = reserve(value.length);
      buffer.set(value, at);
    },
    /** Writes UTF-16LE after a one-byte character count. */
    text8: (text: string): void => {
      u8(text.length);
      utf16(text);
    },
    /** Writes UTF-16LE after a two-byte character count. */
    text16: (text: string): void => {
      u16(text.length);
      utf16(text);
    },
    length: () => end,
    /** Returns the bytes since the last call and empties the writer. */
    take: (): Buffer => {
      const taken = buffer.subarray(0, end);
      buffer = Buffer.allocUnsafe(FIRST_SIZE_BYTES);
      end = 0;
      return taken;
    },
  };
}
