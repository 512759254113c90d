import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { resolveRepoPath } from '@cdc-migrations/generated-file';
import type { TargetAddress } from '@cdc-migrations/tracker';
import {
  openTargets,
  type CommandRepo,
  type TargetOptions,
  type WorkOptions,
} from '../open-targets.ts';
import { serverAt } from './postmaster-file.ts';
import { openCluster, type Cluster } from './cluster.ts';
import { createDatabases } from './create-databases.ts';
import { isRunning, markOf } from './process-mark.ts';
import { isServerRunning, startServer, stopServer } from './server.ts';
import { withFileLock } from './with-file-lock.ts';

/** Folder of the embedded PostgreSQL of a repo, relative to the repo. */
const STATE_FOLDER = '.cdc/embedded';

/**
 * Runs work with the embedded PostgreSQL of the repo. The first of several commands starts it, the last one stops it,
 * and the data stay.
 */
export async function withEmbedded(
  options: TargetOptions,
  work: (repo: CommandRepo) => Promise<number>,
  { endsOnSignal = false }: WorkOptions = {},
): Promise<number> {
  let server: TargetAddress['server'] | undefined;
  const repo = openTargets(options, (set) => ({ server: server!, database: set.name }));
  const pathOf = (name: string) => resolveRepoPath(repo.root, `${STATE_FOLDER}/${name}`);
  const users = pathOf('users');
  mkdirSync(users, { recursive: true });
  const lock = pathOf('lock');
  const own = pathOf(`users/${process.pid}`);
  let cluster: Cluster | undefined;
  const release = () =>
    withFileLock(lock, async () => {
      rmSync(own, { force: true });
      if (cluster && !isUsed(users)) await stopServer(cluster);
    });
  const stopOnSignal = () => void release().finally(() => process.exit(INTERRUPTED));
  if (!endsOnSignal) process.once('SIGINT', stopOnSignal).once('SIGTERM', stopOnSignal);
  try {
    await withFileLock(lock, async () => {
      writeFileSync(own, markOf(process.pid), { mode: 0o600 });
      cluster = openCluster(pathOf);
      server = serverAt(cluster);
      if (!(await isServerRunning(cluster))) await startServer(cluster);
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

/** Returns true if commands use the server now. Removes the files of those that ended. */
function isUsed(folder: string): boolean {
  let isUsedNow = false;
  for (const name of readdirSync(folder)) {
    const file = join(folder, name);
    // A file without content is being written by the process in its name.
    if (isRunning(readFileSync(file, 'utf8') || name)) isUsedNow = true;
    else rmSync(file, { force: true });
  }
  return isUsedNow;
}
