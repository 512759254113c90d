import { createByteReader, MalformedMessageError, type ByteReader } from './bytes.ts';
import { readTypedValue, type TypedValue } from './typed-value.ts';

/** An argument of a call. The name is without `@`, and empty for a positional argument. */
export interface Argument extends TypedValue {
  readonly name: string;
}

/** A remote procedure call. */
export interface RpcCall {
  readonly procedure: string;
  readonly args: readonly Argument[];
}

/** Number of sp_executesql (MS-TDS 2.2.6.6), the only supported procedure that is called by number. */
const EXECUTE_SQL = 10;

const BY_NUMBER = 0xffff;

/** Parses the SQL of a batch message. */
export function parseBatch(payload: Buffer): string {
  const reader = createByteReader(payload);
  skipHeaders(reader);
  return reader.utf16(Math.floor(reader.left() / 2));
}

/** Parses the call of an RPC message. Throws for an unsupported parameter type. */
export function parseRpc(payload: Buffer): RpcCall {
  const reader = createByteReader(payload);
  skipHeaders(reader);
  const procedure = readProcedure(reader);
  reader.skip(2);
  const args: Argument[] = [];
  while (reader.left() > 0) args.push(readArgument(reader));
  return { procedure, args };
}

/** Skips ALL_HEADERS, which begin with their length. */
function skipHeaders(reader: ByteReader): void {
  const length = reader.u32();
  if (length < 4) throw new MalformedMessageError(`headers of ${length} bytes`);
  reader.skip(length - 4);
}

function readProcedure(reader: ByteReader): string {
  const length = reader.u16();
  if (length !== BY_NUMBER) return reader.utf16(length);
  const number = reader.u16();
  if (number !== EXECUTE_SQL) throw new MalformedMessageError(`procedure number ${number}`);
  return 'sp_executesql';
}

function readArgument(reader: ByteReader): Argument {
  const name = reader.utf16(reader.u8());
  reader.skip(1);
  return { name: name.replace(/^@/, ''), ...readTypedValue(reader) };
}
