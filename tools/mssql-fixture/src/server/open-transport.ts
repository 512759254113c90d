import type { Socket } from 'node:net';
import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { SecureContexts } from './create-certificate.ts';
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
  /** True if the client started with TLS (TDS 8.0). */
  readonly isStrict: boolean;
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

/** First byte of a TLS handshake record. A TDS 8.0 client starts with it. */
const TLS_HANDSHAKE = 0x16;
/** Packet size before the login, used for TLS inside PRELOGIN packets. */
const PRELOGIN_PACKET_BYTES = 4096;

interface TlsLayer {
  readonly clear: TLSSocket;
  readonly fromClient: (chunk: Buffer) => void;
}

/** Opens a transport over an accepted socket. */
export function openTransport(
  socket: Socket,
  contexts: SecureContexts,
  listener: TransportListener,
): Transport {
  let tls: TlsLayer | undefined;
  let isFirst = true;
  let isStrict = false;
  let isClosed = false;
  const close = (reason: Error | undefined): void => {
    if (isClosed) return;
    isClosed = true;
    socket.destroy();
    tls?.clear.destroy();
    listener.onClose(reason);
  };
  const join = joinPackets(listener.onMessage);
  const receive = guarded(join, close);
  const openTls = (isWrapped: boolean): TlsLayer => {
    const { outer, fromClient } = isWrapped ? wrapInPrelogin(socket) : passThrough(socket);
    const clear = new TLSSocket(outer, {
      isServer: true,
      ...(isWrapped
        ? { secureContext: contexts.wrapped }
        : { secureContext: contexts.strict, ALPNProtocols: ['tds/8.0'] }),
    });
    clear.on('data', receive);
    clear.on('error', close);
    return { clear, fromClient };
  };
  socket.on('data', (chunk) => {
    isStrict ||= isFirst && chunk[0] === TLS_HANDSHAKE;
    if (isFirst && isStrict) tls = openTls(false);
    isFirst = false;
    if (tls) tls.fromClient(chunk);
    else receive(chunk);
  });
  socket.on('error', close);
  socket.on('close', () => close(undefined));
  return {
    get isStrict() {
      return isStrict;
    },
    send: async (bytes) => {
      const target = tls?.clear ?? socket;
      if (!isClosed && !target.write(bytes)) await drained(target, socket);
    },
    startTls: () => {
      tls = openTls(true);
    },
    stopTls: () => {
      tls = undefined;
    },
    reset: () => socket.resetAndDestroy(),
    end: () => (tls?.clear ?? socket).end(),
  };
}

function guarded(
  receive: (chunk: Buffer) => void,
  close: (reason: Error) => void,
): (chunk: Buffer) => void {
  return (chunk) => {
    try {
      receive(chunk);
    } catch (error) {
      close(error instanceof Error ? error : new Error(String(error)));
    }
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

interface OuterStream {
  readonly outer: Duplex;
  readonly fromClient: (chunk: Buffer) => void;
}

/**
 * Wraps TLS as in TDS 7.x. Handshake records are payloads of PRELOGIN packets, later records are sent unwrapped. A
 * client sends its first unwrapped record after the handshake, which ends the wrapping.
 */
function wrapInPrelogin(socket: Socket): OuterStream {
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

function passThrough(socket: Socket): OuterStream {
  const outer = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, written) => void socket.write(chunk, () => written()),
    final: (ended) => void socket.end(ended),
  });
  return { outer, fromClient: (chunk) => void outer.push(chunk) };
}
