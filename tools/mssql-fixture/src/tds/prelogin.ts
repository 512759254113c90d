import { createByteWriter } from './byte-writer.ts';
import { MalformedMessageError } from './malformed-message-error.ts';

/** TLS mode of the server. `optional` leaves the choice to the client, like SQL Server without Force Encryption. */
export type EncryptionMode = 'optional' | 'required' | 'unsupported';

/** Agreed encryption: of everything, of the login only, or none. */
export type AgreedEncryption = 'full' | 'login' | 'none';

const OPTION = { version: 0, encryption: 1, instance: 2, threadId: 3, mars: 4 } as const;
const END_OF_OPTIONS = 0xff;
/** Values of the ENCRYPTION option (MS-TDS 2.2.6.5). */
const ENCRYPT = { off: 0, on: 1, notSupported: 2, required: 3 } as const;

/** Parses the client's ENCRYPTION option. The default is "not supported". */
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
  if (mode === 'unsupported') return { answer: ENCRYPT.notSupported, agreed: 'none' };
  if (clientOption === ENCRYPT.on || clientOption === ENCRYPT.required) {
    return { answer: ENCRYPT.on, agreed: 'full' };
  }
  if (mode === 'required') return { answer: ENCRYPT.required, agreed: 'full' };
  if (clientOption === ENCRYPT.notSupported)
    return { answer: ENCRYPT.notSupported, agreed: 'none' };
  return { answer: ENCRYPT.off, agreed: 'login' };
}

/** Renders the payload of the server's PRELOGIN answer. */
export function renderPrelogin(encryption: number, version: readonly number[]): Buffer {
  const [major = 0, minor = 0, build = 0] = version;
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
    writer.u8(token);
    writer.bytes(Uint8Array.of(offset >> 8, offset & 0xff, 0, value.length));
    offset += value.length;
  }
  writer.u8(END_OF_OPTIONS);
  for (const [, value] of values) writer.bytes(Uint8Array.from(value));
  return writer.take();
}
