import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandError, EXIT } from '../../exit-code.ts';
import { isAlive } from './is-alive.ts';

const WAIT_MS = 60_000;
const POLL_MS = 25;
/** A lock file without a process id is being written, unless it is this old. */
const WRITTEN_WITHIN_MS = 5000;

/**
 * Does work while no other process does work under the same file, which holds our process id; the file of a process that
 * is gone is taken over.
 *
 * @throws CommandError when another process holds it for a minute.
 */
export async function withFileLock<Result>(
  file: string,
  work: () => Promise<Result>,
): Promise<Result> {
  await takeFile(file);
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

async function takeFile(file: string): Promise<void> {
  const deadline = performance.now() + WAIT_MS;
  while (!tryCreate(file)) {
    if (isStale(file)) removeStale(file);
    else if (performance.now() > deadline) {
      throw new CommandError(
        `${file}: process ${readPid(file)} holds it for a minute`,
        EXIT.locked,
      );
    } else await sleep(POLL_MS);
  }
}

function tryCreate(file: string): boolean {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function isStale(file: string): boolean {
  const pid = readPid(file);
  if (pid > 0) return !isAlive(pid);
  try {
    return Date.now() - statSync(file).mtimeMs > WRITTEN_WITHIN_MS;
  } catch {
    return false; // It is gone by now.
  }
}

/** Of several that find a stale file one gets it; who gets a fresh one by that gives it back. */
function removeStale(file: string): void {
  const taken = `${file}.${process.pid}`;
  try {
    renameSync(file, taken);
  } catch {
    return; // Another process was first.
  }
  if (isAlive(readPid(taken))) renameSync(taken, file);
  else rmSync(taken);
}

/** 0 where the file is gone or empty. */
function readPid(file: string): number {
  try {
    return Number(readFileSync(file, 'utf8')) || 0;
  } catch {
    return 0;
  }
}
