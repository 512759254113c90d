import { setImmediate as nextTurn } from 'node:timers/promises';
import type { BatchEvent } from '../batch/batch-event.ts';
import { createByteWriter, type ByteWriter } from '../tds/byte-writer.ts';
import { PACKET, PACKET_HEADER_BYTES, splitPackets } from '../tds/packets.ts';
import {
  DONE,
  writeColumns,
  writeDone,
  writeMessage,
  writeReturnStatus,
  writeRow,
  writeTextChange,
  type DoneState,
} from '../tds/tokens.ts';
import type { Transport } from './open-transport.ts';

/** Writes the reply to one request step by step. */
export interface ReplyWriter {
  /** Tokens to send next, for tokens without an event. */
  readonly tokens: ByteWriter;
  write(event: BatchEvent): Promise<void>;
  /** Ends a statement. The token is held back until it is known if more follows. */
  done(kind: DoneState['kind'], rowCount?: number): void;
  /** Writes the held back token with the flag that more follows. */
  settle(): void;
  /** Sends all tokens and ends the message. */
  end(): Promise<void>;
  /** Acknowledges an attention signal in its own message after the reply's. */
  acknowledgeAttention(): Promise<void>;
  /** Sends all tokens without ending the message. */
  flush(): Promise<void>;
}

/** Facts about the connection of a reply. */
export interface ReplyOptions {
  readonly transport: Transport;
  readonly packetBytes: number;
  readonly serverName: string;
  /** True for a procedure call, whose statements end with other tokens. */
  readonly isProcedure: boolean;
  /** Aborts when the rest of the reply is not wanted. */
  readonly signal: AbortSignal;
  /** Called before each row. The writer waits for a returned promise. */
  readonly beforeRow: (row: number) => Promise<void> | undefined;
}

/** Number of full packets that are sent together. */
const PACKETS_AT_ONCE = 8;

/** Creates a writer of one reply. */
export function createReplyWriter(options: ReplyOptions): ReplyWriter {
  const { transport, packetBytes, serverName } = options;
  const tokens = createByteWriter();
  const room = packetBytes - PACKET_HEADER_BYTES;
  const statementDone = options.isProcedure ? DONE.inProcedure : DONE.batch;
  let packetId = 1;
  let rowsWritten = 0;
  let hasError = false;
  let pending: Omit<DoneState, 'hasMore'> | undefined;

  const send = async (payload: Buffer, ends: boolean): Promise<void> => {
    const packets = splitPackets(payload, {
      type: PACKET.reply,
      packetBytes,
      ends,
      firstPacketId: packetId,
    });
    packetId += Math.max(1, Math.ceil(payload.length / room));
    await transport.send(packets);
  };
  const settle = (hasMore: boolean): void => {
    if (pending) writeDone(tokens, { ...pending, hasMore });
    pending = undefined;
  };
  const done = (kind: DoneState['kind'], rowCount?: number): void => {
    settle(true);
    pending = { kind, hasError, isAttention: false, rowCount };
    hasError = false;
  };
  /** Sends the full packets and keeps the rest. */
  const sendFull = async (): Promise<void> => {
    if (tokens.length < room * PACKETS_AT_ONCE) return;
    const payload = tokens.take();
    const full = payload.length - (payload.length % room);
    await send(payload.subarray(0, full), false);
    tokens.bytes(payload.subarray(full));
    await nextTurn();
    options.signal.throwIfAborted();
  };
  const writeRows = async ({
    columns,
    rows,
  }: Extract<BatchEvent, { kind: 'rows' }>): Promise<void> => {
    settle(true);
    writeColumns(tokens, columns);
    for (const row of rows) {
      const wait = options.beforeRow(rowsWritten++);
      if (wait) await wait;
      writeRow(tokens, columns, row);
      if (tokens.length >= room * PACKETS_AT_ONCE) await sendFull();
    }
  };
  const write = async (event: BatchEvent): Promise<void> => {
    switch (event.kind) {
      case 'rows':
        return writeRows(event);
      case 'done':
        return done(statementDone, event.rowCount);
      case 'message':
        settle(true);
        hasError ||= event.message.severity > 10;
        return writeMessage(tokens, event.message, serverName);
      case 'status':
        settle(true);
        writeReturnStatus(tokens, event.value);
        return done(DONE.procedure);
      case 'database':
        settle(true);
        return writeTextChange(tokens, 'database', event);
    }
  };
  const flush = async (): Promise<void> => {
    settle(true);
    if (tokens.length > 0) await send(tokens.take(), false);
  };
  const end = async (): Promise<void> => {
    if (!pending) done(options.isProcedure ? DONE.procedure : DONE.batch);
    settle(false);
    await send(tokens.take(), true);
  };
  return {
    tokens,
    write,
    done,
    settle: () => settle(true),
    flush,
    end,
    acknowledgeAttention: async () => {
      writeDone(tokens, { kind: DONE.batch, hasMore: false, hasError: false, isAttention: true });
      await send(tokens.take(), true);
    },
  };
}
