import { spawn, spawnSync } from 'node:child_process';
import {
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandError } from '../../exit-code.ts';
import { findBinaries } from './find-binaries.ts';
import { isAlive } from './is-alive.ts';
import { canWrite, findServerUser, type ServerUser } from './server-user.ts';

/** A data directory and whom its server runs as. */
export interface Cluster {
  /** Holds `data` and `server.log`, and belongs to the user. */
  readonly folder: string;
  readonly user: ServerUser;
}

const HOST = '127.0.0.1';
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
 * The cluster that `state` (a folder of ours) stands for, made at the first time: below it, or in the folder for lasting
 * temporary files where the server's user cannot come into `state`, with its place noted in `state`.
 */
export function openCluster(state: string, password: string): Cluster {
  const user = findServerUser();
  const folder = placeOf(state, user);
  const cluster = { folder, user };
  if (!existsSync(join(folder, 'data/PG_VERSION'))) initialize(cluster, password);
  return cluster;
}

function placeOf(state: string, user: ServerUser): string {
  const note = join(state, 'place');
  const noted = existsSync(note) ? readFileSync(note, 'utf8').trim() : undefined;
  if (noted !== undefined && existsSync(noted)) return noted;
  const beside = join(state, 'cluster');
  mkdirSync(beside, { recursive: true, mode: 0o700 });
  give(beside, user);
  if (canWrite(user, beside)) return beside;
  const elsewhere = mkdtempSync(
    join(existsSync('/var/tmp') ? '/var/tmp' : '/tmp', 'cdc-embedded-'),
  );
  give(elsewhere, user);
  writeFileSync(note, `${elsewhere}\n`);
  return elsewhere;
}

function give(path: string, { uid, gid }: ServerUser): void {
  if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid);
}

function initialize({ folder, user }: Cluster, password: string): void {
  rmSync(join(folder, 'data'), { recursive: true, force: true });
  const passwordFile = join(folder, 'initial-password');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  give(passwordFile, user);
  const run = spawnSync(
    join(findBinaries(user, folder), 'bin/initdb'),
    [
      ...['-D', join(folder, 'data'), '-U', 'postgres', '--pwfile', passwordFile],
      ...['--no-sync', '--no-instructions', '--auth', 'scram-sha-256'],
      ...['--encoding', 'UTF8', '--locale', 'C'],
    ],
    { ...user, cwd: folder, encoding: 'utf8' },
  );
  rmSync(passwordFile);
  if (run.status !== 0) {
    rmSync(join(folder, 'data'), { recursive: true, force: true });
    throw new CommandError(`--env embedded: initdb failed: ${run.error?.message ?? run.stderr}`);
  }
}

/** Port of the server of a cluster where it runs. */
export async function findRunning({ folder }: Cluster): Promise<number | undefined> {
  const deadline = performance.now() + START_WITHIN_MS;
  for (;;) {
    const lines = readPidFile(folder);
    if (!isAlive(Number(lines[0]))) return undefined;
    if (lines[7]?.trim() === 'ready') return Number(lines[3]);
    if (performance.now() > deadline) return undefined;
    await sleep(POLL_MS);
  }
}

/** Starts the server and gives its port. */
export async function startServer({ folder, user }: Cluster): Promise<number> {
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
    const lines = readPidFile(folder);
    if (lines[0] === String(server.pid) && lines[7]?.trim() === 'ready') return port;
    await sleep(POLL_MS);
  }
  throw new CommandError(
    `--env embedded: PostgreSQL does not start; ${join(folder, 'server.log')} says why`,
  );
}

/** Ends the server, whose sessions are ended with it. */
export async function stopServer({ folder }: Cluster): Promise<void> {
  const pid = Number(readPidFile(folder)[0]);
  if (!isAlive(pid)) return;
  process.kill(pid, 'SIGINT');
  const deadline = performance.now() + STOP_WITHIN_MS;
  while (isAlive(pid) && performance.now() < deadline) await sleep(POLL_MS);
}

/** Lines of postmaster.pid: process, folder, start, port, … and how far it is. */
function readPidFile(folder: string): readonly string[] {
  try {
    return readFileSync(join(folder, 'data/postmaster.pid'), 'utf8').split('\n');
  } catch {
    return []; // No server has begun to start.
  }
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
