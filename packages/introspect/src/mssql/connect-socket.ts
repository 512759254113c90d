import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** First byte of a packet that requests a session, and first bytes of TLS records. */
const PRELOGIN = 0x12;
const TLS_RECORDS = { first: 0x14, last: 0x17 } as const;
/** Length of the start of a packet: type, status, and length of the packet in two bytes. */
const PACKET_START_BYTES = 4;

/** Thrown if the driver was about to send data in clear text that must be encrypted. */
class PlainServerError extends Error {
  override readonly name = 'PlainServerError';
}

export interface SocketOptions {
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number;
  /** If true, the connection ends before any part of the login is sent in clear text. */
  readonly encrypt: boolean;
}

/** Opens the TCP connection for the driver. */
export async function connectSocket(options: SocketOptions): Promise<Socket> {
  const { host, port, timeoutMs, encrypt } = options;
  const socket = connect({ host, port, noDelay: true });
  await once(socket, 'connect', { signal: AbortSignal.timeout(timeoutMs) }).catch((error) => {
    socket.destroy();
    throw error;
  });
  if (encrypt) refuseClearText(socket);
  socket.pause();
  return socket;
}

/**
 * Closes the connection instead of sending anything but PRELOGIN packets, which also carry the TLS handshake, and TLS
 * records. The driver itself sends the login in clear text if the server does not agree on encryption. This checks the
 * sent bytes, not the answer, so it works for every answer and every interpretation of it by the driver.
 *
 * @see https://learn.microsoft.com/openspecs/windows_protocols/ms-tds/60f56408-0188-4cd5-8b90-25c6f2423868
 */
function refuseClearText(socket: Socket): void {
  const write = socket.write.bind(socket) as (...args: readonly unknown[]) => boolean;
  const allows = createSendGuard();
  socket.write = (chunk: Uint8Array | string, ...rest: readonly unknown[]) => {
    if (typeof chunk !== 'string' && allows(chunk)) return write(chunk, ...rest);
    socket.destroy(new PlainServerError('the server does not encrypt'));
    return false;
  };
}

/**
 * Builds a function that checks if the next bytes may be sent, in portions of any size. After one refusal it refuses
 * everything.
 */
function createSendGuard(): (bytes: Uint8Array) => boolean {
  let state: 'plain' | 'encrypted' | 'refused' = 'plain';
  let restOfPacket = 0;
  return (bytes) => {
    let at = 0;
    while (state === 'plain' && at < bytes.length) {
      if (restOfPacket === 0) {
        const type = bytes[at]!;
        if (type >= TLS_RECORDS.first && type <= TLS_RECORDS.last) state = 'encrypted';
        else if (type !== PRELOGIN || bytes.length - at < PACKET_START_BYTES) state = 'refused';
        else restOfPacket = Math.max((bytes[at + 2]! << 8) | bytes[at + 3]!, PACKET_START_BYTES);
      }
      const step = Math.min(restOfPacket, bytes.length - at);
      restOfPacket -= step;
      at += step;
    }
    return state !== 'refused';
  };
}
