import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  describeDebian,
  type Pgbouncer,
  type PgbouncerOptions,
  type PoolMode,
  type PostgresServer,
  startDebianPostgres,
  startPgbouncer,
} from '@cdc-migrations/postgres-fixture';
import postgres, { type Sql } from 'postgres';
import { createAsmaSource } from '../source/asma-source.fixture.ts';
import { type CommandRun, finish, runCommand, startCommand } from './cli.fixture.ts';
import {
  EXISTING,
  generateSmall,
  small,
  type SmallTarget,
  stageActors,
} from './small-target.fixture.ts';

/** Commands in an order in which each has something to do, with their exit codes. */
const COMMANDS: readonly (readonly [readonly string[], number])[] = [
  [small('status'), 1],
  [small('check'), 1],
  [small('apply', '--dry-run'), 0],
  [small('apply', '--schema', 'blue'), 0],
  [small('apply'), 0],
  [small('apply', '--again'), 0],
  [small('check'), 0],
  [small('status'), 0],
  [small('baseline'), 0],
  [small('merge'), 0],
  [small('merge', '--replay-dead-letters'), 1],
  [small('status'), 1], // replayed events
];

let server: PostgresServer;
let target: SmallTarget;

describeDebian('commands through PgBouncer', () => {
  beforeAll(async () => {
    server = await startDebianPostgres();
    target = await generateSmall(server);
    // Template of the private database of each test.
    await server.createDatabase({ name: 'empty' });
    await change('empty', `${EXISTING}; CREATE TABLE public.written (n integer)`);
  });
  afterAll(() => server?.stop());

  it.each<PoolMode>(['transaction', 'session'])(
    'work in %s mode in parallel with a writer, and leave no state in pooled sessions',
    async (poolMode) => {
      await withPool({ poolMode }, async ({ database, run, connect }) => {
        const written = await writingMeanwhile(connect(), async () => {
          for (const [args, exitCode] of COMMANDS) {
            if (args[0] === 'merge') {
              await change(database, stageActors('blue', [1, 3], `repeat('x', 90 + 10 * n)`));
            }
            const end = await run(args);
            expect([args, end.exitCode, end.stderr]).toEqual([args, exitCode, expect.any(String)]);
            if (poolMode === 'session') continue; // The pool itself resets sessions.
            expect([args, await tracesIn(database, connect)]).toEqual([args, []]);
          }
        });
        expect(written).toEqual({ failures: [], hasWritten: true });
      });
    },
  );

  it('are refused in statement mode if they need a transaction, before any change', async () => {
    await withPool({ poolMode: 'statement' }, async ({ run, database, connect }) => {
      expect((await run(small('status'))).exitCode).toBe(1);
      expect((await run(small('check'))).exitCode).toBe(1);
      const apply = await run(small('apply'));
      expect(apply.stderr).toContain('expected a pooler in transaction or session mode');
      expect(apply.exitCode).toBe(2);
      expect(await schemasIn(database)).toEqual(['public']);
      expect(await tracesIn(database, connect)).toEqual([]);
    });
  });

  it('are refused with a pool of one connection, before any change', async () => {
    const settings = { default_pool_size: '1' };
    await withPool({ settings }, async ({ run, database, connect }) => {
      const apply = await run(small('apply'));
      expect(apply.stderr).toContain('expected two connections at a time, found one');
      expect(apply.exitCode).toBe(2);
      expect(await schemasIn(database)).toEqual(['public']);
      expect(await tracesIn(database, connect)).toEqual([]);
    });
  });

  it('work with a pool of two connections', async () => {
    const settings = { default_pool_size: '2' };
    await withPool({ settings }, async ({ run, database }) => {
      expect((await run(small('apply'))).exitCode).toBe(0);
      await change(database, stageActors('blue', [1, 3]));
      expect((await run(small('merge'))).exitCode).toBe(0);
    });
  });

  it('refuse a concurrent apply, and the lock session holds no snapshot and no other lock', async () => {
    await withPool({}, async ({ root, run, database }) => {
      await change(
        database,
        `ALTER DATABASE ${database} SET idle_in_transaction_session_timeout = '500ms'`,
      );
      const other = connectDirectly(database);
      const lock = other`hashtextextended('cdc apply sink_asma.directory blue', 0)`;
      await other`SELECT pg_advisory_lock(${lock})`; // The first apply waits for it with the schema.
      const first = finish(startCommand(root, small('apply'), target.env(server)));
      const held = await waitFor(async () => {
        const [row] = await other<{ pid: number; backend_xmin: string | null; locks: number }[]>`
          SELECT pid, backend_xmin, (SELECT count(*)::int FROM pg_locks AS lock
            WHERE lock.pid = activity.pid AND locktype NOT IN ('advisory', 'virtualxid')) AS locks
          FROM pg_stat_activity AS activity
          WHERE application_name = 'cdc apply' AND state = 'idle in transaction'
            AND EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'cdc apply 1')`;
        return row;
      });
      expect(held).toMatchObject({ backend_xmin: null, locks: 0 });
      const second = await run(small('apply', '--lock-timeout', '100ms'));
      expect(second.stderr).toContain(
        `another apply is running on sink_asma.directory: pid ${held.pid}`,
      );
      expect(second.exitCode).toBe(4);
      await sleep(1000);
      await other`SELECT pg_advisory_unlock(${lock})`;
      expect((await first).exitCode).toBe(0);
      expect((await run(small('apply'))).exitCode).toBe(0);
    });
  });

  it('leave no state in pooled sessions after merge --watch', async () => {
    await withPool({}, async ({ root, run, database, connect, pool }) => {
      expect((await run(small('apply'))).exitCode).toBe(0);
      const watch = small('merge', '--watch', '--interval', '50ms');
      const child = startCommand(root, watch, target.env(pool));
      const end = finish(child);
      const sql = connectDirectly(database);
      const written = await writingMeanwhile(connect(), async () => {
        for (let n = 1; n <= 5; n++) {
          await change(database, stageActors(n % 2 ? 'blue' : 'avansas', [n, n]));
          await waitFor(async () => {
            const [row] =
              await sql`SELECT FROM (TABLE blue."Actor" UNION ALL TABLE avansas."Actor") AS actor
              WHERE actno = ${n}`;
            return row;
          });
          expect(await tracesIn(database, connect)).toEqual([]);
        }
      }).finally(() => child.kill('SIGTERM'));
      expect(await end).toMatchObject({ exitCode: 0 });
      expect(written).toEqual({ failures: [], hasWritten: true });
      expect(await tracesIn(database, connect)).toEqual([]);
    });
  });

  it('read sources through the pool, and leave no state in pooled sessions', async () => {
    const { repo, env } = await createAsmaSource(server);
    await withPool({}, async ({ pool, connectTo }) => {
      repo.setEnv(env(pool));
      for (const args of [
        ['schema-docs', '--env', 'dev'],
        ['schema-docs', '--env', 'dev', '--if-changed'],
        ['generate', '--refresh'],
        ['diff', '--env', 'dev'],
      ]) {
        expect([args, await repo.cdc(...args)]).toEqual([
          args,
          expect.objectContaining({ exitCode: 0 }),
        ]);
        for (const database of ['chat_dev', 'directory_dev', 'proxy_dev']) {
          expect([args, await tracesIn(database, () => connectTo(database))]).toEqual([args, []]);
        }
      }
      const enable = await repo.cdc('enable-cdc', '--env', 'dev', '--all');
      // The server has stock settings, without logical decoding.
      expect(enable).toMatchObject({ exitCode: 3 });
      expect(enable.stderr + enable.stdout).toContain('wal_level');
      for (const database of ['chat_dev', 'directory_dev', 'proxy_dev'])
        expect(await tracesIn(database, () => connectTo(database))).toEqual([]);
    });
    repo.remove();
  });

  it('reset session state that hand-written files have set', async () => {
    await withPool({}, async ({ root, run, database, connect }) => {
      const path = join(root, 'migrations/manual');
      writeManual(
        path,
        '0001-settings',
        `SET search_path = nowhere; SET statement_timeout = '1h'; SET ROLE pg_monitor;
RESET ROLE; CREATE TEMP TABLE scratch (n integer); LISTEN news; SELECT pg_advisory_lock(7);`,
      );
      expect(await runCommand(root, ['generate'])).toMatchObject({ exitCode: 0 });
      expect(await run(small('apply'))).toMatchObject({ exitCode: 0 });
      expect(await tracesIn(database, connect)).toEqual([]);
      writeManual(path, '0002-fails', 'SELECT pg_advisory_lock(8); SELECT 1 / 0;');
      expect(await runCommand(root, ['generate'])).toMatchObject({ exitCode: 0 });
      expect(await run(small('apply'))).toMatchObject({ exitCode: 3 });
      expect(await tracesIn(database, connect)).toEqual([]);
    });
  });
});

