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

/** A reply to one request, written as it becomes known. */
export interface ReplyWriter {
  /** The tokens that go out next; for those that no event stands for. */
  readonly tokens: ByteWriter;
  write(event: BatchEvent): Promise<void>;
  /** The last token of a statement; it is held back until it is known whether more follows. */
  done(kind: DoneState['kind'], rowCount?: number): void;
  /** Writes the token that was held back, as one that others follow. */
  settle(): void;
  /** Sends what is there, the end of the message with it. */
  end(): Promise<void>;
  /** Acknowledges an attention, in a message of its own after the reply's. */
  acknowledgeAttention(): Promise<void>;
  /** Sends what is there; the message goes on. */
  flush(): Promise<void>;
}

/** What a reply needs to know of its connection. */
export interface ReplyOptions {
  readonly transport: Transport;
  readonly packetBytes: number;
  readonly serverName: string;
  /** Whether the request is a procedure call: its statements end with other tokens. */
  readonly isProcedure: boolean;
  /** Aborts when nothing more of the reply is wanted. */
  readonly signal: AbortSignal;
  /** Asked before each row; a promise that it gives is waited for. */
  readonly beforeRow: (row: number) => Promise<void> | undefined;
}

/** Packets are sent when so many are full. */
const PACKETS_AT_ONCE = 8;

/** A writer of one reply. */
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
  /** Sends the packets that are full and keeps the rest. */
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
