import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Whether a process of this id is there, whoever's it is. */
export function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** A process as a text that is not that of a later process with its id: the id, and when it started. */
export function markOf(pid: number): string {
  return `${pid} ${readStart(pid) ?? ''}`.trim();
}

/** Whether the process of a mark is there; where its start cannot be told, a process with its id is taken for it. */
export function isRunning(mark: string): boolean {
  const [pid = '', ...start] = mark.trim().split(' ');
  if (!isAlive(Number(pid))) return false;
  const now = readStart(Number(pid));
  return start.length === 0 || now === undefined || now === start.join(' ');
}

/** Linux tells the start in ticks after the start of the machine; other systems have `ps`. */
function readStart(pid: number): string | undefined {
  if (process.platform === 'linux') {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      // The name, in parentheses, can hold anything.
      return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[FIELD_OF_START];
    } catch {
      return undefined; // Gone, or not for us to see.
    }
  }
  const { status, stdout } = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });
  return status === 0 ? stdout.trim().replace(/\s+/g, ' ') || undefined : undefined;
}

/** `starttime`, the 22nd field of proc(5), counted from the one behind the name. */
const FIELD_OF_START = 19;
