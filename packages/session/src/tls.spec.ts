import { join } from 'node:path';
import { CertificateFileError, postgresTls, readCa, type TlsSettings } from './tls.ts';

/** Returns what the client verifies about the server. */
function checksOf(settings: Partial<TlsSettings>, ca?: string) {
  const tls = postgresTls({ host: 'pg.example', ...settings }, ca);
  if (tls === undefined) return 'clear text';
  if (!tls.rejectUnauthorized) return 'nothing';
  return tls.checkServerIdentity === undefined ? 'authority and host' : 'authority';
}

it.each<[Partial<TlsSettings>, string | undefined, string]>([
  [{}, undefined, 'authority and host'],
  [{ encrypt: false }, undefined, 'clear text'],
  [{ trustServerCertificate: true }, undefined, 'nothing'],
  [{ sslmode: 'disable' }, undefined, 'clear text'],
  [{ sslmode: 'require' }, undefined, 'nothing'],
  [{ sslmode: 'require' }, 'PEM', 'authority'],
  [{ sslmode: 'verify-ca' }, 'PEM', 'authority'],
  [{ sslmode: 'verify-full' }, 'PEM', 'authority and host'],
  [{ sslmode: 'verify-full', encrypt: false }, undefined, 'authority and host'],
  [{ host: '/run/postgresql' }, undefined, 'clear text'],
])('%j with ca %j checks %s', (settings, ca, expected) => {
  expect(checksOf(settings, ca)).toBe(expected);
});

it('sends a host name to the server as its server name, but no IP address', () => {
  expect(postgresTls({ host: 'pg.example' })).toMatchObject({ servername: 'pg.example' });
  expect(postgresTls({ host: '127.0.0.1' })).not.toHaveProperty('servername');
});

it('refuses a ca_file that cannot be read or contains no certificate', () => {
  expect(readCa({})).toBeUndefined();
  const read = (caFile: string) => () => readCa({ caFile });
  expect(read(join(__dirname, 'none.pem'))).toThrow(CertificateFileError);
  expect(read(join(__dirname, 'none.pem'))).toThrow(/^its ca_file cannot be read; /);
  expect(read(__filename)).toThrow('its ca_file holds no certificate in PEM');
});
