import { EventEmitter, on } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { errorMessage } from '../batch/error-message.ts';
import { versionParts } from '../batch/host.ts';
import type { Session } from '../batch/session.ts';
import { raise, SqlServerError } from '../engine/sql-server-error.ts';
import { parseLogin7, type Login } from '../tds/login7.ts';
import { PACKET, splitPackets, type Message } from '../tds/packets.ts';
import { agreeOnEncryption, parsePrelogin, renderPrelogin } from '../tds/prelogin.ts';
import { DONE } from '../tds/tokens.ts';
import { acceptLogin, faultError, writeLoginSuccess, type AcceptedLogin } from './login-reply.ts';
import { openTransport } from './open-transport.ts';
import { createReplyWriter } from './reply-writer.ts';
import { serveRequest } from './serve-request.ts';
import type { Connection, ServerContext } from './server-context.ts';

/** First spid of a user's connection. */
const FIRST_SPID = 51;
const DEFAULT_PACKET_BYTES = 4096;

/** Serves a client until it disconnects. Internal errors of the fixture go to `context.onInternalError`. */
export async function serveConnection(
  socket: Socket,
  context: ServerContext,
  number: number,
): Promise<void> {
  if (context.faults.take(['reset-connection'], { connection: number })) {
    socket.resetAndDestroy();
    return;
  }
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
  const { context, transport, number } = connection;
  let message = await next();
  let isLoginOnly = false;
  if (message?.type === PACKET.prelogin) {
    if (context.faults.take(['stall-login'], { connection: number })) return stalled(connection);
    const { answer, agreed } = agreeOnEncryption(
      context.encryption,
      parsePrelogin(message.payload),
    );
    await transport.send(preloginPacket(answer, context));
    if (agreed !== 'none' && !transport.isStrict) transport.startTls();
    isLoginOnly = agreed === 'login' && !transport.isStrict;
    message = await next();
  }
  if (message?.type !== PACKET.login) return undefined;
  if (isLoginOnly) transport.stopTls();
  const login = parseLogin7(message.payload);
  return answerLogin(connection, login);
}

function preloginPacket(answer: number, { host }: ServerContext): Buffer {
  const payload = renderPrelogin(answer, versionParts(host.productVersion));
  const packetBytes = DEFAULT_PACKET_BYTES;
  return splitPackets(payload, { type: PACKET.reply, packetBytes, ends: true, firstPacketId: 1 });
}

async function stalled({ closed }: Connection): Promise<undefined> {
  await wait(2 ** 31 - 1, undefined, { signal: closed }).catch(() => undefined);
  return undefined;
}

async function answerLogin(connection: Connection, login: Login): Promise<Session | undefined> {
  const { context, transport, number } = connection;
  const { host } = context;
  const reply = createReplyWriter({
    ...{ transport, packetBytes: DEFAULT_PACKET_BYTES, serverName: host.serverName },
    ...{ isProcedure: false, signal: connection.closed },
    beforeRow: () => undefined,
  });
  try {
    const refusal = context.faults.take(['refuse-login'], { connection: number });
    if (refusal) throw faultError(refusal, refusalValues(refusal.number, login, host.serverName));
    const accepted = acceptLogin(login, context.logins, host);
    connection.packetBytes = agreedPacketBytes(login.packetBytes);
    const { databaseName } = accepted;
    writeLoginSuccess(reply.tokens, { databaseName, packetBytes: connection.packetBytes, host });
    reply.done(DONE.batch);
    await reply.end();
    return openSession(accepted, login, number);
  } catch (error) {
    if (!(error instanceof SqlServerError)) throw error;
    await reply.write({ kind: 'message', message: errorMessage(error) });
    if (error.number === 4060) {
      const also = errorMessage(raise(18456, [login.userName]));
      await reply.write({ kind: 'message', message: also });
    }
    await reply.end();
    return undefined;
  }
}

/** Returns the values for a refusal: the login for 18456, else the database. */
function refusalValues(number: number, login: Login, serverName: string): readonly string[] {
  return number === 18456 ? [login.userName] : [login.database, serverName];
}

function agreedPacketBytes(wanted: number): number {
  return wanted === 0 ? DEFAULT_PACKET_BYTES : Math.min(Math.max(wanted, 512), 32_767);
}

function openSession(
  { account, databaseName }: AcceptedLogin,
  login: Login,
  number: number,
): Session {
  const { name, serverRoles, databaseRoles } = account;
  const { hostName, appName } = login;
  return {
    spid: FIRST_SPID + number - 1,
    login: { name, serverRoles, databaseRoles, hostName, appName },
    databaseName,
    temporaryTables: new Map(),
  };
}
