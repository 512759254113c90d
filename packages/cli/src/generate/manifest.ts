import { didYouMean } from '@cdc-migrations/shape';
import type {
  Category,
  Manifest,
  ManifestEntry,
  MigrationSet,
  TableDefinition,
  UserCategory,
} from '@cdc-migrations/table-defs';
import { CommandError } from '../exit-code.ts';
import type { PlacedTable } from './build-files.ts';

/** A file that users wrote. */
export interface UserFile {
  readonly category: UserCategory;
  /** Relative to the repo. */
  readonly path: string;
  readonly checksum: string;
  readonly text: string;
}

export interface ManifestFacts {
  /** The role that the files grant to. */
  readonly role: string;
  readonly userFiles: readonly UserFile[];
  /** Checksum of a file of the set, by its path relative to the repo. */
  readonly checksumOf: (path: string) => string;
}

/**
 * The manifest of a set: schemas, infrastructure, manual files in order of name, tables, staging, and then the files of
 * `after/` and of `repeatable/`.
 *
 * @throws CommandError for a file that needs something that is not before it.
 */
export function buildManifest(
  set: MigrationSet,
  placed: readonly PlacedTable[],
  { role, userFiles, checksumOf }: ManifestFacts,
): Manifest {
  const once = (category: Category, file: string): ManifestEntry => ({
    path: `${category}/${file}`,
    category,
    name: file.replace(/\.sql$/, ''),
    scope: 'database',
    checksum: checksumOf(`${set.folder}/${category}/${file}`),
  });
  const ofTables = (category: Category, kind: TableDefinition['kind'], suffix: string) =>
    placed
      .filter(({ table }) => table.kind === kind)
      .map(({ table, stem }) =>
        tableEntry(table, category, `${stem}${suffix}.sql`, set, checksumOf),
      );
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
      ...ofTables('tables', 'replicated', ''),
      ...ofTables('staging', 'replicated', '-staging'),
      ...ofUsers('after'),
      ...ofUsers('repeatable'),
    ],
    validation: ofTables('validation', 'existing', ''),
  };
}

/** Whether a row belongs to a table: by identity, wherever the file is. */
export function isRowOf(
  { name, service, schema }: ManifestEntry,
  table: Pick<TableDefinition, 'name' | 'service' | 'schema'>,
): boolean {
  const literal = table.schema.scope === 'literal' ? table.schema.name : undefined;
  return name === table.name && service === table.service && schema === literal;
}

/**
 * The manifest on disk with the rows of some tables replaced by those of a new one, so that a run for one table leaves
 * all other rows as and where they are.
 */
export function replaceRows(
  before: Manifest,
  after: Manifest,
  isReplaced: (entry: ManifestEntry) => boolean,
): Manifest {
  const merge = (old: readonly ManifestEntry[], fresh: readonly ManifestEntry[]) => {
    const rows = old.filter((entry) => !isReplaced(entry));
    fresh.forEach((entry, index) => {
      if (!isReplaced(entry)) return;
      const earlier = new Set(fresh.slice(0, index).map(({ path }) => path));
      rows.splice(rows.findLastIndex(({ path }) => earlier.has(path)) + 1, 0, entry);
    });
    return rows;
  };
  return {
    set: after.set,
    role: after.role,
    files: merge(before.files, after.files),
    validation: merge(before.validation, after.validation),
  };
}

function tableEntry(
  table: TableDefinition,
  category: Category,
  file: string,
  set: MigrationSet,
  checksumOf: (path: string) => string,
): ManifestEntry {
  const { schema, service, name } = table;
  return {
    path: `${category}/${file}`,
    category,
    name,
    service,
    scope: schema.scope === 'tenant' ? 'tenant' : 'database',
    ...(schema.scope === 'literal' && { schema: schema.name }),
    checksum: checksumOf(`${set.folder}/${category}/${file}`),
  };
}

function userEntry(
  file: UserFile,
  set: MigrationSet,
  known: { readonly userFiles: readonly UserFile[]; readonly placed: readonly PlacedTable[] },
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

/** `-- after: Order, 0010-open-orders`, in the comments that a file begins with. */
const AFTER = /^(?:--[^\n]*\n)*?-- after:([^\n]*)/;

/** The tables and files that a file says it needs; undefined where it says nothing. */
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
  if (wanted.length === 0) {
    throw new CommandError(
      `${file.path}:${line}: expected names of tables after "-- after:", found none; without the line the file needs all of them`,
    );
  }
  for (const name of wanted) {
    if (names.includes(name)) continue;
    throw new CommandError(
      `${file.path}:${line}: -- after: expected a table of the set or a file before this one, found "${name}"${didYouMean(name, names)}`,
    );
  }
  return wanted;
}
