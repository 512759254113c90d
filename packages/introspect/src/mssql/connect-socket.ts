import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** The first byte of what a client sends: of a packet that asks for a session, and of the records of TLS. */
const PRELOGIN = 0x12;
const TLS_RECORDS = { first: 0x14, last: 0x17 } as const;
/** Type, status, and length of the packet in two bytes. */
const PACKET_START_BYTES = 4;

/** The driver was about to send in clear text what is to be encrypted. */
class PlainServerError extends Error {
  override readonly name = 'PlainServerError';
}

export interface SocketOptions {
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number;
  /** Whether the connection ends before anything of the login is sent in clear text. */
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
 * Ends the connection in place of sending anything but PRELOGIN packets, which hold the handshake of TLS too, and records
 * of TLS. The driver by itself sends the login in clear text unless the answer agrees on encryption. What it sends is
 * checked, not the answer: so this holds for every answer, and however the driver understands it.
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

/** Whether the next bytes may be sent, in any portions; once not, never again. */
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
