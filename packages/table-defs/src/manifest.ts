import { buildGeneratedFile, type GeneratedFile } from '@cdc-migrations/generated-file';
import {
  oneOf,
  parseGenerated,
  renderGenerated,
  text,
  type EntriesOf,
  type GeneratedKind,
} from '@cdc-migrations/shape';
import * as v from 'valibot';
import { COMMAND } from './definition-file.ts';
import type { MigrationSet } from './table-definition.ts';

/** Categories of the files in a migration set. Each has a folder of this name. */
export const CATEGORIES = [
  'schemas',
  'infrastructure',
  'manual',
  'tables',
  'staging',
  'after',
  'repeatable',
  'validation',
] as const;

/** The category of a file. */
export type Category = (typeof CATEGORIES)[number];

/**
 * Folders of hand-written files. `manual` files run before the tables and `after` files after them, each once.
 * `repeatable` files run last, and again if their text or something they depend on changes.
 */
export const USER_CATEGORIES = [
  'manual',
  'after',
  'repeatable',
] as const satisfies readonly Category[];

/** The category of a hand-written file. */
export type UserCategory = (typeof USER_CATEGORIES)[number];

/** Checks if a file is hand-written. */
export function isUserFile<F extends { readonly category: Category }>(
  file: F,
): file is F & { readonly category: UserCategory } {
  return USER_CATEGORIES.some((category) => category === file.category);
}

/** A file of a migration set: its identity in the history, and what to apply. */
export interface ManifestEntry {
  /** Relative to the set's folder. */
  readonly path: string;
  readonly category: Category;
  /** Name of the table, or of the file if it belongs to no table. */
  readonly name: string;
  /** Service of the table. Undefined for other files. */
  readonly service?: string;
  /** `database`: applied once. `tenant`: applied in each tenant's schema. */
  readonly scope: 'database' | 'tenant';
  /** Literal schema of the table. */
  readonly schema?: string;
  /**
   * Tables and files that a file of `after/` or `repeatable/` declares as dependencies. Undefined means everything
   * before it.
   */
  readonly after?: readonly string[];
  /** For a hand-written file, the checksum of the whole text. */
  readonly checksum: string;
}

/** The files for one target database. */
export interface Manifest {
  readonly set: string;
  /** The role that the files grant privileges to. */
  readonly role: string;
  /** In the order of application. */
  readonly files: readonly ManifestEntry[];
  /** Read-only checks, which are not applied. */
  readonly validation: readonly ManifestEntry[];
}

/** Returns the path of a set's `manifest.yaml`, relative to the repo. */
export function manifestPath({ folder }: Pick<MigrationSet, 'folder'>): string {
  return `${folder}/manifest.yaml`;
}

/** Renders the manifest as a file of its set. */
export function renderManifest(manifest: Manifest, set: MigrationSet): GeneratedFile {
  const body = renderGenerated(MANIFEST, manifest);
  return buildGeneratedFile(manifestPath(set), { target: set.name }, body);
}

/**
 * Parses the file that `renderManifest` rendered. The checksum is ignored.
 *
 * @param path path of the file, for errors.
 * @throws FileError with every problem.
 */
export function parseManifest(text: string, path: string): Manifest {
  return parseGenerated(MANIFEST, text, path);
}

const entries = v.array(
  v.strictObject({
    path: text('the path of a file of the set'),
    category: oneOf(CATEGORIES),
    name: text('the name of a table or file'),
    service: v.exactOptional(text('the name of a service')),
    scope: oneOf(['database', 'tenant']),
    schema: v.exactOptional(text('the name of a schema')),
    after: v.exactOptional(
      v.array(text('the name of a table or file'), 'expected a list of tables and files'),
    ),
    checksum: v.pipe(
      text('sha256: and 64 hexadecimal digits'),
      v.regex(/^sha256:[0-9a-f]{64}$/, 'expected sha256: and 64 hexadecimal digits'),
    ),
  } satisfies EntriesOf<ManifestEntry>),
  'expected a list of files',
);

const manifestSchema = v.strictObject({
  set: text('the name of a migration set'),
  role: text('the name of a role'),
  files: entries,
  validation: entries,
} satisfies EntriesOf<Manifest>);

const MANIFEST: GeneratedKind<Manifest> = {
  what: 'a manifest',
  schema: manifestSchema,
  command: COMMAND,
};
