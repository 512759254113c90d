import type { Connection } from 'tedious';
import { readAdopusCatalog } from './catalogs.ts';
import { startMssqlFixture, type MssqlFixture } from './server/start-mssql-fixture.ts';
import { close, connect, run, type RunOptions } from './tedious.fixture.ts';

/** Provides a client of a server with the catalog of AdOpus for the tests of a file. */
export function useAdopusClient() {
  let server: MssqlFixture;
  let connection: Connection;

  beforeAll(async () => {
    server = await startMssqlFixture({ databases: { AdOpusTest: readAdopusCatalog() } });
    connection = await connect(server);
  });

  afterAll(async () => {
    await close(connection);
    expect(server.internalErrors()).toEqual([]);
    await server.close();
  });

  const send = (sql: string, options?: RunOptions) => run(connection, sql, options);
  const select = async (sql: string, options?: RunOptions) => (await send(sql, options)).rows;
  return { run: send, select };
}
