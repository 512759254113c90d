import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type PostgresServer, startPostgres } from '@cdc-migrations/postgres-fixture';
import { copyAdopus, finish, runCommand, sinkEnv, startCommand } from '../target/cli.fixture.ts';

type Sql = ReturnType<PostgresServer['connect']>;

const SCHEMA = 'blue';
const SCOPE = ['--env', 'prod', '--schema', SCHEMA];
/** Number of waits for the reader before the reader ends. */
const ATTEMPTS = 3;
const ROWS = 20;
/** `apply` waits 1 s for a lock. The server logs waits of 4 s, which only blocked sessions reach. */
const SETTINGS = { log_lock_waits: 'on', deadlock_timeout: '4s' };

let server: PostgresServer;
let repo: ReturnType<typeof copyAdopus>;
let sql: Sql;

beforeAll(async () => {
  server = await startPostgres({ major: 15, settings: SETTINGS });
  const database = await server.createDatabase();
  repo = copyAdopus(database);
  sql = server.connect({ database, max: 8, onnotice: () => {} });
  expect((await run('apply')).exitCode).toBe(0);
  await sql.unsafe(`INSERT INTO ${SCHEMA}."Distrikt" ("DistriktID", "Navn", "_customer_id")
    SELECT n, 'x', gen_random_uuid() FROM generate_series(1, ${ROWS}) AS n`);
  await addColumn();
});

afterAll(async () => {
  await sql?.end();
  await server?.stop();
  repo?.remove();
});

it('apply waits for a long reader in short lock attempts, lets other sessions continue, and succeeds', async () => {
  const reader = await sql.reserve();
  const [backend] = await reader`SELECT pg_backend_pid() AS pid`;
  await reader
    .unsafe(`SET application_name = 'report'; BEGIN; SELECT * FROM ${SCHEMA}."Distrikt"`)
    .simple();
  const watch = { isOver: false, queued: new Set<string>() };
  const writers = WRITERS.map(({ name, statement }) => write(name, statement, watch));
  const watcher = watchQueue(watch);
  const applied = finish(startCommand(repo.root, ['apply', ...SCOPE], sinkEnv(server)));
  void applied.then(() => (watch.isOver = true));
  try {
    for (let attempt = 0; attempt < ATTEMPTS && !watch.isOver; attempt++) {
      await untilLockWait(attempt, watch);
      await Promise.all(writers.map(({ progresses }) => progresses()));
    }
  } finally {
    await reader.unsafe('COMMIT').simple();
    reader.release();
  }
  const { exitCode, stderr } = await applied;
  await Promise.all([watcher, ...writers.map(({ ended }) => ended)]);

  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  expect(stderr).toContain(
    `${SCHEMA} tables/Distrikt.sql waits: canceling statement due to lock timeout`,
  );
  expect(stderr).toMatch(
    new RegExp(
      `waits: .*; held by pid ${backend!['pid']}, application "report", user postgres, idle in transaction, for \\d+ s, last query at \\d{4}-\\S+Z`,
    ),
  );
  expect([...watch.queued]).toEqual(expect.arrayContaining(WRITERS.map(({ name }) => name)));
  expect(server.log()).not.toContain('still waiting for');
});

it('status reports that the new column needs a backfill, until all rows have been sent again', async () => {
  const concerns = async () => {
    const { stdout } = await run('status', '--json');
    return JSON.parse(stdout).targets[0].backfill as unknown;
  };
  await sql.unsafe(`DELETE FROM ${SCHEMA}."Distrikt" WHERE "DistriktID" > ${ROWS}`);
  const unfilled = { schema: SCHEMA, table: 'Distrikt', column: 'Ny' };
  expect(await concerns()).toMatchObject([unfilled]);
  const { stdout } = await run('status');
  expect(stdout).toMatch(
    /blue\.Distrikt\.Ny: backfill needed, added \d{4}-\S+Z, \d+ rows without a value/,
  );
  await sql.unsafe(`INSERT INTO ${SCHEMA}."stg_Distrikt" ("DistriktID", "Navn", "Ny", "_customer_id",
      "__sync_timestamp", "__cdc_operation", "__kafka_partition", "__kafka_offset")
    SELECT n, 'x', n, gen_random_uuid(), now(), 'r', 0, 10000000 + n FROM generate_series(1, ${ROWS}) AS n`);
  await sql.unsafe(`CALL ${SCHEMA}.sp_merge_distrikt()`).simple();
  expect(await concerns()).toEqual([]);
});

