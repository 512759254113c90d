import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { ResolvedServer } from './resolve-server.ts';

/** How a socket is opened. */
export interface SocketOptions {
  readonly timeoutMs: number;
  /** True if the driver asks for TLS. */
  readonly encrypt: boolean;
  /** Ends the attempt. */
  readonly signal?: AbortSignal;
}

/**
 * Opens the connection for a driver of PostgreSQL. By itself, the driver tries again without end while the port hangs up,
 * and speaks TLS to a server that declined it. A host that begins with `/` is the folder of a socket.
 *
 * @throws an error with the code of the network, or `CONNECT_TIMEOUT`; later errors are emitted by the socket.
 */
export async function connectPostgresSocket(
  { host, port }: Pick<ResolvedServer, 'host' | 'port'>,
  { timeoutMs, encrypt, signal }: SocketOptions,
): Promise<Socket> {
  const path = `${host}/.s.PGSQL.${port}`;
  const socket = connect(host.startsWith('/') ? { path } : { host, port, noDelay: true });
  const timeout = AbortSignal.timeout(timeoutMs);
  const ends = signal ? AbortSignal.any([timeout, signal]) : timeout;
  await once(socket, 'connect', { signal: ends }).catch((error: unknown) => {
    socket.destroy();
    throw ends.aborted ? networkError('CONNECT_TIMEOUT') : error;
  });
  if (encrypt) {
    socket.once('data', (answer) => {
      const code = refuseTlsAnswer(answer);
      if (code !== undefined) socket.destroy(networkError(code));
    });
  }
  socket.once('close', (hadError) => {
    if (!hadError) socket.emit('error', networkError('ECONNRESET'));
  });
  return socket;
}

/** Builds the error of Node for a code, such as `ECONNRESET` for a connection that was lost. */
export function networkError(code: string): Error & { readonly code: string } {
  return Object.assign(new Error(code), { code });
}

/** One byte: the server goes on with TLS, or has none. */
const TLS_ANSWER = { agreed: 0x53, none: 0x4e } as const;

/**
 * Gives the code of what is wrong with a server's answer to the request for TLS; undefined if it agrees. Bytes behind the
 * answer are clear text from somebody on the way.
 */
function refuseTlsAnswer(answer: Uint8Array): 'NO_TLS' | 'EPROTO' | undefined {
  const [first] = answer;
  if (first === TLS_ANSWER.agreed && answer.length === 1) return undefined;
  return first === TLS_ANSWER.none ? 'NO_TLS' : 'EPROTO';
}
