import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres, { type Options, type Sql } from 'postgres';
import { copyCluster } from './copy-cluster.ts';
import { DEBIAN_MAJOR, DEBIAN_POSTGRES } from './debian.ts';
import { type Major, openBinaries } from './postgres-binaries.ts';
import { createFolder, removeFolder, startWatchdog } from './server-folder.ts';
import { createCluster } from './create-cluster.ts';
import { readLog, type ServerFolders, startServer } from './server-process.ts';
import { findServerUser, type ServerUser } from './server-user.ts';
import { copyBackup, markPoint, runTool, takeBackup } from './take-backup.ts';

export interface PostgresOptions {
  readonly major: Major;
  /** Settings of the server. They override ours, for example `{ fsync: 'on' }` for a test of crashes. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface DebianOptions {
  /** Settings of the server that users change too. Each needs a comment with the reason. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** Options of postgres.js without host and port, which come from the server. */
export type ConnectOptions = Omit<Options<Record<string, never>>, 'host' | 'port'>;

export interface DatabaseOptions {
  /** The default is a new name. */
  readonly name?: string;
  /** Role that owns it. The default is `postgres`. */
  readonly owner?: string;
  /** Database to copy. It must have no connections. */
  readonly template?: string;
}

export interface RoleOptions {
  /** The default is the role's name. */
  readonly password?: string;
  /** Further attributes: `CREATEDB`, `IN ROLE reader`. */
  readonly attributes?: string;
}

/** A server that replicates another one until it is promoted. */
export interface Standby extends PostgresServer {
  /** Promotes it to accept writes. The other server must have stopped. */
  promote(): Promise<void>;
}

/** A backup of a server that archives its WAL. */
export interface Backup {
  /** Creates a named restore point. */
  mark(name: string): Promise<void>;
  /** Starts a server recovered to that point, on a new timeline. The first server is still running then. */
  restore(name: string): Promise<PostgresServer>;
}

/** A server on the loopback interface with the superuser `postgres`. */
export interface PostgresServer {
  readonly major: Major;
  readonly host: string;
  /** Unchanged by `restart`. */
  readonly port: number;
  /** Process id of the main process. It changes with `restart`. */
  readonly pid: number;
  /** Password of the superuser `postgres`. */
  readonly password: string;
  /** Opens a client of postgres.js that `stop` closes. The defaults are user `postgres` and database `postgres`. */
  connect(options?: ConnectOptions): Sql;
  /** Creates a database and returns its name. */
  createDatabase(options?: DatabaseOptions): Promise<string>;
  /** Creates a role with the right to log in and no other right. */
  createRole(name: string, options?: RoleOptions): Promise<void>;
  /** Sends a signal to the main process and waits for its exit. `SIGKILL` simulates a crash. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Starts the server again. A running server is stopped first by SIGINT, a fast shutdown. */
  restart(): Promise<void>;
  /**
   * Starts a hot standby: a copy of the files that streams the server's changes. It needs the settings `wal_level:
   * replica` and `max_wal_senders`.
   */
  startStandby(): Promise<Standby>;
  /**
   * Takes a backup with the server's own tools, which only Debian's package includes. It needs the setting
   * `archive_mode: on`.
   */
  takeBackup(): Promise<Backup>;
  /**
   * Runs `pg_dump` or another program of its version, as its superuser and in its folder. Only Debian's package
   * includes such programs.
   */
  run(program: string, args: readonly string[]): string;
  /** Closes clients, stops the server and removes all files. */
  stop(): Promise<void>;
  /** The server's log. */
  log(): string;
}

const HOST = '127.0.0.1';

/** Our settings: fast, in English, and small. A crash of the machine may destroy the data. */
const SETTINGS = {
  fsync: 'off',
  full_page_writes: 'off',
  synchronous_commit: 'on',
  listen_addresses: HOST,
  unix_socket_directories: '',
  max_connections: '100',
  shared_buffers: '128MB',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_wal_size: '2GB',
  jit: 'off',
  lc_messages: 'C',
  timezone: 'UTC',
};

/**
 * Starts a real PostgreSQL server in its own folder below the folder for temporary files.
 *
 * A server that is not stopped ends with this process, however it ends, and its files are removed.
 *
 * @example
 * const server = await startPostgres({ major: 15 });
 * const sql = server.connect({ database: await server.createDatabase() });
 * await sql`SELECT 1`;
 * await server.stop();
 */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const settings = { ...SETTINGS, ...options.settings };
  const { major } = options;
  const kind: ServerKind = {
    ...{ major, settings, locale: 'C' },
    open: (user, folder) => openBinaries(major, user, folder),
  };
  return await openServer(kind, (place) => createCluster(place, major));
}

/**
 * Starts the distribution's PostgreSQL with the settings after `apt install postgresql`, including JIT, fsync, buffers
 * and WAL. Only the port, the listen address and the folders differ. TLS is off until `enableTls`, because only the
 * package's own user may read its key.
 */
export async function startDebianPostgres(options: DebianOptions = {}): Promise<PostgresServer> {
  const kind: ServerKind = {
    ...{ major: DEBIAN_MAJOR, locale: 'C.UTF-8' },
    settings: { listen_addresses: HOST, ...DEBIAN_SETTINGS, ...options.settings },
    open: () => DEBIAN_POSTGRES,
  };
  return await openServer(kind, (place) => createCluster(place, DEBIAN_MAJOR));
}

