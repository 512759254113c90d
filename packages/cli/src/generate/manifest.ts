import type {
  Category,
  Manifest,
  ManifestEntry,
  MigrationSet,
  TableDefinition,
} from '@cdc-migrations/table-defs';
import type { PlacedTable } from './build-files.ts';

/** A file by people in `manual/`. */
export interface ManualFile {
  /** Relative to the repo. */
  readonly path: string;
  readonly checksum: string;
  readonly text: string;
}

export interface ManifestFacts {
  /** The role that the files grant to. */
  readonly role: string;
  readonly manual: readonly ManualFile[];
  /** Checksum of a file of the set, by its path relative to the repo. */
  readonly checksumOf: (path: string) => string;
}

/** The manifest of a set: schemas, infrastructure, manual files in order of name, tables, staging. */
export function buildManifest(
  set: MigrationSet,
  placed: readonly PlacedTable[],
  { role, manual, checksumOf }: ManifestFacts,
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
  return {
    set: set.name,
    role,
    files: [
      once('schemas', 'create-schemas.sql'),
      once('infrastructure', 'cdc-management.sql'),
      ...manual.map((file) => manualEntry(file, set)),
      ...ofTables('tables', 'replicated', ''),
      ...ofTables('staging', 'replicated', '-staging'),
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

function manualEntry({ path, text, checksum }: ManualFile, set: MigrationSet): ManifestEntry {
  const file = path.slice(`${set.folder}/manual/`.length);
  return {
    path: `manual/${file}`,
    category: 'manual',
    name: file.replace(/\.sql$/, ''),
    scope: text.includes('{{SCHEMA}}') ? 'tenant' : 'database',
    checksum,
  };
}
