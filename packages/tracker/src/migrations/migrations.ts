import {
  isUserFile,
  type Category,
  type ManifestEntry,
  type MigrationSet,
  type ReplicatedTable,
} from '@cdc-migrations/table-defs';

/** All files for one target database, with their texts. */
export interface Migrations {
  readonly set: MigrationSet;
  /** Role that the files grant to. */
  readonly role: string;
  /** Files in the order of application. */
  readonly files: readonly MigrationFile[];
  /** Read-only checks of existing tables. */
  readonly validation: readonly MigrationFile[];
  readonly tables: readonly ReplicatedTable[];
  readonly problems: readonly FileProblem[];
}

/** A file of a migration set with its text. */
export interface MigrationFile extends Omit<ManifestEntry, 'path' | 'checksum'> {
  /** Path relative to the folder of the set, as in the history. */
  readonly path: string;
  /** Text with LF line ends. `{{SCHEMA}}` stands for the tenant's schema. */
  readonly text: string;
  /**
   * Checksum that history compares. For a file of `repeatable/` it covers the checksums of its text and of its
   * dependencies.
   */
  readonly checksum: string;
  /** Final table of the file. */
  readonly table?: ReplicatedTable;
}

/** Reason why a file cannot be applied: `stale` files need `generate`, `edited` ones were changed by hand. */
export interface FileProblem {
  /** Path relative to the repo. */
  readonly path: string;
  readonly problem: 'edited' | 'stale';
  readonly message: string;
}

/** Schema in the history for files of the whole database. */
export const WHOLE_DATABASE = '';

/** Key of the history, in addition to the set and the schema. */
export interface FileIdentity {
  readonly category: Category;
  readonly name: string;
}

/** Returns true if the file belongs to the database and not to a schema. All other files wait for it. */
export function isGlobal({ scope, schema }: Pick<MigrationFile, 'scope' | 'schema'>): boolean {
  return scope === 'database' && schema === undefined;
}

export interface Tenants {
  readonly set: Pick<MigrationSet, 'pattern'>;
  /** Schemas of the tenants of this environment. */
  readonly tenants: ReadonlySet<string>;
}

/** Returns true if a file is for a schema: its own, or that of every tenant (db-shared: of its service). */
export function belongsTo(
  { scope, schema: literal, service }: Pick<MigrationFile, 'scope' | 'schema' | 'service'>,
  schema: string,
  { set, tenants }: Tenants,
): boolean {
  if (scope === 'database') return literal === schema;
  const isOfAnother = set.pattern === 'db-shared' && service !== undefined && service !== schema;
  return tenants.has(schema) && !isOfAnother;
}

const NO_TRANSACTION = /^-- cdc: no-transaction *\n/;

/** Returns true if the file asks to run outside of a transaction. */
export function isWithoutTransaction(file: MigrationFile): boolean {
  return isUserFile(file) && NO_TRANSACTION.test(file.text);
}

/** True for a hand-written file that runs after the tables. */
export function isBehindTables({ category }: Pick<MigrationFile, 'category'>): boolean {
  return category === 'after' || category === 'repeatable';
}

/** True if a file that runs after the tables depends on a table, or on an earlier file of its kind. */
export function needs({ after }: Pick<MigrationFile, 'after'>, name: string): boolean {
  return after === undefined || after.includes(name);
}
