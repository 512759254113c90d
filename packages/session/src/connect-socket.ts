import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { ResolvedServer } from './resolve-server.ts';

/** Options for opening a socket. */
export interface SocketOptions {
  readonly timeoutMs: number;
  /** True if the driver requests TLS. */
  readonly encrypt: boolean;
  /** Aborts the attempt. */
  readonly signal?: AbortSignal;
}

/**
 * Opens the connection for a PostgreSQL driver. Without it, the driver would retry forever while the server closes
 * connections, and would start TLS with a server that declined TLS. A host that begins with `/` is the folder of a Unix
 * socket.
 *
 * @throws an error with the network's code, or `CONNECT_TIMEOUT`. The socket emits later errors.
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

/** Builds Node's error for a code, such as `ECONNRESET` for a lost connection. */
export function networkError(code: string): Error & { readonly code: string } {
  return Object.assign(new Error(code), { code });
}

/** One byte: the server continues with TLS, or does not support it. */
const TLS_ANSWER = { agreed: 0x53, none: 0x4e } as const;

/**
 * Returns the error code for a server's answer to the TLS request, or undefined if the server agrees. Bytes after the
 * answer are clear text from an attacker.
 */
function refuseTlsAnswer(answer: Uint8Array): 'NO_TLS' | 'EPROTO' | undefined {
  const [first] = answer;
  if (first === TLS_ANSWER.agreed && answer.length === 1) return undefined;
  return first === TLS_ANSWER.none ? 'NO_TLS' : 'EPROTO';
}
