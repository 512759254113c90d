import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, openSync, closeSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerUser } from './server-user.ts';

/** Everything needed to start one server repeatedly. */
export interface ServerFolders {
  /** Folder with `bin/postgres`. */
  readonly native: string;
  /** Folder of the server with `data` and `server.log`. */
  readonly folder: string;
  readonly user: ServerUser;
  /** Locale of new databases. */
  readonly locale: string;
  readonly settings: Readonly<Record<string, string>>;
}

export interface ServerProcess {
  readonly child: ChildProcess;
  readonly port: number;
  /** Resolves when the server's main process has exited. */
  readonly exited: Promise<void>;
}

const READY_WITHIN_MS = 30_000;
const ATTEMPTS = 20;

/** Starts the server on a free port or on `port`, and waits until it accepts connections. */
export async function startServer(place: ServerFolders, port?: number): Promise<ServerProcess> {
  for (let attempt = 1; ; attempt++) {
    const before = readLog(place).length;
    const server = spawnServer(place, port ?? (await findFreePort()));
    if (await isReady(place, server)) return server;
    const log = readLog(place).slice(before);
    if (attempt === ATTEMPTS || !PASSING.some((reason) => log.includes(reason))) {
      throw new Error(`PostgreSQL does not start:\n${log}`);
    }
    await sleep(100);
  }
}

/** Transient errors: another process took the port first, or the last backends of a killed server are still ending. */
const PASSING = ['Address already in use', 'is still in use', 'Is another postmaster'];

/** Returns the server's log. */
export function readLog(place: ServerFolders): string {
  const file = join(place.folder, 'server.log');
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

function spawnServer(place: ServerFolders, port: number): ServerProcess {
  const log = openSync(join(place.folder, 'server.log'), 'a');
  const settings = { ...place.settings, port: String(port) };
  const child = spawn(
    join(place.native, 'bin', 'postgres'),
    [
      ...['-D', join(place.folder, 'data')],
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    { ...place.user, cwd: place.folder, detached: true, stdio: ['ignore', log, log] },
  );
  closeSync(log);
  child.unref();
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  return { child, port, exited };
}

/** States of a server that accepts connections. `standby` accepts reads only. */
const READY: ReadonlySet<string> = new Set(['ready', 'standby']);

/**
 * Waits for the line `ready` of postmaster.pid, as pg_ctl does. Returns false if the process exits first.
 *
 * The file of a killed server still exists, so the line only counts with the new process's id.
 */
async function isReady(place: ServerFolders, server: ServerProcess): Promise<boolean> {
  const file = join(place.folder, 'data', 'postmaster.pid');
  const deadline = Date.now() + READY_WITHIN_MS;
  while (Date.now() < deadline) {
    if (server.child.exitCode !== null || server.child.pid === undefined) return false;
    const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
    if (lines[0] === String(server.child.pid) && READY.has(lines[7]?.trim() ?? '')) return true;
    await sleep(10);
  }
  return false;
}

/** Finds a free port. It is not reserved. */
export async function findFreePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', resolve);
  });
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free TCP port');
  return address.port;
}
