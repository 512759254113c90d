import {
  buildGeneratedFile,
  parseYaml,
  renderYaml,
  type GeneratedFile,
} from '@cdc-migrations/generated-file';
import type { MigrationSet, TableDefinition } from '@cdc-migrations/table-defs';
import { inSets } from './build-files.ts';

export type Category =
  'schemas' | 'infrastructure' | 'manual' | 'tables' | 'staging' | 'validation';

/** A file of a migration set: the identity that history is kept by, and what is to be applied. */
export interface ManifestEntry {
  /** Relative to the set's folder. */
  readonly path: string;
  readonly category: Category;
  /** Name of the table, or of the file where it belongs to none. */
  readonly name: string;
  /** Service, where the file is a table's. */
  readonly service?: string;
  /** `database`: once; `tenant`: in each tenant's schema. */
  readonly scope: 'database' | 'tenant';
  /** Literal schema of the table. */
  readonly schema?: string;
  readonly checksum: string;
}

export interface Manifest {
  readonly set: string;
  /** In the order of application. */
  readonly files: readonly ManifestEntry[];
  /** Read-only checks, which are not applied. */
  readonly validation: readonly ManifestEntry[];
}

/** A file by people in `manual/`. */
export interface ManualFile {
  /** Relative to the repo. */
  readonly path: string;
  readonly checksum: string;
  readonly text: string;
}

/** `manifest.yaml` of a set. */
export function manifestPath({ folder }: MigrationSet): string {
  return `${folder}/manifest.yaml`;
}

/**
 * The manifest of a set: schemas, infrastructure, manual files in order of name, tables, staging.
 *
 * @param checksumOf checksum of a file of the set, by its path relative to the repo.
 */
export function buildManifest(
  set: MigrationSet,
  tables: readonly TableDefinition[],
  manual: readonly ManualFile[],
  checksumOf: (path: string) => string,
): Manifest {
  const once = (category: Category, file: string): ManifestEntry => ({
    path: `${category}/${file}`,
    category,
    name: file.replace(/\.sql$/, ''),
    scope: 'database',
    checksum: checksumOf(`${set.folder}/${category}/${file}`),
  });
  const placed = inSets([set], tables);
  const ofTables = (category: Category, kind: TableDefinition['kind'], suffix: string) =>
    placed
      .filter(({ table }) => table.kind === kind)
      .map(({ table, stem }) =>
        tableEntry(table, category, `${stem}${suffix}.sql`, set, checksumOf),
      );
  return {
    set: set.name,
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

/** The manifest as a file of its set. */
export function renderManifest(manifest: Manifest, set: MigrationSet): GeneratedFile {
  const rows = (entries: readonly ManifestEntry[]) => entries.map((entry) => ({ ...entry }));
  const value = {
    set: manifest.set,
    files: rows(manifest.files),
    validation: rows(manifest.validation),
  };
  return buildGeneratedFile(manifestPath(set), { target: set.name }, renderYaml(value));
}

/** Manifest of the text of `renderManifest`. */
export function parseManifest(text: string): Manifest {
  return parseYaml(text) as Manifest;
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
