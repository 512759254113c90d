import { chownSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Sql } from 'postgres';
import { copyFolder } from './create-cluster.ts';
import type { ServerFolders } from './server-process.ts';

/** A running server to copy. */
export interface CopiedServer {
  readonly place: ServerFolders;
  /** Runs work as its superuser in one session. */
  administer<Result>(work: (sql: Sql) => Promise<Result>): Promise<Result>;
}

/** Files of a running server that must not be copied. */
const OWN_FILES = ['postmaster.pid', 'postmaster.opts', 'backup_label'];

/**
 * Copies a running server's files to the folder of a standby, as pg_basebackup does. The npm binaries do not include
 * it.
 */
export async function copyCluster(source: CopiedServer, copy: ServerFolders): Promise<void> {
  const from = join(source.place.folder, 'data');
  const to = join(copy.folder, 'data');
  const label = await source.administer(async (sql) => {
    await sql`SELECT pg_backup_start('standby', fast => true)`;
    copyFolder(from, to);
    const [row] = await sql<{ labelfile: string }[]>`
      SELECT labelfile FROM pg_backup_stop(wait_for_archive => false)`;
    return row?.labelfile ?? '';
  });
  for (const file of OWN_FILES) rmSync(join(to, file), { force: true });
  for (const [file, text] of [
    ['backup_label', label],
    ['standby.signal', ''],
  ] as const) {
    writeFileSync(join(to, file), text);
    if (copy.user.uid !== undefined && copy.user.gid !== undefined)
      chownSync(join(to, file), copy.user.uid, copy.user.gid);
  }
}
