import { type ChildProcess, spawn } from 'node:child_process';
import { chownSync, mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { canWrite, type ServerUser } from './server-user.ts';

/**
 * Creates the folder of a server. Its path is short, because the name of a socket or a tablespace below it must fit
 * into 100 bytes.
 */
export function createFolder(user: ServerUser): string {
  const parent = [tmpdir(), '/tmp'].find((folder) => canWrite(user, folder));
  if (parent === undefined) throw new Error(`the server cannot write to ${tmpdir()}`);
  const folder = join(parent, `pg-${randomBytes(5).toString('hex')}`);
  mkdirSync(folder, { mode: 0o700 });
  if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid);
  return folder;
}

/** Removes a folder. Retries if an ending process writes its last file meanwhile. */
export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
}

/**
 * Starts a shell that outlives this process by a moment. It reads a pipe that nobody writes to and that ends with this
 * process, even if it is killed. Then the shell stops the process in `pidFile` immediately and removes the folder.
 */
export function startWatchdog(folder: string, pidFile: string): ChildProcess {
  const watchdog = spawn('sh', ['-c', SCRIPT, 'watchdog', folder, join(folder, pidFile)], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watchdog.unref();
  const pipe = watchdog.stdin;
  if (pipe && 'unref' in pipe && typeof pipe.unref === 'function') pipe.unref();
  return watchdog;
}

/** SIGQUIT is PostgreSQL's immediate shutdown: the server ends its backends and exits. PgBouncer simply exits. */
const SCRIPT = `
read -r nothing
pid=$(head -n 1 "$2" 2>/dev/null)
if [ -n "$pid" ]; then
  kill -QUIT "$pid"
  for attempt in 1 2 3 4 5 6 7 8 9 10; do
    kill -0 "$pid" || break
    sleep 0.2
  done
  kill -KILL "$pid"
fi
rm -rf "$1"
`;
