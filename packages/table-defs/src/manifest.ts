import {
  buildGeneratedFile,
  parseYaml,
  renderYaml,
  type GeneratedFile,
} from '@cdc-migrations/generated-file';
import type { MigrationSet } from './table-definition.ts';

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

/** What goes into one target database, file by file. */
export interface Manifest {
  readonly set: string;
  /** The role that the files grant to. */
  readonly role: string;
  /** In the order of application. */
  readonly files: readonly ManifestEntry[];
  /** Read-only checks, which are not applied. */
  readonly validation: readonly ManifestEntry[];
}

/** `manifest.yaml` of a set, relative to the repo. */
export function manifestPath({ folder }: Pick<MigrationSet, 'folder'>): string {
  return `${folder}/manifest.yaml`;
}

/** The manifest as a file of its set. */
export function renderManifest(manifest: Manifest, set: MigrationSet): GeneratedFile {
  const rows = (entries: readonly ManifestEntry[]) => entries.map((entry) => ({ ...entry }));
  const value = {
    set: manifest.set,
    role: manifest.role,
    files: rows(manifest.files),
    validation: rows(manifest.validation),
  };
  return buildGeneratedFile(manifestPath(set), { target: set.name }, renderYaml(value));
}

/** Manifest of the text of `renderManifest`. */
export function parseManifest(text: string): Manifest {
  return parseYaml(text) as Manifest;
}
