import { setTimeout as sleep } from 'node:timers/promises';
import type { PostgresServer } from '@cdc-migrations/postgres-fixture';
import type { Sql } from 'postgres';
import type { SoakTarget } from './soak-target.ts';

/**
 * Kind of crash. `backend`: kill -9 of a merging session. `postmaster`: kill -9 of the server. `promotion`: of a server
 * with a standby.
 */
export type CrashKind = 'backend' | 'postmaster' | 'promotion';

export const CRASH_KINDS: readonly CrashKind[] = ['backend', 'postmaster', 'promotion'];

/** Settings for a server with a standby. */
export const CRASH_SETTINGS = { wal_level: 'replica', max_wal_senders: '3' };

/** Maximum wait for a merge to kill. */
const MERGING_WITHIN_MS = 2000;

/** A prepared crash. */
export interface Crash {
  /** Crashes the server and returns the server to continue with. */
  happen(): Promise<PostgresServer>;
  /** Restarts the first server for other databases. */
  cleanUp(): Promise<void>;
}

export async function prepareCrash({ server }: SoakTarget, kind: CrashKind): Promise<Crash> {
  if (kind === 'promotion') return await preparePromotion(server);
  const crash = kind === 'backend' ? killMerger : killPostmaster;
  return { happen: () => crash(server).then(() => server), cleanUp: () => Promise.resolve() };
}

async function preparePromotion(server: PostgresServer): Promise<Crash> {
  const standby = await server.startStandby();
  await configure(server, `ALTER SYSTEM SET synchronous_standby_names = 'standby'`);
  return {
    async happen() {
      await server.kill('SIGKILL');
      await standby.promote();
      return standby;
    },
    async cleanUp() {
      await standby.stop();
      await server.restart();
      await configure(server, 'ALTER SYSTEM RESET synchronous_standby_names');
    },
  };
}

async function configure(server: PostgresServer, statement: string): Promise<void> {
  const admin = server.connect({ max: 1, fetch_types: false });
  await admin.unsafe(statement);
  await admin`SELECT pg_reload_conf()`;
  await admin.end();
}

async function killPostmaster(server: PostgresServer): Promise<void> {
  await server.kill('SIGKILL');
  await server.restart();
}

/** Kills a merging session. PostgreSQL then ends all sessions and recovers. */
async function killMerger(server: PostgresServer): Promise<void> {
  const admin = server.connect({ max: 1, fetch_types: false, onnotice: () => {} });
  const readPid = async () => {
    const [row] = await admin<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`.catch(() => []);
    return row?.pid;
  };
  const before = await readPid();
  process.kill(await findMerger(admin), 'SIGKILL');
  for (let now = before; now === before || now === undefined; now = await readPid())
    await sleep(20);
  await admin.end({ timeout: 0 });
}

/** Finds the process of a session that is merging or about to merge. */
async function findMerger(admin: Sql): Promise<number> {
  for (const deadline = Date.now() + MERGING_WITHIN_MS; ;) {
    const [row] = await admin<{ pid: number; state: string }[]>`
      SELECT pid, state FROM pg_stat_activity WHERE application_name = 'merger'
      ORDER BY state <> 'active', random() LIMIT 1`;
    if (row?.state === 'active' || (row && Date.now() > deadline)) return row.pid;
    await sleep(1);
  }
}
