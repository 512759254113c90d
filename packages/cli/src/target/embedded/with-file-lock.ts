import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandError, EXIT } from '../../exit-code.ts';
import { isRunning, markOf } from './process-mark.ts';

const WAIT_MS = 60_000;
const POLL_MS = 25;
/** A lock file without content is being written, unless it is older. */
const WRITTEN_WITHIN_MS = 5000;

/**
 * Runs work while no other process holds the file. The file holds the mark of our process. The file of a dead process
 * is taken over.
 *
 * @throws CommandError if another process holds it all the time
 */
export async function withFileLock<Result>(
  file: string,
  work: () => Promise<Result>,
  waitMs = WAIT_MS,
): Promise<Result> {
  await takeFile(file, waitMs);
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

async function takeFile(file: string, waitMs: number): Promise<void> {
  const deadline = performance.now() + waitMs;
  while (!tryCreate(file)) {
    if (isStale(file)) removeStale(file);
    else if (performance.now() > deadline) {
      throw new CommandError(
        `${file}: process ${readMark(file).split(' ')[0]} has locked the file for ${waitMs / 1000} s; wait until it ends, or end it`,
        EXIT.locked,
      );
    } else await sleep(POLL_MS);
  }
}

function tryCreate(file: string): boolean {
  try {
    writeFileSync(file, markOf(process.pid), { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function isStale(file: string): boolean {
  const mark = readMark(file);
  if (mark !== '') return !isRunning(mark);
  try {
    return Date.now() - statSync(file).mtimeMs > WRITTEN_WITHIN_MS;
  } catch {
    return false; // It is gone already.
  }
}

/** Removes a stale file. Of several processes only one gets it. A process that removed a fresh file restores it. */
function removeStale(file: string): void {
  const taken = `${file}.${process.pid}`;
  try {
    renameSync(file, taken);
  } catch {
    return; // Another process was first.
  }
  if (isRunning(readMark(taken))) renameSync(taken, file);
  else rmSync(taken);
}

/** Returns an empty text if the file does not exist. */
function readMark(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
