import { MalformedMessageError } from './malformed-message-error.ts';

/** Properties of a client in LOGIN7 (MS-TDS 2.2.6.4). */
export interface Login {
  readonly tdsVersion: number;
  readonly packetBytes: number;
  readonly hostName: string;
  readonly userName: string;
  readonly password: string;
  readonly appName: string;
  /** Empty for the login's default database. */
  readonly database: string;
}

/** Offsets of the (offset, length) pairs inside the fixed part. */
const FIELD = { hostName: 36, userName: 40, password: 44, appName: 48, database: 68 } as const;
const FIXED_PART_BYTES = 94;

/** Parses the login of a LOGIN7 payload. */
export function parseLogin7(payload: Buffer): Login {
  if (payload.length < FIXED_PART_BYTES) throw new MalformedMessageError('LOGIN7 is too short');
  const field = (at: number): Buffer => {
    const offset = payload.readUInt16LE(at);
    return payload.subarray(offset, offset + payload.readUInt16LE(at + 2) * 2);
  };
  const text = (at: number): string => field(at).toString('utf16le');
  return {
    tdsVersion: payload.readUInt32LE(4),
    packetBytes: payload.readUInt32LE(8),
    hostName: text(FIELD.hostName),
    userName: text(FIELD.userName),
    password: plainPassword(field(FIELD.password)),
    appName: text(FIELD.appName),
    database: text(FIELD.database),
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
