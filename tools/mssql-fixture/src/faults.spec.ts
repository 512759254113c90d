import type { Connection } from 'tedious';
import { readAdopusCatalog } from './catalogs.ts';
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

it('does not answer a login', async () => {
  server.addFault({ fault: { kind: 'stall-login' }, times: 1 });
  expect(await errorOf(open({ connectTimeout: 200 }))).toMatchObject({ code: 'ETIMEOUT' });
});

it.each([
  [18456, "Login failed for user 'sa'."],
  [
    40613,
    "Database 'AdOpusTest' on server 'MSSQLFIXTURE' is not currently available. Please retry the connection later.",
  ],
])('refuses a login with error %d', async (number, message) => {
  server.addFault({ fault: { kind: 'refuse-login', number }, times: 1 });
  expect(await errorOf(open())).toMatchObject({ code: 'ELOGIN', message });
});

it('accepts a client that retries after a transient error', async () => {
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
])('answers a request with error %d once', async (number, message) => {
  server.addFault({ fault: { kind: 'error', number }, sql: /sys\.columns/, times: 1 });
  const connection = await open();
  const error = await errorOf(run(connection, ALL_COLUMNS));
  expect(error.number).toBe(number);
  expect(error.message).toMatch(message);
  expect((await run(connection, ALL_COLUMNS)).rows).toHaveLength(382);
});

it('closes the connection in the middle of a row', async () => {
  server.addFault({ fault: { kind: 'close', afterRows: 10 }, sql: /sys\.columns/, times: 1 });
  const connection = await open();
  let rows = 0;
  const error = await errorOf(run(connection, ALL_COLUMNS, { onRow: () => rows++ }));
  expect(error.code).toMatch(/^(ESOCKET|ECONNRESET)$/);
  expect(rows).toBe(10);
});

it.each([
  ['answers an attention', false, /Canceled/],
  ['ignores an attention', true, /Failed to cancel request in 100ms/],
])('stalls in the middle of a result, and %s', async (_how, isDeaf, message) => {
  server.addFault({
    fault: { kind: 'stall', afterRows: 5, isDeaf },
    sql: /sys\.columns/,
    times: 1,
  });
  const connection = await open({ cancelTimeout: 100 });
  let rows = 0;
  const onRow = (): void => {
    if (++rows === 5) setTimeout(() => connection.cancel(), 50);
  };
  expect((await errorOf(run(connection, ALL_COLUMNS, { onRow }))).message).toMatch(message);
  expect(rows).toBe(5);
  if (!isDeaf) expect((await run(connection, ALL_COLUMNS)).rows).toHaveLength(382);
});

it('stops sending a large result when the client cancels it', async () => {
  const connection = await open();
  let rows = 0;
  const error = await errorOf(
    run(connection, 'SELECT a.name FROM sys.columns a JOIN sys.columns b ON 1 = 1', {
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

it('applies a fault to one connection only', async () => {
  const connection = server.connections() + 2;
  server.addFault({
    fault: { kind: 'error', number: 1205 },
    connection,
    sql: /sys\.columns/,
  });
  const [first, second] = [await open(), await open()];
  await run(first, ALL_COLUMNS);
  expect((await errorOf(run(second, ALL_COLUMNS))).number).toBe(1205);
});
