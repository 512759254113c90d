import { rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
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
import { openSession } from './session.ts';

let server: PostgresServer;
let files: TlsFiles;
let impostor: Impostor;
beforeAll(async () => {
  impostor = await startImpostor();
  server = await startPostgres({ major: 18 });
  files = await enableTls(server);
});
afterAll(async () => {
  await impostor?.close();
  await server?.stop();
  if (files) rmSync(files.folder, { recursive: true });
});

type Changes = Partial<ResolvedServer>;

/** Returns whether the session is encrypted, or the message of the error. */
async function encryption(changes: Changes): Promise<unknown> {
  const { port, password } = server;
  const address = { name: 'test', host: 'localhost', port, user: 'postgres', password, ...changes };
  try {
    const session = openSession({ server: address, database: 'postgres' }, 'test');
    try {
      const [row] = await session.query<{ ssl: boolean }>(
        'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
      );
      return row!.ssl;
    } finally {
      await session.close();
    }
  } catch (error) {
    return (error as Error).message;
  }
}

const ADDRESS = '127.0.0.1';
const UNTRUSTED =
  /^its certificate is not trusted \((.*)\); name its authority with ca_file, or set sslmode: require /;

it('a session that is closed after a failed query leaves no connection, even with pending queries', async () => {
  const { port, password } = server;
  const address = { name: 'test', host: ADDRESS, port, user: 'postgres', password } as const;
  const session = openSession(
    { server: { ...address, sslmode: 'require' }, database: 'postgres' },
    'closed at once',
  );
  const fails = `DO $$ BEGIN RAISE EXCEPTION '%', repeat('long ', 10000); END $$`;
  await expect(
    Promise.all(Array.from({ length: 8 }, () => session.query(fails))),
  ).rejects.toMatchObject({ code: 'P0001' });
  await session.close();
  const sql = server.connect({ max: 1 });
  const read = () =>
    sql`SELECT state, query FROM pg_stat_activity WHERE application_name = 'closed at once'`;
  const deadline = Date.now() + 5000;
  let left = await read();
  while (left.length > 0 && Date.now() < deadline) left = await read();
  expect(left).toEqual([]);
  await sql.end();
});

it('a long session refuses to read after another role has become the owner of an object', async () => {
  const database = await server.createDatabase({ owner: 'postgres' });
  const { port, password } = server;
  const address = { name: 'test', host: ADDRESS, port, user: 'postgres', password } as const;
  const admin = server.connect({ database, max: 1 });
  await admin`CREATE SCHEMA cdc_management`;
  await admin`CREATE TABLE cdc_management.setting (name text)`;
  const session = openSession({ server: { ...address, sslmode: 'require' }, database }, 'long');
  const now = jest.spyOn(performance, 'now');
  const begun = performance.now();
  const readAfter = (seconds: number) => {
    now.mockReturnValue(begun + seconds * 1000);
    return session.read('SELECT count(*) FROM cdc_management.setting');
  };
  try {
    expect(await readAfter(0)).toEqual([{ count: '0' }]);
    await admin`CREATE ROLE mallory`;
    await admin`ALTER TABLE cdc_management.setting OWNER TO mallory`;
    expect(await readAfter(9.9)).toEqual([{ count: '0' }]);
    await expect(readAfter(10)).rejects.toThrow('belongs to role mallory');
    await expect(readAfter(10.1)).rejects.toThrow('belongs to role mallory');
  } finally {
    now.mockRestore();
    await session.close();
    await admin.end();
  }
});

describe('TLS with a target', () => {
  it.each<[string, (files: TlsFiles) => Changes, unknown]>([
    ['is verified by default', ({ ca }) => ({ caFile: ca }), true],
    ['refuses an unknown authority', () => ({}), UNTRUSTED],
    [
      'refuses a certificate of another authority',
      ({ otherCa }) => ({ caFile: otherCa }),
      UNTRUSTED,
    ],
    [
      'refuses a certificate for another host',
      ({ ca }) => ({ caFile: ca, host: ADDRESS, sslmode: 'verify-full' }),
      /^its certificate is not trusted \(it is for another host\); /,
    ],
    [
      'verify-ca: accepts a certificate for any host',
      ({ ca }) => ({ caFile: ca, host: ADDRESS, sslmode: 'verify-ca' }),
      true,
    ],
    [
      'verify-ca: refuses a certificate of another authority',
      ({ otherCa }) => ({ caFile: otherCa, sslmode: 'verify-ca' }),
      UNTRUSTED,
    ],
    ['require: accepts any certificate', () => ({ host: ADDRESS, sslmode: 'require' }), true],
    [
      'require: verifies the certificate if a ca_file is set',
      ({ otherCa }) => ({ caFile: otherCa, sslmode: 'require' }),
      UNTRUSTED,
    ],
    ['disable: does not encrypt', () => ({ sslmode: 'disable' }), false],
    [
      'refuses a missing ca_file',
      () => ({ caFile: '/nowhere/ca.pem' }),
      /^its ca_file cannot be read; /,
    ],
    [
      'refuses a ca_file without a certificate',
      ({ folder }) => ({ caFile: join(folder, 'names') }),
      'its ca_file holds no certificate in PEM',
    ],
  ])('%s', async (_what, changesOf, expected) => {
    const found = await encryption(changesOf(files));
    if (expected instanceof RegExp) expect(found).toMatch(expected);
    else expect(found).toBe(expected);
  });

  it('sends nothing to a server without TLS', async () => {
    const plain = await startPostgres({ major: 18 });
    try {
      expect(await encryption({ port: plain.port, password: plain.password })).toMatch(
        /^it does not support TLS, and nothing was sent; .* sslmode: disable for its server in sink-groups\.yaml/,
      );
    } finally {
      await plain.stop();
    }
  });

  it.each(Object.entries(TLS_REFUSALS))(
    'sends nothing in clear text to a server that answers: %s',
    async (_, segments) => {
      impostor.answer(segments);
      expect(await encryption({ host: impostor.host, port: impostor.port })).toMatch(
        /^it does not support TLS, and nothing was sent; |^TLS negotiation failed; /,
      );
      expect(clearTextIn(impostor.received()).toString('latin1')).toBe('');
    },
  );

  it.each(['disable', 'verify-full'] as const)(
    '%s: reports that the server closes the connection',
    async (sslmode) => {
      const closing = createServer((socket) => socket.resume().end()).listen(0, ADDRESS);
      await new Promise((resolve) => closing.once('listening', resolve));
      const { port } = closing.address() as { port: number };
      expect(await encryption({ host: ADDRESS, port, sslmode })).toBe(
        'the connection was lost (ECONNRESET)',
      );
      await new Promise((resolve) => closing.close(resolve));
    },
  );

  it('reports that the server requires encryption', async () => {
    const sql = server.connect({ max: 1 });
    const [row] = await sql<{ hba_file: string }[]>`SHOW hba_file`;
    writeFileSync(row!.hba_file, 'hostssl all all all scram-sha-256\n');
    await sql`SELECT pg_reload_conf()`;
    await sql.end();
    const session = openSession(
      {
        server: {
          name: 'test',
          host: ADDRESS,
          port: server.port,
          user: 'postgres',
          password: server.password,
          sslmode: 'disable',
        },
        database: 'postgres',
      },
      'test',
    );
    await expect(session.query('SELECT 1')).rejects.toMatchObject({
      kind: 'connection',
      hint: 'the server requires encryption: remove sslmode: disable from its server in sink-groups.yaml',
    });
    await session.close();
  });
});

describe('a session whose connection is lost', () => {
  const open = () => {
    const { host, port, password } = server;
    const address = { name: 'test', host, port, user: 'postgres', password };
    const session = openSession(
      { server: { ...address, sslmode: 'require' }, database: 'postgres' },
      'test',
    );
    return session;
  };
  const TERMINATE = 'SELECT pg_catalog.pg_terminate_backend(pg_catalog.pg_backend_pid())';

  it('sends none of its pending queries on another connection', async () => {
    const session = open();
    await session.query('DROP TABLE IF EXISTS made');
    const texts = [
      TERMINATE,
      ...Array.from({ length: 300 }, () => 'SELECT 1'),
      'CREATE TABLE made ()',
    ];
    const ends = await Promise.allSettled(texts.map((text) => session.query(text)));
    expect(ends.map(({ status }) => status)).not.toContain('fulfilled');
    await expect(session.query('CREATE TABLE made ()')).rejects.toMatchObject({
      kind: 'connection',
    });
    expect(session.isLost).toBe(true);
    await session.close();
    const other = open();
    expect(await other.query(`SELECT pg_catalog.to_regclass('made') AS made`)).toEqual([
      { made: null },
    ]);
    await other.close();
  });

  it('rejects a query that is sent while the connection closes', async () => {
    const session = open();
    const before = session.query(TERMINATE).catch(() => session.query('SELECT 1'));
    await expect(before).rejects.toMatchObject({ kind: 'connection' });
    await session.close();
  });

  it('is detected by the severity of an error, not by its code', async () => {
    const session = open();
    const raise = (code: string) =>
      session.query(`DO $$BEGIN RAISE 'no' USING ERRCODE = '${code}'; END$$`);
    for (const code of ['08006', '28000', '3D000', '53300', '57P01']) {
      await expect(raise(code)).rejects.toMatchObject({ kind: 'sql', code });
    }
    expect(await session.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await session.close();
  });
});

it('a session keeps no settings of its queries, even if they fail', async () => {
  const { host, port, password } = server;
  const address = {
    name: 'test',
    host,
    port,
    user: 'postgres',
    password,
    sslmode: 'require' as const,
  };
  const session = openSession({ server: address, database: 'postgres' }, 'test');
  const traces = `SELECT name FROM pg_settings WHERE source = 'session' AND name NOT LIKE 'transaction%'`;
  const before = await session.query(traces);
  for (const way of ['read', 'write'] as const) {
    await session[way]('SELECT 1');
    await expect(session[way]('SELECT 1 / 0')).rejects.toMatchObject({ code: '22012' });
    await expect(session[way]('SELEC')).rejects.toMatchObject({ code: '42601' });
  }
  await expect(session.read('CREATE TABLE made ()')).rejects.toMatchObject({ code: '25006' });
  expect(await session.query(traces)).toEqual(before);
  await session.close();
});
