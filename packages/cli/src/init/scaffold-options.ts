import type { Pattern, SourceType } from '@cdc-migrations/catalog';

/** What a new implementation repo is made of. */
export interface ScaffoldOptions {
  /** Source group, and in front of all other names: letters, digits and `_`. */
  readonly name: string;
  readonly service: string;
  readonly pattern: Pattern;
  readonly type: SourceType;
  /** Path of the repo from the workspace, `.` where it is the workspace itself. */
  readonly folder: string;
  readonly ci: Ci;
  /** Whether steps and CI run through Nx. */
  readonly nx: boolean;
  readonly packageManager: PackageManager;
  /** What Nx calls the project. */
  readonly project: string;
}

export const PATTERNS = ['db-per-tenant', 'db-shared'] as const;
export const TYPES = ['mssql', 'postgres'] as const;
export const CIS = ['github', 'none'] as const;
export type Ci = (typeof CIS)[number];
export type PackageManager = 'npm' | 'pnpm' | 'yarn';

/** A file of a new implementation repo. */
export interface ScaffoldFile {
  /** Relative to the workspace. */
  readonly path: string;
  readonly text: string;
  /** What becomes of one that is there already: it stays, gets the lines that it lacks, or the repo is not made. */
  readonly ifThere: 'keep' | 'add-lines' | 'refuse';
}

/** Environments of a new repo; the first is the one whose database is looked at. */
export const ENVIRONMENTS = ['nonprod', 'prod'] as const;

/** Name of the target database of a new repo. */
export const SINK_DATABASE = 'warehouse';

/** Role of the sink pipeline of a new repo, which the SQL grants to. */
export function sinkRole({ name }: Pick<ScaffoldOptions, 'name'>): string {
  return `${name.toLowerCase()}_sink`;
}

/** A text as one word of a POSIX shell. */
export function shellWord(text: string): string {
  if (/^[\w@%+=:,./][\w@%+=:,./-]*$/.test(text)) return text;
  const word = text.startsWith('-') ? `./${text}` : text; // Else it would be an option.
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Variables of a server, as a new repo names them. */
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
