import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Major version of the package that we take. */
export const DEBIAN_MAJOR = 15;

/** Folder with `bin/postgres` of the package `postgresql-15`. */
export const DEBIAN_POSTGRES = `/usr/lib/postgresql/${DEBIAN_MAJOR}`;

/** Program of the package `pgbouncer`. */
export const DEBIAN_PGBOUNCER = '/usr/sbin/pgbouncer';

const PACKAGES = {
  [`postgresql-${DEBIAN_MAJOR}`]: join(DEBIAN_POSTGRES, 'bin', 'postgres'),
  pgbouncer: DEBIAN_PGBOUNCER,
};

interface Describe {
  (name: string, body: () => void): void;
  readonly skip: (name: string, body: () => void) => void;
}

/** The one of Jest, which is there when specs run. */
declare const describe: Describe;

/**
 * Describes what holds on Debian's PostgreSQL, and through Debian's PgBouncer, with the settings that users have. Where
 * the packages are missing, the tests are skipped, and a line says so.
 */
export function describeDebian(name: string, body: () => void): void {
  const missing = Object.entries(PACKAGES).flatMap(([title, program]) =>
    existsSync(program) ? [] : [title],
  );
  if (missing.length === 0) return describe(name, body);
  process.stderr.write(`skipped: ${name}: apt install ${missing.join(' ')}\n`);
  describe.skip(`${name} (skipped: needs Debian's ${missing.join(', ')})`, body);
}
