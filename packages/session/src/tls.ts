import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { ResolvedServer } from './resolve-server.ts';

/** TLS settings of a server. */
export type TlsSettings = Pick<
  ResolvedServer,
  'host' | 'sslmode' | 'encrypt' | 'trustServerCertificate'
>;

/**
 * Returns Node's TLS options for a PostgreSQL server of a source or a sink, or undefined for a clear text connection.
 * The options depend on `sslmode`. Without `sslmode`, the certificate and its host name are verified. A Unix socket has
 * no TLS.
 *
 * @param ca the authorities in `ca_file`, as PEM. If they are given, the certificate is verified with `require` too, as
 * in libpq.
 * @see https://www.postgresql.org/docs/current/libpq-ssl.html
 */
export function postgresTls(server: TlsSettings, ca?: string): ConnectionOptions | undefined {
  const { host } = server;
  const mode = modeOf(server);
  if (mode === 'disable' || host.startsWith('/')) return undefined;
  const namesHost = mode === 'verify-full';
  return {
    host,
    ...(isIP(host) === 0 && { servername: host }),
    ...(ca !== undefined && { ca }),
    rejectUnauthorized: mode !== 'require' || ca !== undefined,
    ...(!namesHost && { checkServerIdentity: () => undefined }),
  };
}

function modeOf({ sslmode, encrypt, trustServerCertificate }: TlsSettings) {
  if (sslmode !== undefined) return sslmode;
  if (encrypt === false) return 'disable';
  return trustServerCertificate ? 'require' : 'verify-full';
}

/** Thrown if a `ca_file` cannot be read or contains no certificate. The message does not name the file. */
export class CertificateFileError extends Error {
  override readonly name = 'CertificateFileError';
  constructor(
    readonly file: string,
    readonly reason: 'unreadable' | 'no certificate',
    options?: ErrorOptions,
  ) {
    super(
      reason === 'unreadable'
        ? 'its ca_file cannot be read; name a file with certificates in PEM'
        : 'its ca_file holds no certificate in PEM',
      options,
    );
  }
}

/**
 * Reads the authorities in a server's `ca_file` as PEM. Returns undefined if no file is set.
 *
 * @throws CertificateFileError
 */
export function readCa({ caFile }: Pick<ResolvedServer, 'caFile'>): string | undefined {
  if (caFile === undefined) return undefined;
  let pem: string;
  try {
    pem = readFileSync(caFile, 'utf8');
  } catch (cause) {
    throw new CertificateFileError(caFile, 'unreadable', { cause });
  }
  if (isCertificate(pem)) return pem;
  throw new CertificateFileError(caFile, 'no certificate');
}

/** Returns true if a text begins with a PEM certificate. Node accepts any text, and then trusts no server. */
function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== undefined;
  } catch {
    return false;
  }
}
