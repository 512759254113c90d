import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/** User of a server, as options for `spawn`. Empty for the current user. */
export interface ServerUser {
  readonly uid?: number;
  readonly gid?: number;
}

/** Returns `nobody` if we are root, because PostgreSQL refuses to run as root, else the current user. */
export function findServerUser(): ServerUser {
  if (process.getuid?.() !== 0) return {};
  const passwd = existsSync('/etc/passwd') ? readFileSync('/etc/passwd', 'utf8') : '';
  const fields = passwd
    .split('\n')
    .map((line) => line.split(':'))
    .find(([name]) => name === 'nobody');
  if (!fields)
    throw new Error('PostgreSQL refuses to run as root, and the user "nobody" does not exist');
  return { uid: Number(fields[2]), gid: Number(fields[3]) };
}

/** Checks if the user can run the program. Parent folders may be closed to other users. */
export function canRun(user: ServerUser, program: string): boolean {
  return spawnSync(program, ['--version'], { ...user, cwd: '/', stdio: 'ignore' }).status === 0;
}

/** Checks if the user can create files in the folder. */
export function canWrite(user: ServerUser, folder: string): boolean {
  const test = spawnSync('test', ['-w', folder, '-a', '-x', folder], { ...user, cwd: '/' });
  return test.status === 0;
}