interface Watch {
  isOver: boolean;
  /** Sessions that waited for `apply`. */
  readonly queued: Set<string>;
}

/**
 * Concurrent work: merges, changes and short reads of the table. The writer changes the first row all the time, so the
 * merger gets no events of this row. A merge gives up after 100 conflicts.
 */
const WRITERS = [
  {
    name: 'merger',
    statement: (n: number) =>
      n % 2 === 0
        ? `INSERT INTO ${SCHEMA}."stg_Distrikt" ("DistriktID", "Navn", "_customer_id", "__cdc_operation",
            "__kafka_partition", "__kafka_offset")
          VALUES (${(n % (ROWS - 1)) + 2}, 'y', gen_random_uuid(), 'u', 0, ${n})`
        : `CALL ${SCHEMA}.sp_merge_distrikt()`,
  },
  {
    name: 'writer',
    statement: (n: number) =>
      `UPDATE ${SCHEMA}."Distrikt" SET "Enhet" = '${n}' WHERE "DistriktID" = 1`,
  },
  { name: 'short reader', statement: () => `SELECT count(*) FROM ${SCHEMA}."Distrikt"` },
];

/** Runs a statement in a loop in its own session until the test ends. */
function write(name: string, statement: (n: number) => string, watch: Watch) {
  let count = 0;
  const loop = async () => {
    const session = await sql.reserve();
    await session.unsafe(`SET application_name = '${name}'`);
    while (!watch.isOver) {
      await session.unsafe(statement(count)).simple();
      count++;
    }
    session.release();
  };
  const ended = loop();
  return {
    count: () => count,
    ended,
    /** Waits for a statement that begins and ends after this call. The timeout of the test catches blocked ones. */
    progresses: async () => {
      const start = count;
      while (count < start + 2 && !watch.isOver) await Promise.race([sleep(10), ended]);
    },
  };
}

async function watchQueue(watch: Watch): Promise<void> {
  while (!watch.isOver) {
    const rows = await sql<{ name: string }[]>`
      SELECT waiting.application_name AS name
      FROM pg_stat_activity AS waiting
      CROSS JOIN unnest(pg_blocking_pids(waiting.pid)) AS blocker (pid)
      JOIN pg_stat_activity AS blocking ON blocking.pid = blocker.pid
      WHERE waiting.datname = current_database() AND blocking.application_name LIKE 'cdc apply%'`;
    for (const { name } of rows) watch.queued.add(name);
    await sleep(20);
  }
}

/** Waits for the next lock wait of `apply` on the table. */
const seenWaits = new Set<string>();
async function untilLockWait(before: number, watch: Watch): Promise<void> {
  while (seenWaits.size <= before && !watch.isOver) {
    const rows = await sql<{ start: string }[]>`
      SELECT waitstart::text AS start FROM pg_locks
      WHERE relation = ${`${SCHEMA}."Distrikt"`}::text::regclass AND NOT granted AND mode = 'AccessExclusiveLock'
        AND waitstart IS NOT NULL`;
    for (const { start } of rows) seenWaits.add(start);
    await sleep(20);
  }
}

function run(command: string, ...args: readonly string[]) {
  return runCommand(repo.root, [command, ...SCOPE, ...args], sinkEnv(server));
}

async function addColumn(): Promise<void> {
  const file = join(repo.root, 'generated/schemas/AdOpusTest.dbo.yaml');
  const text = readFileSync(file, 'utf8');
  const column = '      - {"name": "Ny", "type": "int", "nullable": true}\n';
  writeFileSync(file, text.replace(/(\n {2}Distrikt:\n {4}columns:\n.*\n)/, `$1${column}`));
  expect(await runCommand(repo.root, ['generate'])).toMatchObject({ exitCode: 0 });
}
