import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** Where the option ENCRYPTION of a PRELOGIN answer says that the server does not encrypt. */
const PACKET_HEADER_BYTES = 8;
const OPTION_BYTES = 5;
const OPTION = { encryption: 0x01, end: 0xff } as const;
const ENCRYPT = { on: 0x01, required: 0x03 } as const;

/** The server answered the first packet by saying that it will not encrypt. */
class PlainServerError extends Error {
  override readonly name = 'PlainServerError';
}

export interface SocketOptions {
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number;
  /** Whether a server that does not encrypt is left before the login is sent. */
  readonly encrypt: boolean;
}

/**
 * Opens the TCP connection for the driver. The driver by itself goes on in clear text when the server declines
 * encryption, password included; here the connection ends first.
 * https://learn.microsoft.com/openspecs/windows_protocols/ms-tds/60f56408-0188-4cd5-8b90-25c6f2423868
 */
export async function connectSocket(options: SocketOptions): Promise<Socket> {
  const { host, port, timeoutMs, encrypt } = options;
  const socket = connect({ host, port, noDelay: true });
  await once(socket, 'connect', { signal: AbortSignal.timeout(timeoutMs) }).catch((error) => {
    socket.destroy();
    throw error;
  });
  if (encrypt) socket.once('data', (answer) => leaveIfPlain(socket, answer));
  socket.pause();
  return socket;
}

function leaveIfPlain(socket: Socket, answer: Buffer): void {
  if (encryptionOf(answer.subarray(PACKET_HEADER_BYTES)) === 'declined') {
    socket.destroy(new PlainServerError('the server does not encrypt'));
  }
}

/** What a PRELOGIN answer says of encryption; an answer that cannot be read is left to the driver. */
function encryptionOf(payload: Buffer): 'agreed' | 'declined' | 'unknown' {
  for (let at = 0; at + OPTION_BYTES <= payload.length; at += OPTION_BYTES) {
    const option = payload[at];
    if (option === OPTION.end) break;
    if (option !== OPTION.encryption) continue;
    const value = payload[payload.readUInt16BE(at + 1)];
    if (value === undefined) return 'unknown';
    return value === ENCRYPT.on || value === ENCRYPT.required ? 'agreed' : 'declined';
  }
  return 'unknown';
}
