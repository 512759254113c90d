import { spawn, spawnSync } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openSession, TargetError } from '@cdc-migrations/tracker';
import { CommandError } from '../../exit-code.ts';
import { reasonOf } from '../../repo/repo-files.ts';
import type { Cluster } from './cluster.ts';
import { findBinaries } from './find-binaries.ts';
import { PORT, readPostmasterFile, removePostmasterFile, serverAt } from './postmaster-file.ts';
import { isAlive } from './process-mark.ts';

const START_WITHIN_MS = 60_000;
const STOP_WITHIN_S = 60;
const POLL_MS = 10;
/** Maximum pause between two queries of a busy server. */
const MAX_PAUSE_MS = 1000;

/**
 * Settings for development: fast, and a crash of the machine may lose data, which `apply` creates again. The server
 * listens only in its data directory, to which the name of the folder is relative.
 */
const SETTINGS = {
  listen_addresses: '',
  unix_socket_directories: '.',
  unix_socket_permissions: '0700',
  port: String(PORT),
  fsync: 'off',
  full_page_writes: 'off',
  synchronous_commit: 'off',
  max_wal_size: '1GB',
  wal_level: 'minimal',
  max_wal_senders: '0',
  jit: 'off',
  lc_messages: 'C',
};

/**
 * Returns true if the server of a cluster runs. The process id of a killed server can belong to another process, so the
 * server must also answer as ours.
 *
 * @throws CommandError if a running server refuses us
 */
export async function isServerRunning(cluster: Cluster): Promise<boolean> {
  const deadline = performance.now() + START_WITHIN_MS;
  for (let pauseMs = POLL_MS; ;) {
    const file = readPostmasterFile(cluster);
    if (!file || !isAlive(file.pid)) return false;
    const isOver = performance.now() > deadline;
    if (file.isReady || isOver) {
      const answer = await askServer(cluster);
      if (answer === 'ours') return true;
      if (answer === 'unknown') throw refusal(cluster);
      if (answer === 'not ours') {
        removePostmasterFile(cluster);
        return false;
      }
      pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS);
    }
    if (isOver) throw notStarted(cluster);
    await sleep(pauseMs);
  }
}

/**
 * Starts the server.
 *
 * @throws CommandError if it does not start or refuses us
 */
export async function startServer(cluster: Cluster): Promise<void> {
  const { folder, user } = cluster;
  const log = openLog(folder);
  const server = spawn(
    join(findBinaries(user, folder), 'bin/postgres'),
    [
      ...['-D', join(folder, 'data')],
      ...Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    { ...user, cwd: folder, detached: true, stdio: ['ignore', log, log] },
  );
  closeSync(log);
  server.unref();
  server.once('error', () => {}); // The loop sees that it has no process id.
  const deadline = performance.now() + START_WITHIN_MS;
  while (server.pid !== undefined && server.exitCode === null && performance.now() < deadline) {
    const file = readPostmasterFile(cluster);
    if (file?.pid === server.pid && file?.isReady) {
      if ((await askServer(cluster)) !== 'unknown') return;
      server.kill('SIGINT');
      throw refusal(cluster);
    }
    await sleep(POLL_MS);
  }
  throw notStarted(cluster);
}

/** Opens the log for appending. Does not follow a link, because the folder belongs to the server's user. */
function openLog(folder: string): number {
  const { O_APPEND, O_CREAT, O_NOFOLLOW, O_WRONLY } = constants;
  const file = join(folder, 'server.log');
  try {
    return openSync(file, O_APPEND | O_CREAT | O_NOFOLLOW | O_WRONLY, 0o600);
  } catch (cause) {
    const message = `--env embedded: ${file}: cannot be written: ${reasonOf(cause)}`;
    throw new CommandError(message, undefined, { cause });
  }
}

function notStarted({ folder }: Cluster): CommandError {
  const log = join(folder, 'server.log');
  return new CommandError(`--env embedded: PostgreSQL does not start; ${log} contains the reason`);
}

function refusal({ folder }: Cluster): CommandError {
  return new CommandError(
    `--env embedded: the PostgreSQL in ${folder} refuses the connection; stop it, and remove .cdc/embedded and that folder`,
  );
}

/** Stops the server and its sessions. Never sends a signal to another process. */
export async function stopServer(cluster: Cluster): Promise<void> {
  const deadline = performance.now() + STOP_WITHIN_S * 1000;
  let answer: Answer = 'busy';
  for (let pauseMs = POLL_MS; answer === 'busy'; pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)) {
    const file = readPostmasterFile(cluster);
    if (!file || !isAlive(file.pid) || performance.now() > deadline) return;
    answer = await askServer(cluster);
    if (answer === 'busy') await sleep(pauseMs);
  }
  if (answer !== 'ours') return;
  const { folder, user } = cluster;
  const stop = ['stop', '-D', join(folder, 'data'), '-m', 'fast', '-t', String(STOP_WITHIN_S)];
  spawnSync(join(findBinaries(user, folder), 'bin/pg_ctl'), stop, {
    ...user,
    cwd: folder,
    stdio: 'ignore',
  });
}

/** Owner of the server that answers. `unknown` refuses us, `busy` cannot be queried now. */
type Answer = 'ours' | 'not ours' | 'unknown' | 'busy';

/** Answers by error code. Other errors say nothing about the owner, for example a timeout. */
const ANSWERS: Readonly<Record<string, Answer>> = {
  ECONNREFUSED: 'not ours',
  ENOENT: 'not ours',
  ENOTSOCK: 'not ours',
  '28P01': 'unknown',
  '28000': 'unknown',
};

/** Checks which server answers: the server of the cluster has the same file that we see in its data directory. */
async function askServer(cluster: Cluster): Promise<Answer> {
  const address = { server: serverAt(cluster), database: 'postgres' };
  const session = openSession(address, 'cdc embedded');
  try {
    const [row] = await session.query<{ text: string }>(
      `SELECT pg_catalog.pg_read_file('postmaster.pid') AS text`,
    );
    return row!.text === readPostmasterFile(cluster)?.text ? 'ours' : 'not ours';
  } catch (error) {
    if (!(error instanceof TargetError)) throw error;
    return ANSWERS[error.code] ?? 'busy';
  } finally {
    await session.close();
  }
}
