import { constants } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import { generate } from 'selfsigned';

/** A key and its self-signed certificate as PEM. Clients use the certificate as CA. */
export interface Certificate {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

const VALID_DAYS = 2;
const MS_PER_DAY = 86_400_000;

/** Creates a certificate for `localhost` and 127.0.0.1, valid for two days. It is kept in memory only. */
export async function createCertificate(): Promise<Certificate> {
  const now = Date.now();
  const pem = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(now - MS_PER_DAY),
    notAfterDate: new Date(now + VALID_DAYS * MS_PER_DAY),
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'keyUsage', digitalSignature: true, keyCertSign: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  });
  return { certificatePem: pem.cert, privateKeyPem: pem.private };
}

/** TLS contexts of a server. */
export interface SecureContexts {
  /** TLS inside PRELOGIN packets (TDS 7.x): TLS 1.2 without tickets, with one flight per flight of the client. */
  readonly wrapped: SecureContext;
  /** TLS before everything else (TDS 8.0). */
  readonly strict: SecureContext;
}

/** Builds the contexts for both kinds of TLS. */
export function secureContexts({ certificatePem, privateKeyPem }: Certificate): SecureContexts {
  const pair = { key: privateKeyPem, cert: certificatePem };
  return {
    wrapped: createSecureContext({
      ...pair,
      maxVersion: 'TLSv1.2',
      secureOptions: constants.SSL_OP_NO_TICKET,
    }),
    strict: createSecureContext(pair),
  };
}
