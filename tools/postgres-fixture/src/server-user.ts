import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/** Whom a server runs as, in the form of the options of `spawn`; empty for our own user. */
export interface ServerUser {
  readonly uid?: number;
  readonly gid?: number;
}

/** `nobody` where we are root, as PostgreSQL refuses to run as root; else ourselves. */
export function findServerUser(): ServerUser {
  if (process.getuid?.() !== 0) return {};
  const passwd = existsSync('/etc/passwd') ? readFileSync('/etc/passwd', 'utf8') : '';
  const fields = passwd
    .split('\n')
    .map((line) => line.split(':'))
    .find(([name]) => name === 'nobody');
  if (!fields) throw new Error('PostgreSQL refuses to run as root, and there is no user nobody');
  return { uid: Number(fields[2]), gid: Number(fields[3]) };
}

/** Whether that user can run the program: the folders above it may be closed to others. */
export function canRun(user: ServerUser, program: string): boolean {
  return spawnSync(program, ['--version'], { ...user, cwd: '/', stdio: 'ignore' }).status === 0;
}

/** Whether that user can make files in the folder. */
export function canWrite(user: ServerUser, folder: string): boolean {
  const test = spawnSync('test', ['-w', folder, '-a', '-x', folder], { ...user, cwd: '/' });
  return test.status === 0;
}
