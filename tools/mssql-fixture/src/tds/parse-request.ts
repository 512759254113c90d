import { createByteReader, type ByteReader } from './byte-reader.ts';
import { MalformedMessageError } from './malformed-message-error.ts';
import { readTypedValue } from './read-typed-value.ts';
import type { SqlType, SqlValue } from './sql-type.ts';

/** A parameter of a remote procedure call. The name is without `@`, and empty for a positional parameter. */
export interface RpcParameter {
  readonly name: string;
  readonly isOutput: boolean;
  readonly type: SqlType;
  readonly value: SqlValue;
}

/** A remote procedure call. */
export interface RpcCall {
  readonly procedure: string;
  readonly parameters: readonly RpcParameter[];
}

/** Number of sp_executesql (MS-TDS 2.2.6.6), the only supported procedure that is called by number. */
const EXECUTE_SQL = 10;

const BY_NUMBER = 0xffff;
const STATUS_OUTPUT = 0x01;

/** Parses the SQL of a batch message. */
export function parseBatch(payload: Buffer): string {
  const reader = createByteReader(payload);
  skipHeaders(reader);
  return reader.utf16(Math.floor(reader.left / 2));
}

/** Parses the call of an RPC message. Throws for an unsupported parameter type. */
export function parseRpc(payload: Buffer): RpcCall {
  const reader = createByteReader(payload);
  skipHeaders(reader);
  const procedure = readProcedure(reader);
  reader.skip(2);
  const parameters: RpcParameter[] = [];
  while (reader.left > 0) parameters.push(readParameter(reader));
  return { procedure, parameters };
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

function readParameter(reader: ByteReader): RpcParameter {
  const name = reader.utf16(reader.u8());
  const status = reader.u8();
  return {
    name: name.replace(/^@/, ''),
    isOutput: (status & STATUS_OUTPUT) !== 0,
    ...readTypedValue(reader),
  };
}
