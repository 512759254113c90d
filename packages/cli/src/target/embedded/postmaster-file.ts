import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TargetAddress } from '@cdc-migrations/tracker';

/** Port in the name of the socket in the data directory. */
export const PORT = 5432;

/** Location of a cluster: its folder contains `data`. */
interface Place {
  readonly folder: string;
}

/**
 * Returns the address of a cluster: a socket in its data directory, which only its user can enter. So nobody else can
 * listen there, and there is no password to leak.
 */
export function serverAt({ folder }: Place): TargetAddress['server'] {
  const host = join(folder, 'data');
  return { name: 'embedded', host, port: PORT, user: 'postgres', password: '', sslmode: 'disable' };
}

/** Content of PostgreSQL's file about the running server of a cluster. It remains if the server was killed. */
export interface PostmasterFile {
  readonly text: string;
  readonly pid: number;
  /** True if the server accepts sessions. */
  readonly isReady: boolean;
}

/** Returns undefined if no server has begun to start. */
export function readPostmasterFile({ folder }: Place): PostmasterFile | undefined {
  let text: string;
  try {
    text = readFileSync(pathIn(folder), 'utf8');
  } catch {
    return undefined;
  }
  // Lines: process, folder, start, port, …, and state.
  const lines = text.split('\n');
  return {
    text,
    pid: Number(lines[0]),
    isReady: lines[7]?.trim() === 'ready',
  };
}

/** Removes the file of a dead server. PostgreSQL would not start if another process has its id. */
export function removePostmasterFile({ folder }: Place): void {
  rmSync(pathIn(folder), { force: true });
  rmSync(join(folder, `data/.s.PGSQL.${PORT}.lock`), { force: true });
}

function pathIn(folder: string): string {
  return join(folder, 'data/postmaster.pid');
}
