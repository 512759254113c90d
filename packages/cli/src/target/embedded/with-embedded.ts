import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TargetAddress } from '@cdc-migrations/tracker';
import { openTargets, type CommandRepo, type TargetOptions } from '../open-targets.ts';
import type { WorkOptions } from '../with-targets.ts';
import { serverAt } from './ask-server.ts';
import { openCluster, type Cluster } from './cluster.ts';
import { createDatabases } from './create-databases.ts';
import { isAlive } from './is-alive.ts';
import { findRunning, startServer, stopServer } from './server.ts';
import { withFileLock } from './with-file-lock.ts';

/** Where the embedded PostgreSQL of a repo is kept, relative to the repo. */
const STATE_FOLDER = '.cdc/embedded';

/**
 * Does work while the embedded PostgreSQL of the repo runs: the first of several commands starts it, the last one stops
 * it, the data stay.
 */
export async function withEmbedded(
  options: TargetOptions,
  work: (repo: CommandRepo) => Promise<number>,
  { endsOnSignal = false }: WorkOptions = {},
): Promise<number> {
  let server: TargetAddress['server'] | undefined;
  const repo = openTargets(options, (set) => ({ server: server!, database: set.name }));
  const state = join(repo.root, STATE_FOLDER);
  mkdirSync(join(state, 'users'), { recursive: true });
  const lock = join(state, 'lock');
  const own = join(state, 'users', String(process.pid));
  let cluster: Cluster | undefined;
  const release = () =>
    withFileLock(lock, async () => {
      rmSync(own, { force: true });
      if (cluster && listUsers(state).length === 0) await stopServer(cluster);
    });
  const stopOnSignal = () => void release().finally(() => process.exit(INTERRUPTED));
  if (!endsOnSignal) process.once('SIGINT', stopOnSignal).once('SIGTERM', stopOnSignal);
  try {
    await withFileLock(lock, async () => {
      writeFileSync(own, '');
      cluster = openCluster(state, readPassword(state));
      server = serverAt(cluster, (await findRunning(cluster)) ?? (await startServer(cluster)));
      const databases = repo.targets.map(({ label, migrations: { set, role } }) => ({
        root: repo.root,
        label,
        name: set.name,
        role,
      }));
      await createDatabases(server, databases);
    });
    return await work(repo);
  } finally {
    process.off('SIGINT', stopOnSignal).off('SIGTERM', stopOnSignal);
    await release();
  }
}

const INTERRUPTED = 130;

/** The superuser's password, which is made at the first time and only we can read. */
function readPassword(state: string): string {
  const file = join(state, 'password');
  if (!existsSync(file))
    writeFileSync(file, randomBytes(18).toString('base64url'), { mode: 0o600 });
  return readFileSync(file, 'utf8');
}

/** Commands that use the server now; the files of those that are gone are removed. */
function listUsers(state: string): readonly number[] {
  const folder = join(state, 'users');
  const pids = readdirSync(folder).map(Number);
  for (const pid of pids) if (!isAlive(pid)) rmSync(join(folder, String(pid)), { force: true });
  return pids.filter(isAlive);
}
