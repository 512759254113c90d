import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { CommandError } from '../../exit-code.ts';

/** User of the server as options of `spawn`. Empty for our own user. */
export interface ServerUser {
  readonly uid?: number;
  readonly gid?: number;
}

/** Returns `nobody` if we are root, because PostgreSQL refuses to run as root, otherwise our own user. */
export function findServerUser(uid = process.getuid?.(), passwd = readPasswd): ServerUser {
  if (uid !== 0) return {};
  const entry = passwd()
    .split('\n')
    .map((line) => line.split(':'))
    .find(([name]) => name === 'nobody');
  if (!entry) {
    throw new CommandError(
      '--env embedded: PostgreSQL refuses to run as root, and the user "nobody" does not exist; run as another user',
    );
  }
  return { uid: Number(entry[2]), gid: Number(entry[3]) };
}

function readPasswd(): string {
  return existsSync('/etc/passwd') ? readFileSync('/etc/passwd', 'utf8') : '';
}

/** Returns true if the user can run a program. Folders above it may be closed to others. */
export function canRun(user: ServerUser, program: string): boolean {
  return spawnSync(program, ['--version'], { ...user, cwd: '/', stdio: 'ignore' }).status === 0;
}

/** Returns true if the user can create files in a folder. */
export function canWrite(user: ServerUser, folder: string): boolean {
  const arguments_ = ['-w', folder, '-a', '-x', folder];
  return spawnSync('test', arguments_, { ...user, cwd: '/', stdio: 'ignore' }).status === 0;
}
