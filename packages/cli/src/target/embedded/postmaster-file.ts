import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Cluster } from './cluster.ts';

/** Names the socket in the data directory. */
export const PORT = 5432;

/** What PostgreSQL notes of the server of a cluster; it is left over where that was killed. */
export interface PostmasterFile {
  readonly text: string;
  readonly pid: number;
  /** Whether sessions are taken. */
  readonly isReady: boolean;
}

/** Undefined where no server has begun to start. */
export function readPostmasterFile({
  folder,
}: Pick<Cluster, 'folder'>): PostmasterFile | undefined {
  let text: string;
  try {
    text = readFileSync(pathIn(folder), 'utf8');
  } catch {
    return undefined;
  }
  // Process, folder, start, port, …, and how far it is.
  const lines = text.split('\n');
  return {
    text,
    pid: Number(lines[0]),
    isReady: lines[7]?.trim() === 'ready',
  };
}

/** For the file of a server that is gone, while its process id is somebody else's: PostgreSQL would not start. */
export function removePostmasterFile({ folder }: Pick<Cluster, 'folder'>): void {
  rmSync(pathIn(folder), { force: true });
  rmSync(join(folder, `data/.s.PGSQL.${PORT}.lock`), { force: true });
}

function pathIn(folder: string): string {
  return join(folder, 'data/postmaster.pid');
}
