import { spawnSync } from 'node:child_process';
import {
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { CommandError } from '../../exit-code.ts';
import { serverAt } from './postmaster-file.ts';
import { findBinaries } from './find-binaries.ts';
import { canWrite, findServerUser, type ServerUser } from './server-user.ts';

/** A data directory and the user of its server. */
export interface Cluster {
  /** Folder with `data` and `server.log`. Only the user can enter it. */
  readonly folder: string;
  readonly user: ServerUser;
}

/**
 * Opens the cluster of a repo and creates it the first time. It is in the repo's folder, or in a lasting temporary
 * folder if the server's user cannot enter the repo or the path is too long for a socket. A note keeps its path.
 *
 * @param pathOf returns the path of a file of the embedded PostgreSQL
 */
export function openCluster(pathOf: (name: string) => string): Cluster {
  const user = findServerUser();
  const cluster = { folder: locationOf(pathOf, user), user };
  if (!existsSync(join(cluster.folder, 'data/PG_VERSION'))) initialize(cluster);
  return cluster;
}

const ELSEWHERE = ['/var/tmp', '/tmp'] as const;
const PREFIX = 'cdc-embedded-';
/** A path that `mkdtemp` creates from the prefix. */
const MADE_ELSEWHERE = /^(?:\/var)?\/tmp\/cdc-embedded-[A-Za-z0-9]{6}$/;

function locationOf(pathOf: (name: string) => string, user: ServerUser): string {
  const note = pathOf('place');
  const noted = existsSync(note) ? readFileSync(note, 'utf8').trim() : '';
  if (MADE_ELSEWHERE.test(noted) && isPrivate(noted, user)) return noted;
  const inRepo = pathOf('cluster');
  mkdirSync(inRepo, { recursive: true, mode: 0o700 });
  give(inRepo, user);
  if (canWrite(user, inRepo) && canHoldSocket(inRepo)) return inRepo;
  const elsewhere = mkdtempSync(
    join(
      ELSEWHERE.find((folder) => existsSync(folder))!,
      PREFIX,
    ),
  );
  give(elsewhere, user);
  writeFileSync(note, `${elsewhere}\n`);
  return elsewhere;
}

/** Returns true for a folder, not a link, that only the user can enter. A repo may contain a forged note. */
function isPrivate(folder: string, { uid = process.getuid?.() }: ServerUser): boolean {
  const found = lstatSync(folder, { throwIfNoEntry: false });
  return (
    found !== undefined && found.isDirectory() && found.uid === uid && (found.mode & 0o77) === 0
  );
}

/** Maximum bytes of a socket path on macOS, one less than in its struct sockaddr_un. Linux has four more. */
const MAX_SOCKET_PATH_BYTES = 103;

/** Returns true if the path is short enough for a socket, and does not look like a list of hosts to the driver. */
function canHoldSocket(folder: string): boolean {
  const { host, port } = serverAt({ folder });
  return (
    Buffer.byteLength(join(host, `.s.PGSQL.${port}`)) <= MAX_SOCKET_PATH_BYTES &&
    !host.includes(',')
  );
}

function give(path: string, { uid, gid }: ServerUser): void {
  if (uid !== undefined && gid !== undefined) lchownSync(path, uid, gid);
}

/**
 * Initializes the data directory. Everybody who can reach the socket is its superuser: the user of the server, and
 * root.
 */
function initialize({ folder, user }: Cluster): void {
  rmSync(join(folder, 'data'), { recursive: true, force: true });
  const run = spawnSync(
    join(findBinaries(user, folder), 'bin/initdb'),
    [
      ...['-D', join(folder, 'data'), '-U', 'postgres'],
      ...['--no-sync', '--no-instructions', '--auth-local', 'trust', '--auth-host', 'reject'],
      ...['--encoding', 'UTF8', '--locale', 'C'],
    ],
    { ...user, cwd: folder, encoding: 'utf8' },
  );
  if (run.status !== 0) {
    rmSync(join(folder, 'data'), { recursive: true, force: true });
    throw new CommandError(`--env embedded: initdb failed: ${run.error?.message ?? run.stderr}`);
  }
}
