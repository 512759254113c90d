import {
  isUserFile,
  type Category,
  type ManifestEntry,
  type MigrationSet,
  type ReplicatedTable,
} from '@cdc-migrations/table-defs';

/** All that goes into one target database, with the text of every file. */
export interface Migrations {
  readonly set: MigrationSet;
  /** The role that the files grant to. */
  readonly role: string;
  /** In the order of application. */
  readonly files: readonly MigrationFile[];
  /** Read-only checks of tables that exist already. */
  readonly validation: readonly MigrationFile[];
  readonly tables: readonly ReplicatedTable[];
  readonly problems: readonly FileProblem[];
}

/** A file of a migration set with its text. */
export interface MigrationFile extends Omit<ManifestEntry, 'path' | 'checksum'> {
  /** Relative to the set's folder, as history names it. */
  readonly path: string;
  /** With LF as line ends; `{{SCHEMA}}` in it stands for the tenant's schema. */
  readonly text: string;
  /** What history compares: of a file of `repeatable/`, over the checksums of its text and of what is below it. */
  readonly checksum: string;
  /** The final table that the file is of. */
  readonly table?: ReplicatedTable;
}

/** Why a file cannot be applied as it is: `stale` files need `generate`, `edited` ones were changed by hand. */
export interface FileProblem {
  /** Relative to the repo. */
  readonly path: string;
  readonly problem: 'edited' | 'stale';
  readonly message: string;
}

/** Schema name in the history of files that belong to the whole database. */
export const WHOLE_DATABASE = '';

/** What history is keyed by, beside the set and the schema. */
export interface FileIdentity {
  readonly category: Category;
  readonly name: string;
}

/** Whether the file belongs to the database and not to a schema: all else waits for it. */
export function isGlobal({ scope, schema }: Pick<MigrationFile, 'scope' | 'schema'>): boolean {
  return scope === 'database' && schema === undefined;
}

export interface Tenants {
  readonly set: Pick<MigrationSet, 'pattern'>;
  /** Schemas of the tenants that take part. */
  readonly tenants: ReadonlySet<string>;
}

/** Whether a file is to be applied in a schema: its own, or that of every tenant (db-shared: of its service). */
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

/** Whether the file asks to be run outside of a transaction. */
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
