import { ConfigError } from '@cdc-migrations/config';
import { didYouMean } from '@cdc-migrations/shape';
import { fileStems } from './file-stems.ts';
import type { Category, Manifest, ManifestEntry, UserCategory } from './manifest.ts';
import type { MigrationSet, TableDefinition } from './table-definition.ts';

/** A table of a set with the paths of its files, relative to the repo. */
export interface LocatedTable {
  readonly table: TableDefinition;
  /** A replicated table has `tables` and `staging` files, an existing one has a `validation` file. */
  readonly paths: Readonly<Record<'tables' | 'staging' | 'validation', string>>;
}

/** Assigns file paths to the tables of a set. Tables of other sets are omitted. */
export function locateTables(
  { name, folder }: Pick<MigrationSet, 'name' | 'folder'>,
  tables: readonly TableDefinition[],
): readonly LocatedTable[] {
  const ofSet = tables.filter(({ set }) => set === name);
  const stems = fileStems(ofSet);
  return ofSet.map((table) => {
    const stem = stems.get(table)!;
    return {
      table,
      paths: {
        tables: `${folder}/tables/${stem}.sql`,
        staging: `${folder}/staging/${stem}-staging.sql`,
        validation: `${folder}/validation/${stem}.sql`,
      },
    };
  });
}

/** A hand-written file. */
export interface UserFile {
  readonly category: UserCategory;
  /** Relative to the repo. */
  readonly path: string;
  readonly checksum: string;
  readonly text: string;
}

/** Contents of a manifest in addition to the tables. */
export interface ManifestFacts {
  /** The role that the files grant privileges to. */
  readonly role: string;
  /** Hand-written files, grouped by category and sorted by name. */
  readonly userFiles?: readonly UserFile[];
  /** Returns the checksum of a generated file of the set by its path relative to the repo. */
  readonly checksumOf: (path: string) => string;
}

/**
 * Builds the manifest of a set: schemas, infrastructure, manual files sorted by name, tables, staging, and then the
 * files of `after/` and `repeatable/`.
 *
 * @throws ConfigError if a file depends on a table or file that does not come before it.
 */
export function buildManifest(
  set: MigrationSet,
  placed: readonly LocatedTable[],
  { role, userFiles = [], checksumOf }: ManifestFacts,
): Manifest {
  const once = (category: Category, file: string): ManifestEntry => ({
    path: `${category}/${file}`,
    category,
    name: file.replace(/\.sql$/, ''),
    scope: 'database',
    checksum: checksumOf(`${set.folder}/${category}/${file}`),
  });
  const ofTables = (category: keyof LocatedTable['paths'], kind: TableDefinition['kind']) =>
    placed
      .filter(({ table }) => table.kind === kind)
      .map(({ table, paths }) => tableEntry(table, category, paths[category], set, checksumOf));
  const ofUsers = (category: UserCategory) =>
    userFiles
      .filter((file) => file.category === category)
      .map((file) => userEntry(file, set, { userFiles, placed }));
  return {
    set: set.name,
    role,
    files: [
      once('schemas', 'create-schemas.sql'),
      once('infrastructure', 'cdc-management.sql'),
      ...ofUsers('manual'),
      ...ofTables('tables', 'replicated'),
      ...ofTables('staging', 'replicated'),
      ...ofUsers('after'),
      ...ofUsers('repeatable'),
    ],
    validation: ofTables('validation', 'existing'),
  };
}

function tableEntry(
  table: TableDefinition,
  category: Category,
  path: string,
  { folder }: MigrationSet,
  checksumOf: (path: string) => string,
): ManifestEntry {
  const { schema, service, name } = table;
  return {
    path: path.slice(folder.length + 1),
    category,
    name,
    service,
    scope: schema.scope === 'tenant' ? 'tenant' : 'database',
    ...(schema.scope === 'literal' && { schema: schema.name }),
    checksum: checksumOf(path),
  };
}

function userEntry(
  file: UserFile,
  set: MigrationSet,
  known: { readonly userFiles: readonly UserFile[]; readonly placed: readonly LocatedTable[] },
): ManifestEntry {
  const { category, text, checksum } = file;
  const name = nameOf(file, set);
  const after = category === 'manual' ? undefined : readAfter(file, set, known);
  return {
    path: `${category}/${name}.sql`,
    category,
    name,
    scope: text.includes('{{SCHEMA}}') ? 'tenant' : 'database',
    ...(after && { after }),
    checksum,
  };
}

function nameOf({ category, path }: UserFile, { folder }: MigrationSet): string {
  return path.slice(`${folder}/${category}/`.length).replace(/\.sql$/, '');
}

/** `-- after: Order, 0010-open-orders` in the leading comments of a file. */
const AFTER = /^(?:--[^\n]*\n)*?-- after:([^\n]*)/;

/** Reads the tables and files that a file declares as dependencies. Returns undefined without a declaration. */
function readAfter(
  file: UserFile,
  set: MigrationSet,
  { userFiles, placed }: Parameters<typeof userEntry>[2],
): readonly string[] | undefined {
  const found = AFTER.exec(file.text);
  if (!found) return undefined;
  const line = found[0].split('\n').length;
  const before = userFiles
    .slice(0, userFiles.indexOf(file))
    .filter(({ category }) => category !== 'manual')
    .map((one) => nameOf(one, set));
  const names = [...new Set([...placed.map(({ table }) => table.name), ...before])];
  const wanted = found[1]!
    .split(',')
    .map((name) => name.trim().replace(/^"(.*)"$/, '$1'))
    .filter(Boolean);
  if (wanted.length === 0)
    throw problemIn(
      file,
      line,
      'expected names of tables after "-- after:", found none; without the line the file needs all of them',
    );
  for (const name of wanted) {
    if (names.includes(name)) continue;
    throw problemIn(
      file,
      line,
      `-- after: expected a table of the set or a file before this one, found "${name}"${didYouMean(name, names)}`,
    );
  }
  return wanted;
}

function problemIn({ path }: UserFile, line: number, message: string): ConfigError {
  return new ConfigError([{ at: { file: path, keys: [] }, line, message }]);
}
