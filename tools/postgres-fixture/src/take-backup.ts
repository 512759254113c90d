import { spawnSync } from 'node:child_process';
import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Sql } from 'postgres';
import type { CopiedServer } from './copy-cluster.ts';
import { copyFolder } from './create-cluster.ts';
import type { ServerFolders } from './server-process.ts';

/** A backup of a server, and the WAL archived since. */
export interface BackupFiles {
  readonly data: string;
  readonly archive: string;
}

/** Starts archiving WAL and takes a backup as an operator does. The server needs `archive_mode: on`. */
export async function takeBackup(
  { place, administer }: CopiedServer,
  { port, password }: { readonly port: number; readonly password: string },
): Promise<BackupFiles> {
  const [data, archive] = [join(place.folder, 'backup'), join(place.folder, 'archive')];
  mkdirSync(archive);
  give(place, archive);
  await administer(async (sql) => {
    await sql.unsafe(`ALTER SYSTEM SET archive_command = 'cp "%p" "${archive}/%f"'`);
    await sql`SELECT pg_reload_conf()`;
  });
  runTool(place, 'pg_basebackup', ['-D', data, '-X', 'fetch', '-c', 'fast'], { port, password });
  return { data, archive };
}

/** Creates a restore point and waits until it is archived. */
export async function markPoint(sql: Sql, name: string): Promise<void> {
  await sql`SELECT pg_create_restore_point(${name})`;
  const [segment] = await sql`SELECT pg_walfile_name(pg_switch_wal()) AS name`;
  for (let isArchived = false; !isArchived; await sleep(20)) {
    const [row] =
      await sql`SELECT last_archived_wal >= ${segment!['name']} AS archived FROM pg_stat_archiver`;
    isArchived = row?.['archived'] === true;
  }
}

/** Copies a backup to the folder of a server that recovers from it. */
export function copyBackup({ data }: BackupFiles, copy: ServerFolders): void {
  const to = join(copy.folder, 'data');
  copyFolder(data, to);
  writeFileSync(join(to, 'recovery.signal'), '');
  give(copy, join(to, 'recovery.signal'));
}

/** Runs a program of the server's version as its superuser. Returns its output. */
export function runTool(
  { native, folder, user }: ServerFolders,
  program: string,
  args: readonly string[],
  { port, password }: { readonly port: number; readonly password: string },
): string {
  const run = spawnSync(join(native, 'bin', program), args, {
    ...{ ...user, cwd: folder, encoding: 'utf8' },
    env: { PGHOST: '127.0.0.1', PGPORT: String(port), PGUSER: 'postgres', PGPASSWORD: password },
  });
  if (run.status !== 0) throw new Error(`${program} failed: ${run.error?.message ?? run.stderr}`);
  return run.stdout;
}

function give({ user }: ServerFolders, path: string): void {
  if (user.uid !== undefined && user.gid !== undefined) chownSync(path, user.uid, user.gid);
}
