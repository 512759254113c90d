import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, mkdtempSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PostgresServer } from './start-postgres.ts';

/** Files of a server with TLS. */
export interface TlsFiles {
  /** Folder of the files. The caller removes it. */
  readonly folder: string;
  /** Authority that signed the server's certificate. The certificate is for `localhost` only. */
  readonly ca: string;
  /** An authority that did not sign the certificate. */
  readonly otherCa: string;
}

/** Enables TLS for a server with a certificate of a new authority. It needs `openssl`. */
export async function enableTls(server: PostgresServer): Promise<TlsFiles> {
  const folder = mkdtempSync(join(tmpdir(), 'tls-'));
  const openssl = (...args: readonly string[]) =>
    execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  for (const name of ['ca', 'other']) {
    const files = ['-keyout', `${name}.key`, '-out', `${name}.pem`];
    openssl('req', '-x509', '-days', '2', ...newKey, '-subj', `/CN=${name}`, ...files);
  }
  openssl('req', ...newKey, '-subj', '/CN=server', '-keyout', 'server.key', '-out', 'server.csr');
  writeFileSync(join(folder, 'names'), 'subjectAltName=DNS:localhost\n');
  const authority = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'];
  const signed = ['-in', 'server.csr', '-extfile', 'names', '-days', '2', '-out', 'server.crt'];
  openssl('x509', '-req', ...authority, ...signed);
  await turnOn(server, folder);
  return { folder, ca: join(folder, 'ca.pem'), otherCa: join(folder, 'other.pem') };
}

/** Configures TLS. The server reads its key only if nobody else can. */
async function turnOn(server: PostgresServer, folder: string): Promise<void> {
  const sql = server.connect({ max: 1 });
  const [row] = await sql<{ data_directory: string }[]>`SHOW data_directory`;
  const data = row!.data_directory;
  const { uid, gid } = statSync(data);
  for (const name of ['server.key', 'server.crt']) {
    const file = join(data, name);
    copyFileSync(join(folder, name), file);
    chmodSync(file, 0o600);
    chownSync(file, uid, gid);
  }
  await sql`ALTER SYSTEM SET ssl = on`;
  await sql`SELECT pg_reload_conf()`;
  await sql.end();
}
