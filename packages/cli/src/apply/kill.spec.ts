import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { chooseSeed } from '../../../../tools/event-model/src/choose-seed.ts';
import { createRandom } from '../../../../tools/event-model/src/random.ts';
import { type PostgresServer, startPostgres } from '@cdc-migrations/postgres-fixture';
import { copyAdopus, finish, runCommand, sinkEnv, startCommand } from '../target/cli.fixture.ts';

/** `CDC_KILLS=50` runs the long version. */
const KILLS = Number(process.env['CDC_KILLS'] ?? 4);
const SEED = chooseSeed();
const FILES = 78;
const ARGS = ['apply', '--env', 'prod', '--schema', 'b*', '--jobs', '4', '--lock-timeout', '60s'];
const TENANTS = 4;

let server: PostgresServer;
let repo: ReturnType<typeof copyAdopus>;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  server = await startPostgres({ major: 15 });
  repo = copyAdopus('directory');
  env = sinkEnv(server);
});

afterAll(async () => {
  await server?.stop();
  repo?.remove();
});

/**
 * Every second kill is at a random time of an apply, within its duration on this machine. The others happen after a
 * random number of applied files, up to half of them, so that enough kills are in the middle on any machine.
 */
it(`keeps the history correct when killed at ${KILLS} random moments, and the next apply completes`, async () => {
  const random = createRandom(SEED);
  await recreateDatabase();
  const start = performance.now();
  expect((await runCommand(repo.root, ARGS, env)).exitCode).toBe(0);
  const wholeMs = Math.floor(performance.now() - start);
  let inTheMiddle = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    await recreateDatabase();
    const [afterMs, files] = [
      random.integer(100, wholeMs),
      random.integer(1, TENANTS * (FILES / 2)),
    ];
    const child = startCommand(repo.root, ARGS, env);
    const end = finish(child);
    const moment = kill % 2 === 0 ? sleep(afterMs) : filesAreApplied(files, child);
    await Promise.race([moment, end]);
    child.kill('SIGKILL');
    await end;
    await sessionsAreGone();
    const { applied, isWhole } = await compareHistory();
    expect({ kill, isWhole }).toEqual({ kill, isWhole: [] });
    if (applied > 0 && applied < TENANTS * FILES) inTheMiddle++;
    const next = await runCommand(repo.root, ARGS, env);
    expect({ kill, ...next }).toMatchObject({ kill, exitCode: 0 });
    expect((await compareHistory()).applied).toBe(TENANTS * FILES);
    const check = await runCommand(
      repo.root,
      ['check', '--env', 'prod', '--schema', 'b*', '--exclude', 'public.*'],
      env,
    );
    expect(check.stdout).toBe('sink_asma.directory in prod: matches the definitions\n');
  }
  expect(inTheMiddle).toBeGreaterThan(KILLS / 4);
}, 3_600_000);

async function recreateDatabase(): Promise<void> {
  const sql = server.connect({ max: 1, onnotice: () => {} });
  await sql`DROP DATABASE IF EXISTS directory WITH (FORCE)`;
  await sql`CREATE DATABASE directory`;
  await sql.end();
}

/** Waits until the history has this number of files or the command ends. */
async function filesAreApplied(files: number, child: ChildProcess): Promise<void> {
  const sql = server.connect({ database: 'directory', max: 1, fetch_types: false });
  for (let applied = 0; applied < files && child.exitCode === null;) {
    const rows = await sql<{ n: number }[]>`
      SELECT count(*)::int AS n FROM cdc_management.migration_history WHERE schema_name <> ''`.catch(
      () => [], // the history does not exist yet
    );
    applied = rows[0]?.n ?? 0;
  }
  await sql.end();
}

/** Waits for the sessions to end. The target may work for a moment after the client is gone. */
async function sessionsAreGone(): Promise<void> {
  const sql = server.connect({ max: 1 });
  for (;;) {
    const [row] =
      await sql`SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name LIKE 'cdc apply%'`;
    if (row!['n'] === 0) break;
    await sleep(10);
  }
  await sql.end();
}

/** Returns tables and staging tables that exist without history, or have history and do not exist. */
async function compareHistory(): Promise<{
  readonly applied: number;
  readonly isWhole: unknown[];
}> {
  const sql = server.connect({ database: 'directory', max: 1 });
  try {
    const [found] =
      await sql`SELECT to_regclass('cdc_management.migration_history') IS NOT NULL AS history,
      (SELECT count(*)::int FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
       WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema') AS relations,
      (SELECT count(*)::int FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' AND nspname NOT IN ('information_schema', 'public')) AS schemas`;
    if (!found!['history']) {
      return { applied: 0, isWhole: found!['relations'] + found!['schemas'] > 0 ? [found] : [] };
    }
    const isWhole = await sql`
      WITH recorded AS (
        SELECT schema_name, CASE category WHEN 'staging' THEN 'stg_' ELSE '' END || table_name AS name
        FROM cdc_management.migration_history WHERE schema_name <> '' AND outcome = 'applied'
      ), there AS (
        SELECT nspname::text AS schema_name, relname::text AS name,
          relname NOT LIKE 'stg\\_%' OR (EXISTS (SELECT FROM pg_trigger WHERE tgrelid = c.oid)
            AND EXISTS (SELECT FROM pg_proc WHERE pronamespace = n.oid AND proname = 'sp_merge_' || lower(substr(relname, 5)))) AS whole
        FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
        WHERE relkind = 'r' AND nspname LIKE 'b%'
      )
      SELECT * FROM recorded FULL JOIN there USING (schema_name, name)
      WHERE recorded.name IS NULL OR there.name IS NULL OR NOT there.whole`;
    const [row] =
      await sql`SELECT count(*)::int AS n FROM cdc_management.migration_history WHERE schema_name <> '' AND outcome = 'applied'`;
    return { applied: row!['n'], isWhole: [...isWhole] };
  } finally {
    await sql.end();
  }
}
