import { setImmediate as nextTurn } from 'node:timers/promises';
import type { BatchEvent } from '../batch/session.ts';
import { createByteWriter, type ByteWriter } from '../tds/bytes.ts';
import { PACKET, PACKET_HEADER_BYTES, splitPackets } from '../tds/packets.ts';
import {
  DONE,
  isError,
  writeColumns,
  writeDone,
  writeMessage,
  writeReturnStatus,
  writeRow,
  writeTextChange,
  type DoneState,
} from '../tds/tokens.ts';
import type { Connection } from './server-context.ts';

/** Writes the reply to one request step by step. */
export interface ReplyWriter {
  /** Tokens to send next, for tokens without an event. */
  readonly tokens: ByteWriter;
  write(event: BatchEvent): Promise<void>;
  /** Sends all tokens without ending the message. */
  flush(): Promise<void>;
  /** Sends all tokens and ends the message. */
  end(): Promise<void>;
  /** Acknowledges an attention signal in its own message after the reply's. */
  acknowledgeAttention(): Promise<void>;
}

/** Options of a reply. */
export interface ReplyOptions {
  /** True for a procedure call, whose statements end with other tokens. */
  readonly isProcedure: boolean;
  /** Aborts when the rest of the reply is not wanted. */
  readonly signal: AbortSignal;
  /** Called before each row. The writer waits for a returned promise. */
  readonly beforeRow?: (row: number) => Promise<void> | undefined;
}

/** Number of full packets that are sent together. */
const PACKETS_AT_ONCE = 8;

/** Creates a writer of one reply. */
export function createReplyWriter(
  { transport, packetBytes }: Pick<Connection, 'transport' | 'packetBytes'>,
  { isProcedure, signal, beforeRow }: ReplyOptions,
): ReplyWriter {
  const tokens = createByteWriter();
  const room = packetBytes - PACKET_HEADER_BYTES;
  let packetId = 1;
  let rowsWritten = 0;
  let hasError = false;
  /** The end of the last statement, which is held back until it is known if more follows. */
  let pending: Omit<DoneState, 'hasMore'> | undefined;

  const send = async (payload: Buffer, ends: boolean): Promise<void> => {
    const firstPacketId = packetId;
    packetId += Math.max(1, Math.ceil(payload.length / room));
    const options = { type: PACKET.reply, packetBytes, ends, firstPacketId };
    await transport.send(splitPackets(payload, options));
  };
  const settle = (hasMore: boolean): void => {
    if (pending) writeDone(tokens, { ...pending, hasMore });
    pending = undefined;
  };
  const done = (kind: DoneState['kind'], rowCount?: number): void => {
    settle(true);
    pending = { kind, hasError, rowCount };
    hasError = false;
  };
  /** Sends the full packets and keeps the rest. */
  const sendFull = async (): Promise<void> => {
    const payload = tokens.take();
    const full = payload.length - (payload.length % room);
    await send(payload.subarray(0, full), false);
    tokens.bytes(payload.subarray(full));
    await nextTurn();
    signal.throwIfAborted();
  };
  const writeRows = async ({
    columns,
    rows,
  }: Extract<BatchEvent, { kind: 'rows' }>): Promise<void> => {
    writeColumns(tokens, columns);
    for (const row of rows) {
      const wait = beforeRow?.(rowsWritten++);
      if (wait) await wait;
      writeRow(tokens, columns, row);
      if (tokens.length() >= room * PACKETS_AT_ONCE) await sendFull();
    }
  };
  return {
    tokens,
    write: async (event) => {
      settle(true);
      switch (event.kind) {
        case 'rows':
          return writeRows(event);
        case 'done':
          return done(isProcedure ? DONE.inProcedure : DONE.batch, event.rowCount);
        case 'message':
          hasError ||= isError(event.message);
          return writeMessage(tokens, event.message);
        case 'status':
          writeReturnStatus(tokens, event.value);
          return done(DONE.procedure);
        case 'database':
          return writeTextChange(tokens, 'database', event);
      }
    },
    flush: async () => {
      settle(true);
      if (tokens.length() > 0) await send(tokens.take(), false);
    },
    end: async () => {
      if (!pending) done(isProcedure ? DONE.procedure : DONE.batch);
      settle(false);
      await send(tokens.take(), true);
    },
    acknowledgeAttention: async () => {
      writeDone(tokens, { kind: DONE.batch, hasMore: false, isAttention: true });
      await send(tokens.take(), true);
    },
  };
}
