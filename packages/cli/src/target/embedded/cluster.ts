import { spawnSync } from 'node:child_process';
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { CommandError } from '../../exit-code.ts';
import { findBinaries } from './find-binaries.ts';
import { canWrite, findServerUser, type ServerUser } from './server-user.ts';

/** A data directory and whom its server runs as. */
export interface Cluster {
  /** Holds `data` and `server.log`, and belongs to the user. */
  readonly folder: string;
  readonly user: ServerUser;
  /** Of the superuser `postgres`. */
  readonly password: string;
}

/**
 * The cluster that `state` (a folder of ours) stands for, made at the first time: below it, or in the folder for lasting
 * temporary files where the server's user cannot come into `state`, with its place noted in `state`.
 */
export function openCluster(state: string, password: string): Cluster {
  const user = findServerUser();
  const folder = placeOf(state, user);
  const cluster = { folder, user, password };
  if (!existsSync(join(folder, 'data/PG_VERSION'))) initialize(cluster);
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

function initialize({ folder, user, password }: Cluster): void {
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
