import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { ResolvedServer } from './resolve-server.ts';

/** What a server says of TLS. */
export type TlsSettings = Pick<
  ResolvedServer,
  'host' | 'sslmode' | 'encrypt' | 'trustServerCertificate'
>;

/**
 * Gives Node's options for TLS with a PostgreSQL server, of a source or a sink; undefined for a connection in clear text. As
 * `sslmode` says; without it the certificate is verified, and that it is for this host. The folder of a socket has no TLS.
 *
 * @param ca the authorities in `ca_file`, as PEM; with `require` they are verified too, as by libpq.
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

/** One byte: the server goes on with TLS, or has none. */
const TLS_ANSWER = { agreed: 0x53, none: 0x4e } as const;

/**
 * Gives the code of what is wrong with a server's answer to the request for TLS; undefined where it agrees. Bytes behind the answer
 * are clear text from somebody on the way.
 */
export function refuseTlsAnswer(answer: Uint8Array): 'NO_TLS' | 'EPROTO' | undefined {
  const [first] = answer;
  if (first === TLS_ANSWER.agreed && answer.length === 1) return undefined;
  return first === TLS_ANSWER.none ? 'NO_TLS' : 'EPROTO';
}

function modeOf({ sslmode, encrypt, trustServerCertificate }: TlsSettings) {
  if (sslmode !== undefined) return sslmode;
  if (encrypt === false) return 'disable';
  return trustServerCertificate ? 'require' : 'verify-full';
}

/** Tests if a text begins with a certificate in PEM; Node takes anything, and then trusts nobody. */
export function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== undefined;
  } catch {
    return false;
  }
}

/** Codes with which Node refuses a certificate. https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const CERTIFICATE_CODE =
  /^(CERT_|CRL_|UNABLE_TO_|SELF_SIGNED_CERT|DEPTH_ZERO_|ERR_TLS_CERT_|INVALID_CA|PATH_LENGTH_|INVALID_PURPOSE|HOSTNAME_MISMATCH)/;

/** Tests if a code says that the certificate of the other side is not trusted. */
export function isCertificateError(code: string): boolean {
  return CERTIFICATE_CODE.test(code);
}
