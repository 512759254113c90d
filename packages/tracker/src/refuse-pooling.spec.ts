import { type PostgresServer, startPostgres } from '@cdc-migrations/postgres-fixture';
import { startPoolingProxy } from './pooling-proxy.fixture.ts';
import { PoolingProxyError, refusePooling } from './refuse-pooling.ts';
import { openSession } from './session.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres({ major: 15 });
});
afterAll(() => server?.stop());

async function tryAt(port: number): Promise<unknown> {
  const { host, password } = server;
  const address = {
    server: { name: 'test', host, port, user: 'postgres', password, sslmode: 'disable' as const },
    database: 'postgres',
  };
  const [one, other] = [openSession(address, 'one'), openSession(address, 'other')];
  try {
    await one.query('SELECT 1');
    await refusePooling(one, other);
    return undefined;
  } catch (error) {
    return error;
  } finally {
    void one.close();
    void other.close();
  }
}

it('a server itself is taken', async () => {
  expect(await tryAt(server.port)).toBeUndefined();
});

it('a proxy that pools transactions is refused', async () => {
  const proxy = await startPoolingProxy(server.port);
  const error = await tryAt(proxy.port);
  proxy.close();
  expect(error).toBeInstanceOf(PoolingProxyError);
});
