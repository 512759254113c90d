import { EventEmitter, on } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { databaseRoles, type Session } from '../batch/session.ts';
import { messageOf, raise, SqlServerError } from '../engine/sql-server-error.ts';
import type { ByteWriter } from '../tds/bytes.ts';
import {
  agreeOnEncryption,
  parseLogin7,
  parsePrelogin,
  renderPrelogin,
  type Login,
} from '../tds/login.ts';
import { PACKET, splitPackets, type Message } from '../tds/packets.ts';
import {
  writeCollationChange,
  writeLoginAck,
  writeMessage,
  writeTextChange,
} from '../tds/tokens.ts';
import { openTransport } from './open-transport.ts';
import { createReplyWriter } from './reply-writer.ts';
import { faultError, FOREVER_MS, serveRequest } from './serve-request.ts';
import type { Connection, ServerContext } from './server-context.ts';

const DEFAULT_PACKET_BYTES = 4096;

/** Serves a client until it disconnects. Internal errors of the fixture go to `context.onInternalError`. */
export async function serveConnection(
  socket: Socket,
  context: ServerContext,
  number: number,
): Promise<void> {
  const received = new EventEmitter();
  const messages = on(received, 'message', { close: ['close'] }) as AsyncIterator<[Message]>;
  const next = async (): Promise<Message | undefined> => (await messages.next()).value?.[0];
  const closing = new AbortController();
  const transport = openTransport(socket, context.tls, {
    onMessage: (message) => {
      if (message.type === PACKET.attention && connection.running) connection.running.abort();
      else received.emit('message', message);
    },
    onClose: () => {
      closing.abort();
      received.emit('close');
    },
  });
  const connection: Connection = {
    ...{ number, context, transport, closed: closing.signal },
    running: undefined,
    packetBytes: DEFAULT_PACKET_BYTES,
  };
  try {
    const session = await logIn(connection, next);
    if (!session) return;
    for (;;) {
      const message = await next();
      if (!message) return;
      await serveRequest(connection, session, message);
    }
  } catch (error) {
    if (!closing.signal.aborted) context.onInternalError(error);
  } finally {
    transport.end();
  }
}

/** Runs PRELOGIN, TLS and LOGIN7. Returns undefined if the login failed or the client disconnected. */
async function logIn(
  connection: Connection,
  next: () => Promise<Message | undefined>,
): Promise<Session | undefined> {
  const { context, transport, closed } = connection;
  let message = await next();
  if (message?.type !== PACKET.prelogin) return undefined;
  if (context.faults.take('stall-login', { connection: connection.number }))
    await wait(FOREVER_MS, undefined, { signal: closed });
  const { answer, agreed } = agreeOnEncryption(context.encryption, parsePrelogin(message.payload));
  const packetBytes = DEFAULT_PACKET_BYTES;
  await transport.send(
    splitPackets(renderPrelogin(answer), {
      ...{ type: PACKET.reply, packetBytes, ends: true, firstPacketId: 1 },
    }),
  );
  if (agreed !== 'none') transport.startTls();
  message = await next();
  if (message?.type !== PACKET.login) return undefined;
  if (agreed === 'login') transport.stopTls();
  return answerLogin(connection, parseLogin7(message.payload));
}

async function answerLogin(connection: Connection, login: Login): Promise<Session | undefined> {
  const reply = createReplyWriter(connection, { isProcedure: false, signal: connection.closed });
  try {
    const session = acceptLogin(connection, login);
    const wanted = login.packetBytes || DEFAULT_PACKET_BYTES;
    connection.packetBytes = Math.min(Math.max(wanted, 512), 32_767);
    writeLoginSuccess(reply.tokens, session.database.name, connection.packetBytes);
    await reply.end();
    return session;
  } catch (error) {
    if (!(error instanceof SqlServerError)) throw error;
    await reply.write({ kind: 'message', message: messageOf(error) });
    if (error.number === 4060) {
      const also = messageOf(raise(18456, [login.userName]));
      await reply.write({ kind: 'message', message: also });
    }
    await reply.end();
    return undefined;
  }
}

/**
 * Finds the account and the database of a login. Throws 18456 for a wrong name or password, and 4060 for a database
 * that does not exist or is not open to the account.
 */
function acceptLogin({ context, number }: Connection, login: Login): Session {
  const { userName, password, database: wanted } = login;
  const refusal = context.faults.take('refuse-login', { connection: number });
  if (refusal) throw faultError(refusal, refusal.number === 18456 ? userName : wanted);
  const account = context.logins.find(({ name }) => name.toLowerCase() === userName.toLowerCase());
  if (account?.password !== password) throw raise(18456, [userName]);
  const database = context.engine.database(wanted || 'master');
  if (!database || !databaseRoles(account, database.name)) throw raise(4060, [wanted]);
  return { login: account, database, temporaryTables: new Map() };
}

/** Writes the tokens of a successful login in SQL Server's order. */
function writeLoginSuccess(tokens: ByteWriter, database: string, packetBytes: number): void {
  writeTextChange(tokens, 'database', { from: 'master', to: database });
  writeMessage(tokens, messageOf(raise(5701, [database])));
  writeCollationChange(tokens);
  writeTextChange(tokens, 'language', { from: '', to: 'us_english' });
  writeMessage(tokens, messageOf(raise(5703)));
  writeLoginAck(tokens);
  writeTextChange(tokens, 'packetBytes', { from: '4096', to: String(packetBytes) });
}
