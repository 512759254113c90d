import postgres, { type Sql } from 'postgres';
import {
  describeDebian,
  type Pgbouncer,
  type PoolMode,
  type PostgresServer,
  startDebianPostgres,
  startPgbouncer,
} from './index.ts';

describeDebian("Debian's PostgreSQL and PgBouncer", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startDebianPostgres();
  });
  afterAll(() => server.stop());

  /** Compares with a cluster that the package's installation creates. */
  it('have the settings of the package', async () => {
    const rows = await server.connect({ max: 1 })<{ name: string; setting: string }[]>`
      SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'full_page_writes', 'jit', 'jit_above_cost',
        'max_connections', 'max_wal_size', 'max_wal_senders', 'server_encoding', 'shared_buffers', 'synchronous_commit',
        'wal_level', 'work_mem')`;
    expect(Object.fromEntries(rows.map(({ name, setting }) => [name, setting]))).toEqual({
      fsync: 'on',
      full_page_writes: 'on',
      jit: 'on',
      jit_above_cost: '100000',
      max_connections: '100',
      max_wal_senders: '10',
      max_wal_size: '1024',
      server_encoding: 'UTF8',
      shared_buffers: '16384',
      synchronous_commit: 'on',
      wal_level: 'replica',
      work_mem: '4096',
    });
  });

  it('compile expensive queries with JIT', async () => {
    const sql = server.connect({ max: 1 });
    await sql`SET jit_above_cost = 0`;
    const plan =
      await sql`EXPLAIN (ANALYZE, FORMAT JSON) SELECT sum(n) FROM generate_series(1, 10) AS n`;
    expect(JSON.stringify(plan)).toContain('"JIT":');
  });

  it('start a standby, and restart after a crash', async () => {
    const standby = await server.startStandby();
    const reader = standby.connect({ max: 1 });
    expect(await reader`SELECT pg_is_in_recovery() AS standby`).toEqual([{ standby: true }]);
    await standby.stop();
    const { pid, port } = server;
    await server.kill('SIGKILL');
    await server.restart();
    expect({ moved: server.pid !== pid, port: server.port }).toEqual({ moved: true, port });
  });

  it.each<[PoolMode, number]>([
    ['session', 2],
    ['transaction', 1],
    ['statement', 1],
  ])('pool connections by %s', async (poolMode, connections) => {
    await withPgbouncer({ poolMode }, async (pgbouncer, connect) => {
      const [first, second] = [connect(), connect()];
      const pids = [await pidOf(first), await pidOf(second), await pidOf(first)];
      expect(new Set(pids).size).toBe(connections);
      const begin = first.begin((sql) => sql`SELECT 1`);
      const ended = await begin.then(
        () => 'done',
        () => (pgbouncer.log().includes('transaction blocks not allowed') ? 'refused' : 'failed'),
      );
      expect(ended).toBe(poolMode === 'statement' ? 'refused' : 'done');
    });
  });

  it('authenticate configured users by password', async () => {
    await server.createRole('app', { password: `it's "a`, attributes: 'CREATEDB' });
    const users = { app: `it's "a` };
    await withPgbouncer({ users }, async (_, connect) => {
      const app = connect({ user: 'app', password: `it's "a` });
      expect(await app`SELECT current_user::text AS name`).toEqual([{ name: 'app' }]);
      const wrong = connect({ user: 'app', password: 'other' });
      await expect(wrong`SELECT 1`).rejects.toMatchObject({ code: '08P01' });
    });
  });

  it('end the PgBouncer process with stop', async () => {
    const pgbouncer = await startPgbouncer(server);
    expect(() => process.kill(pgbouncer.pid, 0)).not.toThrow();
    await pgbouncer.stop();
    expect(() => process.kill(pgbouncer.pid, 0)).toThrow('ESRCH');
  });

  async function withPgbouncer(
    options: Parameters<typeof startPgbouncer>[1],
    work: (pgbouncer: Pgbouncer, connect: (options?: object) => Sql) => Promise<void>,
  ): Promise<void> {
    const pgbouncer = await startPgbouncer(server, options);
    const clients: Sql[] = [];
    const connect = (own: object = {}) => {
      const { host, port } = pgbouncer;
      const login = { user: 'postgres', password: server.password, database: 'postgres' };
      // Names of prepared statements belong to a session, and the pool has other sessions.
      const client = postgres({
        host,
        port,
        ...login,
        max: 1,
        prepare: false,
        fetch_types: false,
        ...own,
      });
      clients.push(client);
      return client;
    };
    try {
      await work(pgbouncer, connect);
    } finally {
      await Promise.all(clients.map((client) => client.end({ timeout: 0 })));
      await pgbouncer.stop();
    }
  }
});

async function pidOf(sql: Sql): Promise<number> {
  const [row] = await sql<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`;
  return row!.pid;
}
