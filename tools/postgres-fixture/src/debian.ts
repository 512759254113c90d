import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Major version of the Debian package. */
export const DEBIAN_MAJOR = 15;

/** Folder with `bin/postgres` of the package `postgresql-15`. */
export const DEBIAN_POSTGRES = `/usr/lib/postgresql/${DEBIAN_MAJOR}`;

/** Program of the package `pgbouncer`. */
export const DEBIAN_PGBOUNCER = '/usr/sbin/pgbouncer';

const PACKAGES = {
  'postgresql-15': join(DEBIAN_POSTGRES, 'bin', 'postgres'),
  pgbouncer: DEBIAN_PGBOUNCER,
  zsh: '/usr/bin/zsh',
  fish: '/usr/bin/fish',
  chromium: '/usr/bin/chromium',
};

const SERVERS = ['postgresql-15', 'pgbouncer'] as const;

interface Describe {
  (name: string, body: () => void): void;
  readonly skip: (name: string, body: () => void) => void;
}

/** Jest's function, which exists when specs run. */
declare const describe: Describe;

/**
 * Describes what holds with packages of Debian, as users have them. If one is missing, the tests are skipped, and a line
 * says so. Without `packages`: PostgreSQL and PgBouncer.
 */
export function describeDebian(
  name: string,
  body: () => void,
  packages: readonly (keyof typeof PACKAGES)[] = SERVERS,
): void {
  const missing = packages.filter((title) => !existsSync(PACKAGES[title]));
  if (missing.length === 0) return describe(name, body);
  process.stderr.write(`skipped: ${name}: apt install ${missing.join(' ')}\n`);
  describe.skip(`${name} (skipped: needs Debian's ${missing.join(', ')})`, body);
}
