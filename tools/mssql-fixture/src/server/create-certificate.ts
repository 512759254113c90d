import { constants } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import { generate } from 'selfsigned';

/** A self-signed certificate as PEM, which clients use as CA, and the TLS context with its key. */
export interface Certificate {
  readonly certificatePem: string;
  readonly context: SecureContext;
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
  // TLS inside PRELOGIN packets (TDS 7.x) has no tickets, and one flight per flight of the client.
  const context = createSecureContext({
    ...{ key: pem.private, cert: pem.cert, maxVersion: 'TLSv1.2' },
    secureOptions: constants.SSL_OP_NO_TICKET,
  });
  return { certificatePem: pem.cert, context };
}
