import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandError } from '../../exit-code.ts';
import { askServer, HOST, type Answer } from './ask-server.ts';
import type { Cluster } from './cluster.ts';
import { findBinaries } from './find-binaries.ts';
import { isAlive } from './is-alive.ts';
import { readPostmasterFile, removePostmasterFile } from './postmaster-file.ts';

const START_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 60_000;
const POLL_MS = 10;

/** For development: fast, and a crash of the machine may cost the data, which `apply` makes anew. */
const SETTINGS = {
  listen_addresses: HOST,
  unix_socket_directories: '',
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
 * Port of the server of a cluster where it runs. The process id of one that was killed can be that of any other process
 * by now, so a server is only taken for ours when it answers as such.
 *
 * @throws CommandError where a server runs that does not take our password.
 */
export async function findRunning(cluster: Cluster): Promise<number | undefined> {
  const deadline = performance.now() + START_WITHIN_MS;
  for (;;) {
    const file = readPostmasterFile(cluster);
    if (!file || !isAlive(file.pid)) return undefined;
    const isOver = performance.now() > deadline;
    const answer: Answer = file.isReady || isOver ? await askServer(cluster, file.port) : 'busy';
    if (answer === 'ours') return file.port;
    if (answer === 'unknown') throw otherPassword(cluster);
    if (answer === 'not ours') {
      removePostmasterFile(cluster);
      return undefined;
    }
    if (isOver)
      throw new CommandError(`--env embedded: PostgreSQL is not ready; ${seeLog(cluster)}`);
    await sleep(POLL_MS);
  }
}

/**
 * Starts the server and gives its port.
 *
 * @throws CommandError where it does not start, or does not take our password.
 */
export async function startServer(cluster: Cluster): Promise<number> {
  const { folder, user } = cluster;
  const port = await findFreePort();
  const log = openSync(join(folder, 'server.log'), 'a');
  const settings = { ...SETTINGS, port: String(port) };
  const server = spawn(
    join(findBinaries(user, folder), 'bin/postgres'),
    [
      ...['-D', join(folder, 'data')],
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    { ...user, cwd: folder, detached: true, stdio: ['ignore', log, log] },
  );
  closeSync(log);
  server.unref();
  server.once('error', () => {}); // It has no process id then, which the loop sees.
  const deadline = performance.now() + START_WITHIN_MS;
  while (server.pid !== undefined && server.exitCode === null && performance.now() < deadline) {
    const file = readPostmasterFile(cluster);
    if (file?.pid === server.pid && file?.isReady) {
      if ((await askServer(cluster, port)) !== 'unknown') return port;
      server.kill('SIGINT');
      throw otherPassword(cluster);
    }
    await sleep(POLL_MS);
  }
  throw new CommandError(`--env embedded: PostgreSQL does not start; ${seeLog(cluster)}`);
}

function seeLog({ folder }: Cluster): string {
  return `${join(folder, 'server.log')} says why`;
}

function otherPassword({ folder }: Cluster): CommandError {
  return new CommandError(
    `--env embedded: the password in .cdc/embedded is not that of the PostgreSQL in ${folder}; end it where it runs, and remove .cdc/embedded and that folder`,
  );
}

/** Ends the server, whose sessions are ended with it; no other process is ever sent a signal. */
export async function stopServer(cluster: Cluster): Promise<void> {
  const deadline = performance.now() + STOP_WITHIN_MS;
  for (;;) {
    const file = readPostmasterFile(cluster);
    if (!file || !isAlive(file.pid)) return;
    const answer = await askServer(cluster, file.port);
    if (answer === 'ours') return endProcess(file.pid, deadline);
    if (answer !== 'busy' || performance.now() > deadline) return;
    await sleep(POLL_MS);
  }
}

async function endProcess(pid: number, deadline: number): Promise<void> {
  process.kill(pid, 'SIGINT');
  while (isAlive(pid) && performance.now() < deadline) await sleep(POLL_MS);
}

async function findFreePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', reject);
    probe.listen(0, HOST, resolve);
  });
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
