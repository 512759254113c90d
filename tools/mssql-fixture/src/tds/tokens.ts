import { createByteWriter, type ByteWriter } from './bytes.ts';
import type { ResultColumn, SqlValue } from './sql-type.ts';
import { COLLATION_BYTES, writeTypeInfo, writeValue } from './typed-value.ts';

/** Token types of MS-TDS 2.2.7. */
const TOKEN = {
  returnStatus: 0x79,
  columns: 0x81,
  error: 0xaa,
  info: 0xab,
  loginAck: 0xad,
  row: 0xd1,
  rowWithNulls: 0xd2,
  change: 0xe3,
} as const;

/** Name and version of the server, SQL Server 2019. */
export const SERVER_NAME = 'MSSQLFIXTURE';
export const SERVER_VERSION = [15, 0, 4382] as const;

/** DONE tokens by kind of statement. */
export const DONE = { batch: 0xfd, procedure: 0xfe, inProcedure: 0xff } as const;

const DONE_STATUS = { more: 0x01, error: 0x02, count: 0x10, attention: 0x20 } as const;

/** ENVCHANGE types. */
const CHANGE = {
  database: 1,
  language: 2,
  packetBytes: 4,
  collation: 7,
  reset: 18,
} as const;

const NULLABLE_UNKNOWN_UPDATE = 0x01 | 0x08;

/** A message of SQL Server. */
export interface ServerMessage {
  readonly number: number;
  readonly severity: number;
  readonly state: number;
  readonly text: string;
  readonly procedure: string;
  readonly line: number;
}

/** Checks if a message is an error. */
export function isError({ severity }: ServerMessage): boolean {
  return severity >= 11;
}

/** Content of a DONE token. */
export interface DoneState {
  readonly kind: (typeof DONE)[keyof typeof DONE];
  readonly hasMore: boolean;
  readonly hasError?: boolean;
  readonly isAttention?: boolean;
  readonly rowCount?: number | undefined;
}

export function writeColumns(writer: ByteWriter, columns: readonly ResultColumn[]): void {
  writer.u8(TOKEN.columns);
  writer.u16(columns.length);
  for (const column of columns) {
    writer.u32(0);
    writer.u16(NULLABLE_UNKNOWN_UPDATE);
    writeTypeInfo(writer, column.type);
    writer.text8(column.name);
  }
}

/** Writes a row. It is an NBCROW with a bitmap of NULLs if there are any. */
export function writeRow(
  writer: ByteWriter,
  columns: readonly ResultColumn[],
  row: readonly SqlValue[],
): void {
  const hasNulls = row.includes(null);
  writer.u8(hasNulls ? TOKEN.rowWithNulls : TOKEN.row);
  if (hasNulls) writer.bytes(nullBitmap(row));
  columns.forEach((column, i) => {
    const value = row[i] ?? null;
    if (!hasNulls || value !== null) writeValue(writer, column.type, value);
  });
}

function nullBitmap(row: readonly SqlValue[]): Uint8Array {
  const bitmap = new Uint8Array(Math.ceil(row.length / 8));
  row.forEach((value, i) => {
    if (value === null) bitmap[i >> 3] = (bitmap[i >> 3] ?? 0) | (1 << (i & 7));
  });
  return bitmap;
}

export function writeMessage(writer: ByteWriter, message: ServerMessage): void {
  const body = createByteWriter();
  body.i32(message.number);
  body.u8(message.state);
  body.u8(message.severity);
  body.text16(message.text);
  body.text8(SERVER_NAME);
  body.text8(message.procedure);
  body.u32(message.line);
  writeBody(writer, isError(message) ? TOKEN.error : TOKEN.info, body);
}

export function writeDone(writer: ByteWriter, done: DoneState): void {
  let status = 0;
  if (done.hasMore) status |= DONE_STATUS.more;
  if (done.hasError) status |= DONE_STATUS.error;
  if (done.rowCount !== undefined) status |= DONE_STATUS.count;
  if (done.isAttention) status |= DONE_STATUS.attention;
  writer.u8(done.kind);
  writer.u16(status);
  writer.u16(0);
  writer.u64(BigInt(done.rowCount ?? 0));
}

export function writeReturnStatus(writer: ByteWriter, status: number): void {
  writer.u8(TOKEN.returnStatus);
  writer.i32(status);
}

export function writeLoginAck(writer: ByteWriter): void {
  const [major, minor, build] = SERVER_VERSION;
  const body = createByteWriter();
  body.u8(1);
  body.bytes(Uint8Array.of(0x74, 0x00, 0x00, 0x04));
  body.text8('Microsoft SQL Server');
  body.bytes(Uint8Array.of(major, minor, build >> 8, build & 0xff));
  writeBody(writer, TOKEN.loginAck, body);
}

/** Writes ENVCHANGE of a text: database, language or packet size. */
export function writeTextChange(
  writer: ByteWriter,
  kind: 'database' | 'language' | 'packetBytes',
  change: { readonly from: string; readonly to: string },
): void {
  const body = createByteWriter();
  body.u8(CHANGE[kind]);
  body.text8(change.to);
  body.text8(change.from);
  writeBody(writer, TOKEN.change, body);
}

/** Writes ENVCHANGE of the collation at login. */
export function writeCollationChange(writer: ByteWriter): void {
  const body = createByteWriter();
  body.bytes(Uint8Array.of(CHANGE.collation, COLLATION_BYTES.length, ...COLLATION_BYTES, 0));
  writeBody(writer, TOKEN.change, body);
}

/** Writes ENVCHANGE to acknowledge a reset of the session. */
export function writeResetChange(writer: ByteWriter): void {
  const body = createByteWriter();
  body.bytes(Uint8Array.of(CHANGE.reset, 0, 0));
  writeBody(writer, TOKEN.change, body);
}

/** Writes a token with its length. */
function writeBody(writer: ByteWriter, token: number, body: ByteWriter): void {
  writer.u8(token);
  writer.u16(body.length());
  writer.bytes(body.take());
}
