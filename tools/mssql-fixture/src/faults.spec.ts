import type { Connection } from 'tedious';
import { readAdopusCatalog } from './read-adopus-catalog.ts';
import { startMssqlFixture, type MssqlFixture } from './server/start-mssql-fixture.ts';
import { close, connect, errorOf, run } from './tedious.fixture.ts';

let server: MssqlFixture;
let connections: Connection[] = [];

beforeAll(async () => {
  server = await startMssqlFixture({ databases: { AdOpusTest: readAdopusCatalog() } });
});

afterEach(async () => {
  server.clearFaults();
  await Promise.all(connections.map((connection) => close(connection)));
  connections = [];
});

afterAll(async () => {
  expect(server.internalErrors()).toEqual([]);
  await server.close();
});

async function open(options = {}): Promise<Connection> {
  const connection = await connect(server, options);
  connections.push(connection);
  return connection;
}

const ALL_COLUMNS = 'SELECT name FROM sys.columns';

it('resets a connection before it says anything', async () => {
  server.addFault({ fault: { kind: 'reset-connection' }, times: 1 });
  expect(await errorOf(open())).toMatchObject({ code: 'ESOCKET' });
  await open();
});

it('does not answer a client at all', async () => {
  server.addFault({ fault: { kind: 'stall-login' }, times: 1 });
  expect(await errorOf(open({ connectTimeout: 200 }))).toMatchObject({ code: 'ETIMEOUT' });
});

it.each([
  [18456, "Login failed for user 'sa'."],
  [
    40613,
    "Database 'AdOpusTest' on server 'MSSQLFIXTURE' is not currently available. Please retry the connection later.",
  ],
])('refuses a login with %d', async (number, message) => {
  server.addFault({ fault: { kind: 'refuse-login', number }, times: 1 });
  expect(await errorOf(open())).toMatchObject({ code: 'ELOGIN', message });
});

it('lets a client through that tries again after a transient error', async () => {
  server.addFault({ fault: { kind: 'refuse-login', number: 40613 }, times: 1 });
  const before = server.connections();
  await open({ maxRetriesOnTransientErrors: 2, connectionRetryInterval: 10 });
  expect(server.connections() - before).toBe(2);
});

it.each([
  [
    1205,
    /deadlocked on lock resources with another process and has been chosen as the deadlock victim/,
  ],
  [40613, /not currently available/],
  [8645, /8645/],
])('answers a request by error %d once', async (number, message) => {
  server.addFault({ fault: { kind: 'error', number }, sql: /sys\.columns/, times: 1 });
  const connection = await open();
  const error = await errorOf(run(connection, ALL_COLUMNS));
  expect(error.number).toBe(number);
  expect(error.message).toMatch(message);
  expect((await run(connection, ALL_COLUMNS)).rows).toHaveLength(382);
});

it('closes in the middle of a row', async () => {
  server.addFault({ fault: { kind: 'close', afterRows: 10 }, sql: /sys\.columns/, times: 1 });
  const connection = await open();
  let rows = 0;
  const error = await errorOf(run(connection, ALL_COLUMNS, { onRow: () => rows++ }));
  expect(error.code).toMatch(/^(ESOCKET|ECONNRESET)$/);
  expect(rows).toBe(10);
});

it('stalls, and a client that gives up goes on', async () => {
  server.addFault({ fault: { kind: 'stall' }, sql: /sys\.columns/, times: 1 });
  const connection = await open();
  const error = await errorOf(run(connection, ALL_COLUMNS, { timeoutMs: 100 }));
  expect(error.code).toBe('ETIMEOUT');
  expect((await run(connection, ALL_COLUMNS)).rows).toHaveLength(382);
});

it('stalls in the middle of a result', async () => {
  server.addFault({ fault: { kind: 'stall', afterRows: 5 }, sql: /sys\.columns/, times: 1 });
  const connection = await open();
  let rows = 0;
  // The request timeout of tedious ends with the first packet of the answer.
  const onRow = (): void => {
    if (++rows === 5) setTimeout(() => connection.cancel(), 100);
  };
  expect((await errorOf(run(connection, ALL_COLUMNS, { timeoutMs: 5000, onRow }))).code).toBe(
    'ECANCEL',
  );
  expect(rows).toBe(5);
});

it('stalls so that even an attention is not answered', async () => {
  server.addFault({ fault: { kind: 'stall', isDeaf: true }, sql: /sys\.columns/, times: 1 });
  const connection = await open({ cancelTimeout: 100 });
  const error = await errorOf(run(connection, ALL_COLUMNS, { timeoutMs: 50 }));
  expect(error.message).toMatch(/Timeout|cancel|Canceled/i);
});

it('answers late', async () => {
  server.addFault({ fault: { kind: 'delay', delayMs: 150 }, sql: /sys\.columns/, times: 1 });
  const connection = await open();
  const start = Date.now();
  await run(connection, ALL_COLUMNS);
  expect(Date.now() - start).toBeGreaterThanOrEqual(145);
});

it('stops a statement that waits when the client cancels it', async () => {
  const connection = await open();
  const waiting = errorOf(
    run(connection, "SELECT 1 AS a; WAITFOR DELAY '00:10:00'; SELECT 2 AS a"),
  );
  setTimeout(() => connection.cancel(), 50);
  expect((await waiting).code).toBe('ECANCEL');
  expect((await run(connection, 'SELECT 3 AS a')).rows).toEqual([{ a: 3 }]);
});

it('stops sending a large result when the client cancels it', async () => {
  const connection = await open();
  let rows = 0;
  const error = await errorOf(
    run(connection, 'SELECT a.name FROM sys.columns a CROSS JOIN sys.columns b', {
      onRow: () => {
        if (++rows === 100) connection.cancel();
      },
    }),
  );
  expect(error.code).toBe('ECANCEL');
  expect(rows).toBeLessThan(140_000);
});

it('drops a table between two queries', async () => {
  const own = await startMssqlFixture({ databases: { AdOpusTest: readAdopusCatalog() } });
  const connection = await connect(own);
  const act = (): void => own.database('AdOpusTest').dropTable('dbo.Fraver');
  own.addFault({ fault: { kind: 'act', act }, sql: /sys\.columns/, times: 1 });
  const names = async (view: string): Promise<number> =>
    (await run(connection, `SELECT 1 AS a FROM ${view} WHERE object_id = OBJECT_ID('dbo.Fraver')`))
      .rows.length;
  expect(await names('sys.tables')).toBe(1);
  expect(await names('sys.columns')).toBe(0);
  await close(connection);
  await own.close();
});

it('misbehaves for one connection only', async () => {
  const connection = server.connections() + 2;
  server.addFault({
    fault: { kind: 'error', number: 1205 },
    connection,
    sql: (text) => text === ALL_COLUMNS,
  });
  const [first, second] = [await open(), await open()];
  await run(first, ALL_COLUMNS);
  expect((await errorOf(run(second, ALL_COLUMNS))).number).toBe(1205);
});
