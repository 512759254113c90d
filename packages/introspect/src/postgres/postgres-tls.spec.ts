import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ResolvedServer } from '@cdc-migrations/session';
import {
  clearTextIn,
  enableTls,
  type Impostor,
  type PostgresServer,
  startImpostor,
  startPostgres,
  TLS_REFUSALS,
  type TlsFiles,
} from '@cdc-migrations/postgres-fixture';
import { readCatalogs } from '../read-catalogs.ts';

let server: PostgresServer;
let files: TlsFiles;
let impostor: Impostor;
beforeAll(async () => {
  impostor = await startImpostor();
  server = await startPostgres({ major: 18 });
  files = await enableTls(server);
  const sql = server.connect({ max: 1 });
  await sql`CREATE TABLE public.a (id integer PRIMARY KEY)`;
  await sql.end();
});
afterAll(async () => {
  await impostor?.close();
  await server?.stop();
  if (files) rmSync(files.folder, { recursive: true });
});

const SELECTION = {
  database: 'd',
  schema: 'public',
  pattern: 'db-shared',
  tables: ['a'],
} as const;

it.each<[string, (files: TlsFiles) => Partial<ResolvedServer>, RegExp | 'read']>([
  ['is verified by default', ({ ca }) => ({ caFile: ca }), 'read'],
  [
    'refuses an unknown authority',
    () => ({}),
    /certificate of the server is not trusted .*ca_file/,
  ],
  ['refuses another authority', ({ otherCa }) => ({ caFile: otherCa }), /is not trusted/],
  ['refuses another host', ({ ca }) => ({ caFile: ca, host: '127.0.0.1' }), /is not trusted/],
  ['accepts any certificate with require', () => ({ sslmode: 'require' }), 'read'],
  [
    'requires PEM certificates in ca_file',
    ({ folder }) => ({ caFile: join(folder, 'names') }),
    /ca_file .* in PEM/,
  ],
])('TLS with a source %s', async (_what, changesOf, expected) => {
  const { port, password } = server;
  const address = { name: 'default', host: 'localhost', port, user: 'postgres', password };
  const source = {
    type: 'postgres',
    server: { ...address, ...changesOf(files) },
    database: 'postgres',
  } as const;
  const found = await readCatalogs(source, [SELECTION]).catch((error: Error) => error.message);
  if (expected === 'read') expect(found).toMatchObject([{ tables: [{ name: 'a' }] }]);
  else expect(found).toMatch(expected);
});

describe.each(['require', undefined] as const)('a source with sslmode %s', (sslmode) => {
  it.each(Object.entries(TLS_REFUSALS))(
    'receives nothing in clear text if its answer is: %s',
    async (_, segments) => {
      impostor.answer(segments);
      const { host, port } = impostor;
      const server = { name: 'default', host, port, user: 'postgres', password: 'p4ssw0rd' };
      const source = {
        type: 'postgres',
        server: { ...server, ...(sslmode && { sslmode }) },
        database: 'postgres',
      } as const;
      await expect(readCatalogs(source, [SELECTION])).rejects.toMatchObject({
        name: 'EncryptionError',
      });
      expect(clearTextIn(impostor.received()).toString('latin1')).toBe('');
    },
  );
});
