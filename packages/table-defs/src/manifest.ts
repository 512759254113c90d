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

/** What a file of a migration set is for, and the folder that it is in. */
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
 * Folders of the files that users write: `manual` runs before the tables and `after` behind them, each file once;
 * `repeatable` runs last, and again when its text or something below it changes.
 */
export const USER_CATEGORIES = [
  'manual',
  'after',
  'repeatable',
] as const satisfies readonly Category[];

/** The category of a file that users write. */
export type UserCategory = (typeof USER_CATEGORIES)[number];

/** Tests if users wrote the file. */
export function isUserFile<F extends { readonly category: Category }>(
  file: F,
): file is F & { readonly category: UserCategory } {
  return USER_CATEGORIES.some((category) => category === file.category);
}

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
  /** Names of the tables and files that a file of `after/` or `repeatable/` says it needs; all before it where it says none. */
  readonly after?: readonly string[];
  /** Of a file that users wrote: over the whole text. */
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

/** Gives the path of the `manifest.yaml` of a set, relative to the repo. */
export function manifestPath({ folder }: Pick<MigrationSet, 'folder'>): string {
  return `${folder}/manifest.yaml`;
}

/** Renders the manifest as a file of its set. */
export function renderManifest(manifest: Manifest, set: MigrationSet): GeneratedFile {
  const body = renderGenerated(MANIFEST, manifest);
  return buildGeneratedFile(manifestPath(set), { target: set.name }, body);
}

/**
 * Parses the text of `renderManifest`; its checksum is not looked at.
 *
 * @param path named in errors.
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
