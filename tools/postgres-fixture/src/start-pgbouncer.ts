import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEBIAN_PGBOUNCER } from './debian.ts';
import { createFolder, removeFolder, startWatchdog } from './server-folder.ts';
import { findFreePort } from './server-process.ts';
import { findServerUser } from './server-user.ts';
import type { PostgresServer } from './start-postgres.ts';

/** Unit that a client keeps a server connection for: its session, a statement, or a transaction. */
export type PoolMode = 'session' | 'statement' | 'transaction';

export interface PgbouncerOptions {
  /** The default is `transaction`. */
  readonly poolMode?: PoolMode;
  /** Passwords of the users, for PgBouncer and the server. The default is `postgres` only. */
  readonly users?: Readonly<Record<string, string>>;
  /** Settings of the section `[pgbouncer]`, for example `{ default_pool_size: '1' }`. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** Debian's PgBouncer in front of a server. Every database of the server is available under its own name. */
export interface Pgbouncer {
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  /** The log of PgBouncer. */
  log(): string;
  /** Ends it and its pooled connections, and removes its files. */
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';
const PID_FILE = 'pgbouncer.pid';
const READY_WITHIN_MS = 15_000;
const ATTEMPTS = 20;

/** Starts PgBouncer on a free port with the package's settings, except for `options`. */
export async function startPgbouncer(
  server: Pick<PostgresServer, 'host' | 'password' | 'port'>,
  options: PgbouncerOptions = {},
): Promise<Pgbouncer> {
  const user = findServerUser();
  const folder = createFolder(user);
  const watchdog = startWatchdog(folder, PID_FILE);
  const logFile = join(folder, 'log');
  const log = () => readFileSync(logFile, 'utf8');
  const users = options.users ?? { postgres: server.password };
  writeFileSync(join(folder, 'userlist.txt'), renderUsers(users));
  for (let attempt = 1; ; attempt++) {
    const port = await findFreePort();
    writeFileSync(join(folder, 'pgbouncer.ini'), renderIni(server, folder, { ...options, port }));
    const output = openSync(logFile, 'w');
    const child = spawn(DEBIAN_PGBOUNCER, [join(folder, 'pgbouncer.ini')], {
      ...{ ...user, cwd: folder, detached: true, stdio: ['ignore', output, output] },
    });
    closeSync(output);
    child.unref();
    const exited = new Promise<void>((resolve) => {
      child.once('exit', () => resolve()).once('error', () => resolve());
    });
    if (await isReady(child, log)) {
      const stop = async () => {
        child.ref();
        child.kill('SIGTERM');
        await exited;
        watchdog.kill('SIGKILL');
        removeFolder(folder);
      };
      return { host: HOST, port, pid: child.pid ?? 0, log, stop };
    }
    child.kill('SIGKILL');
    if (attempt === ATTEMPTS || !log().includes('Address already in use')) {
      const text = log();
      watchdog.stdin?.end();
      throw new Error(`PgBouncer does not start:\n${text}`);
    }
  }
}

/** Renders plain passwords: PgBouncer can only log in with SCRAM if it knows the password itself. */
function renderUsers(users: Readonly<Record<string, string>>): string {
  const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;
  return Object.entries(users)
    .map(([name, password]) => `${quote(name)} ${quote(password)}\n`)
    .join('');
}

function renderIni(
  server: Pick<PostgresServer, 'host' | 'port'>,
  folder: string,
  { port, poolMode = 'transaction', settings = {} }: PgbouncerOptions & { readonly port: number },
): string {
  const values = {
    listen_addr: HOST,
    listen_port: String(port),
    unix_socket_dir: '',
    pidfile: join(folder, PID_FILE),
    auth_type: 'scram-sha-256',
    auth_file: join(folder, 'userlist.txt'),
    pool_mode: poolMode,
    ...settings,
  };
  const lines = Object.entries(values).map(([name, value]) => `${name} = ${value}`);
  return `[databases]
* = host=${server.host} port=${server.port}
[pgbouncer]
${lines.join('\n')}
`;
}

async function isReady(child: ChildProcess, log: () => string): Promise<boolean> {
  const deadline = Date.now() + READY_WITHIN_MS;
  while (Date.now() < deadline && child.exitCode === null && child.pid !== undefined) {
    if (log().includes('process up: PgBouncer')) return true;
    await sleep(10);
  }
  return false;
}
