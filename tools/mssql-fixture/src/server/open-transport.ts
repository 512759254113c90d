import type { Socket } from 'node:net';
import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { TLSSocket, type SecureContext } from 'node:tls';
import {
  joinPackets,
  PACKET,
  PACKET_HEADER_BYTES,
  splitPackets,
  type Message,
} from '../tds/packets.ts';

/** Transport between a client and its session: complete messages in, bytes out, with or without TLS. */
export interface Transport {
  /** Sends bytes that are already packets. Waits while the client does not read. */
  send(bytes: Buffer): Promise<void>;
  /** Starts TLS inside PRELOGIN packets (TDS 7.x) with the next bytes. */
  startTls(): void;
  /** Returns to plain bytes after the login ("encryption off"). */
  stopTls(): void;
  /** Closes with a TCP reset. */
  reset(): void;
  /** Closes after sending the pending bytes. */
  end(): void;
}

/** Listener of a transport. */
export interface TransportListener {
  readonly onMessage: (message: Message) => void;
  /** Called once, when the connection is closed or its bytes are invalid. */
  readonly onClose: (reason: Error | undefined) => void;
}

/** Packet size before the login, used for TLS inside PRELOGIN packets. */
const PRELOGIN_PACKET_BYTES = 4096;

/** Opens a transport over an accepted socket. */
export function openTransport(
  socket: Socket,
  secureContext: SecureContext,
  listener: TransportListener,
): Transport {
  let tls: { readonly clear: TLSSocket; readonly fromClient: (chunk: Buffer) => void } | undefined;
  let isClosed = false;
  const close = (reason: Error | undefined): void => {
    if (isClosed) return;
    isClosed = true;
    socket.destroy();
    tls?.clear.destroy();
    listener.onClose(reason);
  };
  const join = joinPackets(listener.onMessage);
  const receive = (chunk: Buffer): void => {
    try {
      join(chunk);
    } catch (error) {
      close(error as Error);
    }
  };
  socket.on('data', (chunk) => (tls ? tls.fromClient(chunk) : receive(chunk)));
  socket.on('error', close);
  socket.on('close', () => close(undefined));
  return {
    send: async (bytes) => {
      const target = tls?.clear ?? socket;
      if (!isClosed && !target.write(bytes)) await drained(target, socket);
    },
    startTls: () => {
      const { outer, fromClient } = wrapInPrelogin(socket);
      const clear = new TLSSocket(outer, { isServer: true, secureContext });
      clear.on('data', receive);
      clear.on('error', close);
      tls = { clear, fromClient };
    },
    stopTls: () => {
      tls = undefined;
    },
    reset: () => socket.resetAndDestroy(),
    end: () => (tls?.clear ?? socket).end(),
  };
}

async function drained(target: Duplex, socket: Socket): Promise<void> {
  const stop = new AbortController();
  const { signal } = stop;
  try {
    await Promise.race([once(target, 'drain', { signal }), once(socket, 'close', { signal })]);
  } finally {
    stop.abort();
  }
}

/**
 * Wraps TLS as in TDS 7.x. Handshake records are payloads of PRELOGIN packets, later records are sent unwrapped. A
 * client sends its first unwrapped record after the handshake, which ends the wrapping.
 */
function wrapInPrelogin(socket: Socket) {
  let isHandshake = true;
  let flight: Buffer[] = [];
  const outer = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, written) => {
      if (!isHandshake) {
        socket.write(chunk, () => written());
        return;
      }
      if (flight.length === 0) setImmediate(sendFlight);
      flight.push(chunk);
      written();
    },
  });
  const sendFlight = (): void => {
    const payload = Buffer.concat(flight);
    flight = [];
    const packetBytes = PRELOGIN_PACKET_BYTES;
    socket.write(
      splitPackets(payload, { type: PACKET.prelogin, packetBytes, ends: true, firstPacketId: 1 }),
    );
  };
  let pending: Buffer = Buffer.alloc(0);
  const fromClient = (chunk: Buffer): void => {
    if (!isHandshake) {
      outer.push(chunk);
      return;
    }
    pending = Buffer.concat([pending, chunk]);
    while (isHandshake && pending.length >= PACKET_HEADER_BYTES) {
      isHandshake = pending[0] === PACKET.prelogin;
      const size = isHandshake ? pending.readUInt16BE(2) : pending.length;
      if (size > pending.length) return;
      outer.push(pending.subarray(isHandshake ? PACKET_HEADER_BYTES : 0, size));
      pending = pending.subarray(size);
    }
  };
  return { outer, fromClient };
}