interface Pooled {
  readonly database: string;
  readonly pool: Pgbouncer;
  readonly root: string;
  readonly run: (args: readonly string[]) => Promise<CommandRun>;
  /** Connects to the pool's database. */
  readonly connect: () => Sql;
  /** Connects to another database through the pool. */
  readonly connectTo: (database: string) => Sql;
}

async function withPool(
  options: PgbouncerOptions,
  work: (pooled: Pooled) => Promise<void>,
): Promise<void> {
  const database = await server.createDatabase({ template: 'empty' });
  const root = target.copyFor(database);
  const pool = await startPgbouncer(server, options);
  const clients: Sql[] = [];
  const connectTo = (name: string) => {
    const { host, port } = pool;
    const login = { user: 'postgres', password: server.password, database: name };
    const client = postgres({
      host,
      port,
      ...login,
      max: 1,
      prepare: false,
      fetch_types: false,
      onnotice: () => {},
    });
    clients.push(client);
    return client;
  };
  const run = (args: readonly string[]) => finish(startCommand(root, args, target.env(pool)));
  try {
    await work({ database, pool, root, run, connectTo, connect: () => connectTo(database) });
  } finally {
    await Promise.all(clients.map((client) => client.end({ timeout: 0 })));
    await pool.stop();
  }
}

