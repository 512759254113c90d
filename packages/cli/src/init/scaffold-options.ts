import type { Pattern, SourceType } from '@cdc-migrations/catalog';

/** Properties of a new implementation repo. */
export interface ScaffoldOptions {
  /** Name of the source group and prefix of all other names: letters, digits and `_`. */
  readonly name: string;
  readonly service: string;
  readonly pattern: Pattern;
  readonly type: SourceType;
  /** Path of the repo from the workspace. `.` if they are the same folder. */
  readonly folder: string;
  readonly ci: Ci;
  /** True if steps and CI run through Nx. */
  readonly nx: boolean;
  readonly packageManager: PackageManager;
  /** Name of the Nx project. */
  readonly project: string;
}

export const PATTERNS = ['db-per-tenant', 'db-shared'] as const;
export const TYPES = ['mssql', 'postgres'] as const;
export const CIS = ['github', 'none'] as const;
export type Ci = (typeof CIS)[number];
export type PackageManager = 'npm' | 'pnpm' | 'yarn';

/**
 * Start of a command that runs an installed package. Without the option, npx downloads and runs the package `cdc`, which
 * is not ours, if ours is not installed.
 */
export const RUN: Readonly<Record<PackageManager, string>> = {
  npm: 'npx --no-install',
  pnpm: 'pnpm exec',
  yarn: 'yarn',
};

/** A file of a new implementation repo. */
export interface ScaffoldFile {
  /** Path relative to the workspace. */
  readonly path: string;
  readonly text: string;
  /** Action for an existing file: keep it, add missing lines, or refuse to create the repo. */
  readonly ifThere: 'keep' | 'add-lines' | 'refuse';
}

/** Environments of a new repo. The first is the validation environment. */
export const ENVIRONMENTS = ['nonprod', 'prod'] as const;

/** Name of the target database of a new repo. */
export const SINK_DATABASE = 'warehouse';

/** Returns the role of the sink pipeline of a new repo. The SQL grants to it. */
export function sinkRole({ name }: Pick<ScaffoldOptions, 'name'>): string {
  return `${name.toLowerCase()}_sink`;
}

/** Quotes a text as one word of a POSIX shell. */
export function shellWord(text: string): string {
  if (/^[\w@%+=:,./][\w@%+=:,./-]*$/.test(text)) return text;
  const word = text.startsWith('-') ? `./${text}` : text; // A leading dash would make it an option.
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Returns the names of a server's variables in a new repo. */
export function serverVariables(
  { name }: Pick<ScaffoldOptions, 'name'>,
  side: 'source' | 'sink',
  env: string,
): { readonly [Key in 'host' | 'port' | 'user' | 'password']: string } {
  const prefix = `${name}_${side}_${env}`.toUpperCase();
  return {
    host: `${prefix}_HOST`,
    port: `${prefix}_PORT`,
    user: `${prefix}_USER`,
    password: `${prefix}_PASSWORD`,
  };
}
