import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Major } from './postgres-binaries.ts';
import type { ServerFolders } from './server-process.ts';

/** Folder of the test run for clusters to copy, which takes a tenth of the time of initdb. */
const CLUSTERS = process.env['CDC_TEST_CLUSTERS'];

/**
 * Creates a data directory with the superuser `postgres` and returns its password. Clusters of a test run are copies of
 * one, so they have the same password and system identifier.
 */
export function createCluster(place: ServerFolders, major: Major): string {
  if (CLUSTERS === undefined) return initCluster(place);
  const shared = join(CLUSTERS, `${major}-${place.locale}`);
  if (!existsSync(shared)) {
    const password = initCluster(place);
    const own = `${shared}-${randomBytes(5).toString('hex')}`;
    mkdirSync(own);
    writeFileSync(join(own, 'password'), password);
    copyFolder(join(place.folder, 'data'), join(own, 'data'));
    try {
      renameSync(own, shared);
    } catch (error) {
      if (!existsSync(shared)) throw error;
      rmSync(own, { recursive: true }); // another process was first
    }
    return password;
  }
  copyFolder(join(shared, 'data'), join(place.folder, 'data'));
  return readFileSync(join(shared, 'password'), 'utf8');
}

/** Copies a folder with owners and rights. */
export function copyFolder(from: string, to: string): void {
  const run = spawnSync('cp', ['-a', from, to], { encoding: 'utf8' });
  if (run.error) throw run.error;
  if (run.status !== 0) throw new Error(`the copy failed: ${run.stderr}`);
}

function initCluster(place: ServerFolders): string {
  const password = randomBytes(9).toString('base64url');
  const passwordFile = join(place.folder, 'password');
  writeFileSync(passwordFile, password);
  const run = spawnSync(
    join(place.native, 'bin', 'initdb'),
    [
      ...['-D', join(place.folder, 'data'), '-U', 'postgres', '--pwfile', passwordFile],
      ...['--no-sync', '--no-instructions', '--auth', 'scram-sha-256'],
      ...['--encoding', 'UTF8', '--locale', place.locale],
    ],
    { ...place.user, cwd: place.folder, encoding: 'utf8' },
  );
  if (run.error) throw run.error;
  if (run.status !== 0) throw new Error(`initdb failed: ${run.stderr}`);
  return password;
}
