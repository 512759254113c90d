import { setTimeout as wait } from 'node:timers/promises';
import { runBatch, runCall } from '../batch/run-batch.ts';
import type { BatchEvent, Frame, Session } from '../batch/session.ts';
import { messageOf, raise, SqlServerError } from '../engine/sql-server-error.ts';
import { PACKET, type Message } from '../tds/packets.ts';
import { parseBatch, parseRpc } from '../tds/parse-request.ts';
import { SERVER_NAME, writeResetChange } from '../tds/tokens.ts';
import type { FaultPlace } from './fault.ts';
import { createReplyWriter, type ReplyWriter } from './reply-writer.ts';
import type { Connection, ServedRequest } from './server-context.ts';

/** A request to record and run. */
interface Request extends ServedRequest {
  readonly run: (frame: Frame) => AsyncIterable<BatchEvent>;
}

export const FOREVER_MS = 2 ** 31 - 1;

/** Answers one message of a client. A matching fault replaces or changes the answer. */
export async function serveRequest(
  connection: Connection,
  session: Session,
  message: Message,
): Promise<void> {
  const { context, closed } = connection;
  if (message.type === PACKET.attention) {
    const reply = createReplyWriter(connection, { isProcedure: false, signal: closed });
    await reply.acknowledgeAttention();
    return;
  }
  const attention = new AbortController();
  connection.running = attention;
  const signal = AbortSignal.any([attention.signal, closed]);
  const { run, ...request } = parseRequest(message);
  const place: FaultPlace = { connection: connection.number, sql: request.text };
  context.record(request);
  const reply = faultyWriter(connection, { request, place, signal });
  try {
    if (message.resetsConnection) {
      session.temporaryTables.clear();
      writeResetChange(reply.tokens);
    }
    context.faults.take('act', place)?.act();
    const error = context.faults.take('error', place);
    const { engine } = context;
    const frame: Frame = { engine, session, variables: new Map(), signal };
    const events = error ? refusal(faultError(error, session.database.name)) : run(frame);
    for await (const event of events) await reply.write(event);
    signal.throwIfAborted();
    connection.running = undefined;
    await reply.end();
  } catch (error) {
    connection.running = undefined;
    if (closed.aborted) return;
    if (!attention.signal.aborted) throw error;
    await reply.end();
    await reply.acknowledgeAttention();
  }
}

function parseRequest(message: Message): Request {
  if (message.type === PACKET.batch) {
    const text = parseBatch(message.payload);
    // Drivers set options without semicolons in between, which the parser requires.
    const isSetup = ONLY_SET.test(text);
    return { kind: 'batch', text, isSetup, run: (frame) => runBatch(isSetup ? '' : text, frame) };
  }
  if (message.type !== PACKET.rpc)
    throw new Error(`no answer to a message of type ${message.type}`);
  const call = parseRpc(message.payload);
  const [first] = call.args;
  const text = call.procedure === 'sp_executesql' ? String(first?.value) : call.procedure;
  return { kind: 'procedure', text, isSetup: false, run: (frame) => runCall(call, frame) };
}

const ONLY_SET = /^\s*(?:set\s+[^;@]*?(?:;|\n|$)\s*)+$/i;

/** Builds the error of a fault. The default text is SQL Server's, with a login or a database in it. */
export function faultError(
  { number, message }: { readonly number: number; readonly message?: string },
  about: string,
): SqlServerError {
  if (message === undefined) return raise(number, [about, SERVER_NAME]);
  return new SqlServerError(number, message, number === 1205 ? 13 : 16);
}

async function* refusal(error: SqlServerError): AsyncGenerator<BatchEvent> {
  yield { kind: 'message', message: messageOf(error) };
  yield { kind: 'done' };
}

/** Creates a writer that applies the request's faults to rows. */
function faultyWriter(
  connection: Connection,
  {
    request,
    place,
    signal,
  }: { readonly request: ServedRequest; readonly place: FaultPlace; readonly signal: AbortSignal },
): ReplyWriter {
  const { context, transport, closed } = connection;
  const close = context.faults.take('close', place);
  const stall = context.faults.take('stall', place);
  const reply: ReplyWriter = createReplyWriter(connection, {
    isProcedure: request.kind === 'procedure',
    signal,
    beforeRow: (row) => {
      if (row === close?.afterRows) return closeInsideRow();
      return row === stall?.afterRows ? stop(stall.isDeaf ? closed : signal) : undefined;
    },
  });
  const stop = async (until: AbortSignal): Promise<void> => {
    await reply.flush();
    await wait(FOREVER_MS, undefined, { signal: until });
  };
  /** Sends half of a token and resets the connection. */
  const closeInsideRow = async (): Promise<void> => {
    reply.tokens.u8(0xd1);
    await reply.flush();
    await wait(20);
    transport.reset();
    await wait(FOREVER_MS, undefined, { signal: closed });
  };
  return reply;
}
