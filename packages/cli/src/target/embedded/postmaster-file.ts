import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TargetAddress } from '@cdc-migrations/tracker';

/** Names the socket in the data directory. */
export const PORT = 5432;

/** Where a cluster is: its folder holds `data`. */
interface Place {
  readonly folder: string;
}

/**
 * The server of a cluster as an address: a socket in its data directory, which only its user can enter. So nobody else can
 * listen there, and there is no password that could be given away.
 */
export function serverAt({ folder }: Place): TargetAddress['server'] {
  const host = join(folder, 'data');
  return { name: 'embedded', host, port: PORT, user: 'postgres', password: '', sslmode: 'disable' };
}

/** What PostgreSQL notes of the server of a cluster; it is left over where that was killed. */
export interface PostmasterFile {
  readonly text: string;
  readonly pid: number;
  /** Whether sessions are taken. */
  readonly isReady: boolean;
}

/** Undefined where no server has begun to start. */
export function readPostmasterFile({ folder }: Place): PostmasterFile | undefined {
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
export function removePostmasterFile({ folder }: Place): void {
  rmSync(pathIn(folder), { force: true });
  rmSync(join(folder, `data/.s.PGSQL.${PORT}.lock`), { force: true });
}

function pathIn(folder: string): string {
  return join(folder, 'data/postmaster.pid');
}