/** Settings that the package's pg_createcluster adds to postgresql.conf. */
const DEBIAN_SETTINGS = {
  cluster_name: `${DEBIAN_MAJOR}/main`,
  log_line_prefix: '%m [%p] %q%u@%d ',
};

interface ServerKind {
  readonly major: Major;
  readonly locale: string;
  readonly settings: Readonly<Record<string, string>>;
  /** Returns the folder with `bin/initdb` and `bin/postgres`. It may create a copy in the server's folder. */
  readonly open: (user: ServerUser, folder: string) => string;
}

/** Opens a server in a new folder, where `fill` creates its data directory and returns the password of `postgres`. */
async function openServer(
  kind: ServerKind,
  fill: (place: ServerFolders) => Promise<string> | string,
): Promise<PostgresServer> {
  const user = findServerUser();
  const folder = createFolder(user);
  const watchdog = startWatchdog(folder, 'data/postmaster.pid');
  const clients = new Set<Sql>();
  try {
    const native = kind.open(user, folder);
    const place: ServerFolders = {
      ...{ native, folder, user, locale: kind.locale },
      settings: { unix_socket_directories: folder, ...kind.settings },
    };
    const password = await fill(place);
    let server = await startServer(place);

    const connect = (connectOptions: ConnectOptions = {}): Sql => {
      const client = postgres({
        user: 'postgres',
        password: connectOptions.user === undefined ? password : String(connectOptions.user),
        database: 'postgres',
        ...connectOptions,
        host: HOST,
        port: server.port,
      } as Options<Record<string, never>>);
      clients.add(client);
      return client;
    };
    const administer = async <Result>(work: (sql: Sql) => Promise<Result>): Promise<Result> => {
      const sql = connect({ max: 1, fetch_types: false, onnotice: () => {} });
      try {
        return await work(sql);
      } finally {
        clients.delete(sql);
        await sql.end({ timeout: 1 });
      }
    };
    const kill = async (signal: NodeJS.Signals): Promise<void> => {
      server.child.ref();
      server.child.kill(signal);
      await server.exited;
    };

    return {
      major: kind.major,
      host: HOST,
      password,
      get port() {
        return server.port;
      },
      get pid() {
        return server.child.pid ?? 0;
      },
      connect,
      kill,
      async createDatabase({ name, owner = 'postgres', template } = {}) {
        const database = name ?? `test_${randomBytes(6).toString('hex')}`;
        await administer(async (sql) => {
          const copied = template === undefined ? sql`` : sql`TEMPLATE ${sql(template)}`;
          // Files in memory are copied faster than pages through WAL.
          await sql`CREATE DATABASE ${sql(database)} OWNER ${sql(owner)} ${copied} STRATEGY FILE_COPY`;
        });
        return database;
      },
      async createRole(name, { password: ownPassword = name, attributes = '' } = {}) {
        await administer((sql) =>
          sql.unsafe(
            `CREATE ROLE "${name.replaceAll('"', '""')}" LOGIN ` +
              `PASSWORD '${ownPassword.replaceAll("'", "''")}' ${attributes}`,
          ),
        );
      },
      async restart() {
        await kill('SIGINT');
        server = await startServer(place, server.port);
      },
      async startStandby() {
        const source = { place, administer };
        const standby = await openServer(
          {
            ...kind,
            settings: { ...kind.settings, primary_conninfo: renderConninfo(password, server.port) },
          },
          async (copy) => {
            await copyCluster(source, copy);
            return password;
          },
        );
        return addPromotion(standby);
      },
      async takeBackup() {
        const source = { place, administer };
        const files = await takeBackup(source, { port: server.port, password });
        return {
          mark: (name) => administer((sql) => markPoint(sql, name)),
          async restore(name) {
            const settings = {
              ...kind.settings,
              restore_command: `cp "${files.archive}/%f" "%p"`,
              recovery_target_name: name,
              recovery_target_action: 'promote',
            };
            const restored = await openServer({ ...kind, settings }, (copy) => {
              copyBackup(files, copy);
              return password;
            });
            await waitForPromotion(restored);
            return restored;
          },
        };
      },
      run: (program, args) => runTool(place, program, args, { port: server.port, password }),
      async stop() {
        await Promise.all([...clients].map((client) => client.end({ timeout: 0 })));
        await kill('SIGQUIT');
        watchdog.kill('SIGKILL');
        removeFolder(folder);
      },
      log: () => readLog(place),
    };
  } catch (error) {
    watchdog.stdin?.end();
    throw error;
  }
}

/** Waits for the promotion: a recovering server accepts connections before writes. */
async function waitForPromotion(server: PostgresServer): Promise<void> {
  const sql = server.connect({ max: 1, fetch_types: false });
  for (let isOver = false; !isOver; await sleep(20)) {
    const [row] = await sql`SELECT pg_is_in_recovery() AS recovers`;
    isOver = row?.['recovers'] === false;
  }
  await sql.end({ timeout: 1 });
}

/** Renders the connection string of a standby to its primary. */
function renderConninfo(password: string, port: number): string {
  return `host=${HOST} port=${port} user=postgres password=${password} application_name=standby`;
}

/** Adds the promotion to a standby. Its getters still work. */
function addPromotion(standby: PostgresServer): Standby {
  const promote = async () => {
    const sql = standby.connect({ max: 1, fetch_types: false });
    await sql`SELECT pg_promote()`;
    await sql.end({ timeout: 1 });
  };
  return Object.defineProperties({ promote }, Object.getOwnPropertyDescriptors(standby)) as Standby;
}
