import { setTimeout as wait } from 'node:timers/promises';
import type { BatchEvent } from '../batch/batch-event.ts';
import { errorMessage } from '../batch/error-message.ts';
import { runBatch } from '../batch/run-batch.ts';
import type { Frame, Session } from '../batch/session.ts';
import { PACKET, type Message } from '../tds/packets.ts';
import { parseBatch, parseRpc } from '../tds/parse-request.ts';
import { DONE, writeResetChange } from '../tds/tokens.ts';
import { faultError } from './login-reply.ts';
import { createReplyWriter, type ReplyWriter } from './reply-writer.ts';
import { callText, runCall } from './run-call.ts';
import { isSetupBatch } from './served-request.ts';
import type { Connection } from './server-context.ts';

/** A request to record and run. */
interface Request {
  readonly kind: 'batch' | 'procedure';
  readonly text: string;
  readonly run: (frame: Frame, reply: ReplyWriter) => Promise<void>;
}

const FOREVER_MS = 2 ** 31 - 1;

/** Answers one message of a client. A matching fault replaces or changes the answer. */
export async function serveRequest(
  connection: Connection,
  session: Session,
  message: Message,
): Promise<void> {
  if (message.type === PACKET.attention) {
    await plainWriter(connection, 'batch', connection.closed).acknowledgeAttention();
    return;
  }
  const attention = new AbortController();
  connection.running = attention;
  const signal = AbortSignal.any([attention.signal, connection.closed]);
  const request = parseRequest(message);
  const { kind, text } = request;
  const place = { connection: connection.number, sql: text };
  connection.context.record({
    ...{ connection: connection.number, kind, text, database: session.databaseName },
    loginName: session.login.name,
    isSetup: kind === 'batch' && isSetupBatch(text),
  });
  const reply = faultyWriter(connection, request, signal);
  try {
    if (message.resetsConnection) resetSession(session, reply);
    await beforeAnswer(connection, place, signal);
    const error = connection.context.faults.take(['error'], place);
    if (error) await refuse(connection, session, reply, error);
    else await request.run(newFrame(connection, session, signal), reply);
    signal.throwIfAborted();
    connection.running = undefined;
    await reply.end();
  } catch (error) {
    connection.running = undefined;
    if (connection.closed.aborted) return;
    if (!attention.signal.aborted) throw error;
    await reply.end();
    await reply.acknowledgeAttention();
  }
}

function parseRequest(message: Message): Request {
  switch (message.type) {
    case PACKET.batch: {
      const text = parseBatch(message.payload);
      // Drivers set options without semicolons in between, which the parser requires.
      const run: Request['run'] = isSetupBatch(text)
        ? async (_frame, reply) => reply.done(DONE.batch)
        : (frame, reply) => writeAll(runBatch(text, frame), reply);
      return { kind: 'batch', text, run };
    }
    case PACKET.rpc: {
      const call = parseRpc(message.payload);
      return {
        kind: 'procedure',
        text: callText(call),
        run: (frame, reply) => runCall(call, frame, reply),
      };
    }
    default:
      throw new Error(`no answer to a message of type ${message.type}`);
  }
}

async function writeAll(events: AsyncIterable<BatchEvent>, reply: ReplyWriter): Promise<void> {
  for await (const event of events) await reply.write(event);
}

function newFrame({ context }: Connection, session: Session, signal: AbortSignal): Frame {
  return { host: context.host, session, variables: new Map(), signal };
}

/** Applies faults before an answer: does something, delays it, or never answers. */
async function beforeAnswer(
  { context }: Connection,
  place: { readonly connection: number; readonly sql: string },
  signal: AbortSignal,
): Promise<void> {
  const { faults } = context;
  faults.take(['act'], place)?.act();
  const delay = faults.take(['delay'], place);
  if (delay) await wait(delay.delayMs, undefined, { signal });
}

async function refuse(
  { context }: Connection,
  session: Session,
  reply: ReplyWriter,
  fault: { readonly number: number; readonly message?: string },
): Promise<void> {
  const values =
    fault.number === 1205 ? [session.spid] : [session.databaseName, context.host.serverName];
  await reply.write({ kind: 'message', message: errorMessage(faultError(fault, values)) });
  reply.done(DONE.batch);
}

function plainWriter(
  { context, transport, packetBytes }: Connection,
  kind: Request['kind'],
  signal: AbortSignal,
  beforeRow: (row: number) => Promise<void> | undefined = () => undefined,
): ReplyWriter {
  const { serverName } = context.host;
  const isProcedure = kind === 'procedure';
  return createReplyWriter({ transport, packetBytes, serverName, isProcedure, signal, beforeRow });
}

/** Creates a writer that applies the request's faults to rows. */
function faultyWriter(
  connection: Connection,
  { kind, text }: Request,
  signal: AbortSignal,
): ReplyWriter {
  const place = { connection: connection.number, sql: text };
  const close = connection.context.faults.take(['close'], place);
  const stall = connection.context.faults.take(['stall'], place);
  const reply: ReplyWriter = plainWriter(connection, kind, signal, (row) => {
    if (close && row === (close.afterRows ?? 0)) return closeInsideRow(connection, reply);
    if (stall && row === stall.afterRows) return stallFor(connection, reply, stall, signal);
    return undefined;
  });
  if (!stall || stall.afterRows !== undefined) return reply;
  return { ...reply, write: () => stallFor(connection, reply, stall, signal) };
}

/** Sends half of a token and resets the connection. */
async function closeInsideRow(
  { transport, closed }: Connection,
  reply: ReplyWriter,
): Promise<void> {
  reply.tokens.u8(0xd1);
  await reply.flush();
  await wait(20);
  transport.reset();
  await wait(FOREVER_MS, undefined, { signal: closed });
}

async function stallFor(
  { closed }: Connection,
  reply: ReplyWriter,
  stall: { readonly isDeaf?: boolean },
  signal: AbortSignal,
): Promise<void> {
  await reply.flush();
  await wait(FOREVER_MS, undefined, { signal: stall.isDeaf ? closed : signal });
}

function resetSession(session: Session, reply: ReplyWriter): void {
  session.temporaryTables.clear();
  writeResetChange(reply.tokens);
}
