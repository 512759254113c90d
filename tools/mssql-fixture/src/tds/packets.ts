import { MalformedMessageError } from './bytes.ts';

/** Packet types of MS-TDS 2.2.3.1.1. */
export const PACKET = {
  batch: 0x01,
  rpc: 0x03,
  reply: 0x04,
  attention: 0x06,
  bulkLoad: 0x07,
  login: 0x10,
  prelogin: 0x12,
} as const;

/** Type, status, length, process, packet number, window. */
export const PACKET_HEADER_BYTES = 8;
const END_OF_MESSAGE = 0x01;
const RESET_CONNECTION = 0x08 | 0x10;
/** Maximum packet size. A TDS 7.4 client may ask for packets of up to 32,767 bytes. */
const MAX_PACKET_BYTES = 32_767;

/** One message of a client: the joined payloads of its packets. */
export interface Message {
  readonly type: number;
  readonly payload: Buffer;
  /** True if the client asks to reset the session's state first, as connection pools do. */
  readonly resetsConnection: boolean;
}

/**
 * Creates a function that takes bytes in any portions and passes on every complete message. Throws {@link
 * MalformedMessageError} for an invalid header.
 */
export function joinPackets(onMessage: (message: Message) => void): (chunk: Buffer) => void {
  let pending: Buffer = Buffer.alloc(0);
  let parts: Buffer[] = [];
  let resetsConnection = false;
  return (chunk) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    for (;;) {
      if (pending.length < PACKET_HEADER_BYTES) return;
      const size = pending.readUInt16BE(2);
      if (size < PACKET_HEADER_BYTES || size > MAX_PACKET_BYTES) {
        throw new MalformedMessageError(`a packet of ${size} bytes`);
      }
      if (pending.length < size) return;
      const type = pending.readUInt8(0);
      const status = pending.readUInt8(1);
      parts.push(pending.subarray(PACKET_HEADER_BYTES, size));
      resetsConnection ||= (status & RESET_CONNECTION) !== 0;
      pending = pending.subarray(size);
      if ((status & END_OF_MESSAGE) === 0) continue;
      const message = { type, payload: Buffer.concat(parts), resetsConnection };
      parts = [];
      resetsConnection = false;
      onMessage(message);
    }
  };
}

/** Options of {@link splitPackets}. */
export interface PacketOptions {
  readonly type: number;
  /** The size agreed at login, including the header. */
  readonly packetBytes: number;
  /** True if the last packet ends the message. */
  readonly ends: boolean;
  readonly firstPacketId: number;
}

/** Splits a payload into packets of the agreed size. */
export function splitPackets(payload: Buffer, options: PacketOptions): Buffer {
  const room = options.packetBytes - PACKET_HEADER_BYTES;
  const count = Math.max(1, Math.ceil(payload.length / room));
  const out = Buffer.allocUnsafe(payload.length + count * PACKET_HEADER_BYTES);
  for (let i = 0, at = 0; i < count; i++) {
    const part = payload.subarray(i * room, (i + 1) * room);
    const isLast = i === count - 1;
    out.writeUInt8(options.type, at);
    out.writeUInt8(isLast && options.ends ? END_OF_MESSAGE : 0, at + 1);
    out.writeUInt16BE(part.length + PACKET_HEADER_BYTES, at + 2);
    out.writeUInt16BE(0, at + 4);
    out.writeUInt8((options.firstPacketId + i) & 0xff, at + 6);
    out.writeUInt8(0, at + 7);
    out.set(part, at + PACKET_HEADER_BYTES);
    at += part.length + PACKET_HEADER_BYTES;
  }
  return out;
}
