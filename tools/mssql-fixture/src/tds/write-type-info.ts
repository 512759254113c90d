import type { ByteWriter } from './byte-writer.ts';
import type { SqlType, TypeName } from './sql-type.ts';

/** Nullable TDS type codes of MS-TDS 2.2.5.4, where each value has its length. */
export const TYPE_CODE = {
  uniqueidentifier: 0x24,
  intN: 0x26,
  date: 0x28,
  time: 0x29,
  datetime2: 0x2a,
  datetimeoffset: 0x2b,
  int4: 0x38,
  float8: 0x3e,
  variant: 0x62,
  bitN: 0x68,
  decimal: 0x6a,
  numeric: 0x6c,
  floatN: 0x6d,
  moneyN: 0x6e,
  datetimeN: 0x6f,
  int8: 0x7f,
  varbinary: 0xa5,
  varchar: 0xa7,
  binary: 0xad,
  char: 0xaf,
  nvarchar: 0xe7,
  nchar: 0xef,
} as const;

/** Danish_Norwegian_CI_AS: locale 0x0406, ignores case, kana and width. */
export const COLLATION_BYTES = Uint8Array.of(0x06, 0x04, 0xd0, 0x00, 0x00);

const MAX_LENGTH = 0xffff;

type TypeInfo = (writer: ByteWriter, type: SqlType) => void;

const sized =
  (code: number, size: number): TypeInfo =>
  (writer) => {
    writer.u8(code);
    writer.u8(size);
  };

const scaled =
  (code: number): TypeInfo =>
  (writer, type) => {
    writer.u8(code);
    writer.u8(scaleOf(type));
  };

const decimal =
  (code: number): TypeInfo =>
  (writer, type) => {
    writer.u8(code);
    writer.u8(17);
    writer.u8(type.precision ?? 18);
    writer.u8(type.scale ?? 0);
  };

const characters =
  (code: number, bytesPerCharacter: number): TypeInfo =>
  (writer, type) => {
    writer.u8(code);
    writer.u16(isMax(type) ? MAX_LENGTH : (type.length ?? 1) * bytesPerCharacter);
    writer.bytes(COLLATION_BYTES);
  };

const binary =
  (code: number): TypeInfo =>
  (writer, type) => {
    writer.u8(code);
    writer.u16(isMax(type) ? MAX_LENGTH : (type.length ?? 1));
  };

const maxOf =
  (info: TypeInfo): TypeInfo =>
  (writer, type) =>
    info(writer, { ...type, length: -1 });

/** Writers of TYPE_INFO. text, ntext, image and xml are sent as max types, timestamp as binary(8). */
const TYPE_INFO: { readonly [N in TypeName]: TypeInfo } = {
  bit: sized(TYPE_CODE.bitN, 1),
  tinyint: sized(TYPE_CODE.intN, 1),
  smallint: sized(TYPE_CODE.intN, 2),
  int: sized(TYPE_CODE.intN, 4),
  bigint: sized(TYPE_CODE.intN, 8),
  decimal: decimal(TYPE_CODE.decimal),
  numeric: decimal(TYPE_CODE.numeric),
  money: sized(TYPE_CODE.moneyN, 8),
  smallmoney: sized(TYPE_CODE.moneyN, 4),
  real: sized(TYPE_CODE.floatN, 4),
  float: sized(TYPE_CODE.floatN, 8),
  date: (writer) => writer.u8(TYPE_CODE.date),
  time: scaled(TYPE_CODE.time),
  datetime: sized(TYPE_CODE.datetimeN, 8),
  smalldatetime: sized(TYPE_CODE.datetimeN, 4),
  datetime2: scaled(TYPE_CODE.datetime2),
  datetimeoffset: scaled(TYPE_CODE.datetimeoffset),
  char: characters(TYPE_CODE.char, 1),
  varchar: characters(TYPE_CODE.varchar, 1),
  text: maxOf(characters(TYPE_CODE.varchar, 1)),
  nchar: characters(TYPE_CODE.nchar, 2),
  nvarchar: characters(TYPE_CODE.nvarchar, 2),
  ntext: maxOf(characters(TYPE_CODE.nvarchar, 2)),
  binary: binary(TYPE_CODE.binary),
  varbinary: binary(TYPE_CODE.varbinary),
  image: maxOf(binary(TYPE_CODE.varbinary)),
  timestamp: (writer, type) => binary(TYPE_CODE.binary)(writer, { ...type, length: 8 }),
  uniqueidentifier: sized(TYPE_CODE.uniqueidentifier, 16),
  xml: maxOf(characters(TYPE_CODE.nvarchar, 2)),
  sql_variant: (writer) => {
    writer.u8(TYPE_CODE.variant);
    writer.u32(8009);
  },
};

/** Writes the TYPE_INFO of a column or a return value. */
export function writeTypeInfo(writer: ByteWriter, type: SqlType): void {
  TYPE_INFO[type.name](writer, type);
}

/** Checks if values of the type are sent in chunks (PLP): max types and those that are sent as one. */
export function isMax(type: SqlType): boolean {
  return type.length === -1 || ['text', 'ntext', 'image', 'xml'].includes(type.name);
}

/** Returns the fractional digits of a second. The default is 7. */
export function scaleOf(type: SqlType): number {
  return type.scale ?? 7;
}
