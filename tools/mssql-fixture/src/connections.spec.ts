import type { Connection } from 'tedious';
import { readAdopusCatalog } from './catalogs.ts';
import type { EncryptionMode } from './tds/login.ts';
import { startMssqlFixture, type MssqlFixture } from './server/start-mssql-fixture.ts';
import { close, connect, errorOf, run, type ClientOptions } from './tedious.fixture.ts';

const servers: MssqlFixture[] = [];
const connections: Connection[] = [];

async function start(encryption: EncryptionMode): Promise<MssqlFixture> {
  const server = await startMssqlFixture({
    databases: { AdOpusTest: readAdopusCatalog() },
    encryption,
    logins: [
      { name: 'sa', password: 'one', serverRoles: ['sysadmin'], databaseRoles: {} },
      {
        name: 'reader',
        password: 'two',
        serverRoles: [],
        databaseRoles: { AdOpusTest: ['db_datareader'] },
      },
    ],
  });
  servers.push(server);
  return server;
}

async function open(
  server: MssqlFixture,
  options?: ClientOptions,
  login?: MssqlFixture['login'],
): Promise<Connection> {
  const connection = await connect(server, options, login);
  connections.push(connection);
  return connection;
}

afterEach(async () => {
  await Promise.all(connections.splice(0).map(close));
  for (const server of servers.splice(0)) {
    expect(server.internalErrors()).toEqual([]);
    await server.close();
  }
});

const trusting = (server: MssqlFixture): ClientOptions => ({
  trustServerCertificate: false,
  serverName: 'localhost',
  cryptoCredentialsDetails: { ca: server.certificatePem },
});

it.each<readonly [encryption: EncryptionMode, encrypt: boolean]>([
  ['optional', false],
  ['optional', true],
  ['unsupported', false],
])('with encryption %s, accepts a client with encrypt: %s', async (encryption, encrypt) => {
  const server = await start(encryption);
  const connection = await open(server, {
    ...(encrypt === false ? {} : trusting(server)),
    encrypt,
  });
  const { rows } = await run(connection, 'SELECT name FROM sys.tables');
  expect(rows).toHaveLength(43);
});

it('sends a certificate that a client without its CA refuses', async () => {
  const server = await start('optional');
  const error = await errorOf(
    open(server, { encrypt: true, trustServerCertificate: false, serverName: 'localhost' }),
  );
  expect(error.message).toMatch(/self-signed certificate/);
});

it.each([
  ['a wrong password', { userName: 'sa', password: 'x' }, 'AdOpusTest'],
  ['an unknown login', { userName: 'nobody', password: 'x' }, 'AdOpusTest'],
  ['an unknown database', { userName: 'sa', password: 'one' }, 'Nowhere'],
])('refuses %s', async (_, login, database) => {
  const server = await start('optional');
  const error = await errorOf(open(server, { database }, login));
  expect(error).toMatchObject({
    code: 'ELOGIN',
    message: `Login failed for user '${login.userName}'.`,
  });
});

it('reports the roles of a reader', async () => {
  const server = await start('optional');
  const connection = await open(server, {}, { userName: 'reader', password: 'two' });
  const { rows } = await run(
    connection,
    "SELECT IS_MEMBER('db_owner') AS owner, IS_MEMBER('db_datareader') AS reader, IS_SRVROLEMEMBER('sysadmin') AS admin",
  );
  expect(rows).toEqual([{ owner: 0, reader: 1, admin: 0 }]);
});

it('sends large results in packets of different sizes', async () => {
  const server = await start('optional');
  for (const options of [
    { packetSize: 512 },
    { packetSize: 16_384, encrypt: true, trustServerCertificate: true, serverName: 'localhost' },
  ]) {
    const connection = await open(server, options);
    const { rows } = await run(
      connection,
      `SELECT a.name, b.max_length, CASE WHEN b.column_id % 3 = 0 THEN a.name END AS third
       FROM sys.columns a JOIN sys.columns b ON b.column_id > 0 WHERE a.column_id < 4`,
    );
    expect(rows.length).toBeGreaterThan(40_000);
    expect(rows.filter((row) => row['third'] !== null && row['third'] !== row['name'])).toEqual([]);
  }
});

it('receives and returns a text of over a megabyte', async () => {
  const server = await start('optional');
  const connection = await open(server);
  const value = 'æøå '.repeat(262_144);
  const { rows } = await run(connection, 'SELECT @text AS text', {
    parameters: [{ name: 'text', type: 'NVarChar', value }],
  });
  expect(rows).toEqual([{ text: value }]);
});

it('drops temporary tables when a connection is reset', async () => {
  const server = await start('optional');
  const connection = await open(server);
  await run(connection, 'CREATE TABLE #t (a int)', { how: 'execSqlBatch' });
  await new Promise<void>((resolve, reject) => {
    connection.reset((error) => (error ? reject(error) : resolve()));
  });
  const error = await errorOf(run(connection, 'SELECT * FROM #t', { how: 'execSqlBatch' }));
  expect(error.number).toBe(208);
});

it('counts requests and keeps their texts', async () => {
  const server = await start('optional');
  const connection = await open(server);
  await run(connection, 'SELECT 1 AS a');
  await run(connection, 'SELECT 2 AS a', { how: 'execSqlBatch' });
  expect(server.roundTrips()).toBe(2);
  expect(server.requests().filter((request) => !request.isSetup)).toEqual([
    { kind: 'procedure', text: 'SELECT 1 AS a', isSetup: false },
    { kind: 'batch', text: 'SELECT 2 AS a', isSetup: false },
  ]);
});
