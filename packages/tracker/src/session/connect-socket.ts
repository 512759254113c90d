import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { isCertificate, refuseTlsAnswer, type ResolvedServer } from '@cdc-migrations/config';
import { TargetError } from './target-error.ts';

interface SocketOptions {
  readonly timeoutMs: number;
  /** Whether the driver asks for TLS. */
  readonly encrypt: boolean;
  /** Ends the attempt. */
  readonly signal: AbortSignal;
}

/**
 * A connection for the driver, which by itself would try again without end while the port hangs up, and speak TLS to a
 * server that declined it.
 */
export async function connectSocket(
  { host, port }: Pick<ResolvedServer, 'host' | 'port'>,
  { timeoutMs, encrypt, signal }: SocketOptions,
): Promise<Socket> {
  const path = `${host}/.s.PGSQL.${port}`;
  const socket = connect(host.startsWith('/') ? { path } : { host, port, noDelay: true });
  const ends = AbortSignal.any([AbortSignal.timeout(timeoutMs), signal]);
  await once(socket, 'connect', { signal: ends }).catch((error) => {
    socket.destroy();
    throw codeOf(error) === undefined ? failure('CONNECT_TIMEOUT') : error;
  });
  if (encrypt) {
    socket.once('data', (answer) => {
      const code = refuseTlsAnswer(answer);
      if (code !== undefined) socket.destroy(failure(code));
    });
  }
  socket.once('close', (hadError) => {
    if (!hadError) socket.emit('error', failure('ECONNRESET'));
  });
  return socket;
}

function codeOf(error: unknown): unknown {
  const { code } = error as { readonly code?: unknown };
  return code === 'ABORT_ERR' ? undefined : code;
}

function failure(code: string): Error {
  return Object.assign(new Error(code), { code });
}

/**
 * The authorities in a server's `ca_file`, as PEM; undefined where it names none.
 *
 * @throws TargetError
 */
export function readCa({ caFile }: ResolvedServer): string | undefined {
  if (caFile === undefined) return undefined;
  let pem: string;
  try {
    pem = readFileSync(caFile, 'utf8');
  } catch {
    throw new TargetError(
      'its ca_file cannot be read; name a file with certificates in PEM',
      'CA_FILE',
    );
  }
  if (isCertificate(pem)) return pem;
  throw new TargetError('its ca_file holds no certificate in PEM', 'CA_FILE');
}