/** State that outlives transactions in a session, except what the pool sets for each client. */
const TRACES = `SELECT 'setting ' || name || ' = ' || setting AS trace FROM pg_catalog.pg_settings
WHERE source = 'session' AND name NOT IN ('application_name', 'client_encoding', 'DateStyle', 'TimeZone')
  AND name NOT LIKE 'transaction\\_%'
UNION ALL SELECT 'lock ' || locktype || ' ' || coalesce(objid::text, '') FROM pg_catalog.pg_locks
WHERE pid = pg_catalog.pg_backend_pid() AND locktype = 'advisory'
UNION ALL SELECT 'statement ' || name FROM pg_catalog.pg_prepared_statements
UNION ALL SELECT 'temporary ' || relname FROM pg_catalog.pg_class WHERE relnamespace = pg_catalog.pg_my_temp_schema()
UNION ALL SELECT 'listens to ' || channel FROM pg_catalog.pg_listening_channels() AS channel
UNION ALL SELECT 'acts as ' || current_user WHERE current_user <> 'postgres'`;

/** Returns this state of all sessions of the pool. One client per connection queries it at the same time. */
async function tracesIn(database: string, connect: () => Sql): Promise<readonly string[]> {
  for (let tries = 0; tries < 20; tries++) {
    const wanted = await sessionsIn(database);
    const asked = await askEach(wanted.map(connect));
    const isWhole = wanted.every((pid) => asked.some((row) => row.pid === pid));
    if (isWhole) return asked.flatMap(({ trace }) => trace ?? []).sort();
  }
  throw new Error('the pool changed its connections all the time');
}

async function sessionsIn(database: string): Promise<readonly number[]> {
  const sql = server.connect({ max: 1, fetch_types: false });
  const rows = await sql<{ pid: number }[]>`
    SELECT pid FROM pg_stat_activity
    WHERE datname = ${database} AND backend_type = 'client backend' AND application_name <> ${DIRECT}`;
  await sql.end();
  return rows.map(({ pid }) => pid);
}

interface Trace {
  readonly pid: number;
  readonly trace: string | null;
}

/** Runs the query once per client, in transactions that last until all have their result. */
async function askEach(clients: readonly Sql[]): Promise<readonly Trace[]> {
  const query = `SELECT trace, pid FROM pg_backend_pid() AS pid LEFT JOIN (${TRACES}) AS traces ON true`;
  const begun = await Promise.all(
    clients.map(async (client) => {
      await client`BEGIN`;
      return client.unsafe<Trace[]>(query);
    }),
  );
  await Promise.all(clients.map((client) => client`COMMIT`));
  await Promise.all(clients.map((client) => client.end()));
  return begun.flat();
}

/** Writes rows one by one through the pool during the work. */
async function writingMeanwhile(sql: Sql, work: () => Promise<void>) {
  const failures: string[] = [];
  let count = 0;
  let isEnded = false;
  const writing = (async () => {
    for (; !isEnded; count++) {
      await sql`INSERT INTO public.written VALUES (1)`.catch(({ message }: Error) =>
        failures.push(message),
      );
      await sleep(10);
    }
  })();
  try {
    await work();
  } finally {
    isEnded = true;
    await writing;
  }
  return { failures, hasWritten: count > 10 };
}

async function waitFor<Result>(look: () => Promise<Result | undefined>): Promise<Result> {
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; await sleep(50)) {
    const result = await look();
    if (result !== undefined) return result;
  }
  throw new Error('it did not happen within 20 s');
}

async function schemasIn(database: string): Promise<readonly string[]> {
  const sql = server.connect({ database, max: 1 });
  const rows = await sql<{ nspname: string }[]>`
    SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'`;
  await sql.end();
  return rows.map(({ nspname }) => nspname);
}

const DIRECT = 'not through the pool';

function connectDirectly(database: string): Sql {
  const connection = { application_name: DIRECT };
  return server.connect({ database, max: 1, fetch_types: false, onnotice: () => {}, connection });
}

async function change(database: string, text: string): Promise<void> {
  const sql = connectDirectly(database);
  await sql.unsafe(text).simple();
  await sql.end();
}

function writeManual(folder: string, name: string, text: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.sql`), text);
}
