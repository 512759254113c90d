import { createByteWriter, MalformedMessageError } from './bytes.ts';
import { SERVER_VERSION } from './tokens.ts';

/** TLS mode of the server. `optional` leaves the choice to the client, like SQL Server without Force Encryption. */
export type EncryptionMode = 'optional' | 'unsupported';

/** Agreed encryption: of everything, of the login only, or none. */
type AgreedEncryption = 'full' | 'login' | 'none';

const OPTION = { version: 0, encryption: 1, instance: 2, threadId: 3, mars: 4 } as const;
const END_OF_OPTIONS = 0xff;
/** Values of the ENCRYPTION option (MS-TDS 2.2.6.5). */
const ENCRYPT = { off: 0, on: 1, notSupported: 2, required: 3 } as const;

/** Parses the client's ENCRYPTION option in PRELOGIN. The default is "not supported". */
export function parsePrelogin(payload: Buffer): number {
  for (let at = 0; ; at += 5) {
    const token = payload[at];
    if (token === undefined) throw new MalformedMessageError('PRELOGIN without an end');
    if (token === END_OF_OPTIONS) return ENCRYPT.notSupported;
    if (token === OPTION.encryption) {
      return payload[payload.readUInt16BE(at + 1)] ?? ENCRYPT.notSupported;
    }
  }
}

/** Returns the answer to the client's ENCRYPTION option (table in MS-TDS 2.2.6.5) and the resulting encryption. */
export function agreeOnEncryption(
  mode: EncryptionMode,
  clientOption: number,
): { readonly answer: number; readonly agreed: AgreedEncryption } {
  if (mode === 'unsupported' || clientOption === ENCRYPT.notSupported)
    return { answer: ENCRYPT.notSupported, agreed: 'none' };
  if (clientOption === ENCRYPT.off) return { answer: ENCRYPT.off, agreed: 'login' };
  return { answer: ENCRYPT.on, agreed: 'full' };
}

/** Renders the payload of the server's PRELOGIN answer. */
export function renderPrelogin(encryption: number): Buffer {
  const [major, minor, build] = SERVER_VERSION;
  const values: readonly (readonly [token: number, value: readonly number[]])[] = [
    [OPTION.version, [major, minor, build >> 8, build & 0xff, 0, 0]],
    [OPTION.encryption, [encryption]],
    [OPTION.instance, [0]],
    [OPTION.threadId, []],
    [OPTION.mars, [0]],
  ];
  const writer = createByteWriter();
  let offset = values.length * 5 + 1;
  for (const [token, value] of values) {
    writer.bytes(Uint8Array.of(token, offset >> 8, offset & 0xff, 0, value.length));
    offset += value.length;
  }
  writer.u8(END_OF_OPTIONS);
  for (const [, value] of values) writer.bytes(Uint8Array.from(value));
  return writer.take();
}

/** Properties of a client in LOGIN7 (MS-TDS 2.2.6.4). */
export interface Login {
  readonly packetBytes: number;
  readonly userName: string;
  readonly password: string;
  /** Empty for the login's default database. */
  readonly database: string;
}

/** Offsets of the (offset, length) pairs inside the fixed part. */
const FIELD = { userName: 40, password: 44, database: 68 } as const;
const FIXED_PART_BYTES = 94;

/** Parses the login of a LOGIN7 payload. */
export function parseLogin7(payload: Buffer): Login {
  if (payload.length < FIXED_PART_BYTES) throw new MalformedMessageError('LOGIN7 is too short');
  const field = (at: number): Buffer => {
    const offset = payload.readUInt16LE(at);
    return payload.subarray(offset, offset + payload.readUInt16LE(at + 2) * 2);
  };
  return {
    packetBytes: payload.readUInt32LE(8),
    userName: field(FIELD.userName).toString('utf16le'),
    password: plainPassword(field(FIELD.password)),
    database: field(FIELD.database).toString('utf16le'),
  };
}

/** Unscrambles a password: each byte XOR 0xA5, then its halves swapped. */
function plainPassword(scrambled: Buffer): string {
  const plain = scrambled.map((byte) => {
    const unmasked = byte ^ 0xa5;
    return ((unmasked << 4) | (unmasked >> 4)) & 0xff;
  });
  return Buffer.from(plain).toString('utf16le');
}
