import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Returns true if a process with this id exists, of any user. */
export function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Identifies a process by its id and its start time, because ids are reused. */
export function markOf(pid: number): string {
  return `${pid} ${readStart(pid) ?? ''}`.trim();
}

/** Returns true if the process of a mark exists. If its start time is unknown, the id is enough. */
export function isRunning(mark: string): boolean {
  const [pid = '', ...start] = mark.trim().split(' ');
  if (!isAlive(Number(pid))) return false;
  const now = readStart(Number(pid));
  return start.length === 0 || now === undefined || now === start.join(' ');
}

/** Reads the start time: on Linux in ticks since the start of the machine, on other systems from `ps`. */
function readStart(pid: number): string | undefined {
  if (process.platform === 'linux') {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      // The name in parentheses can contain anything.
      return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[FIELD_OF_START];
    } catch {
      return undefined; // The process ended or is not visible.
    }
  }
  const { status, stdout } = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });
  return status === 0 ? stdout.trim().replace(/\s+/g, ' ') || undefined : undefined;
}

/** Index of `starttime`, the 22nd field of proc(5), after the name. */
const FIELD_OF_START = 19;
