import { readdirSync, readFileSync } from 'node:fs';
import {
  bodyOf,
  checksumOf,
  resolveRepoPath,
  stateOf,
  withLf,
} from '@cdc-migrations/generated-file';
import { findConflict, type Conflict } from '@cdc-migrations/shape';
import {
  isUserFile,
  manifestPath,
  parseManifest,
  USER_CATEGORIES,
  type ManifestEntry,
  type MigrationSet,
  type ReplicatedTable,
  type TableDefinition,
  type UserCategory,
} from '@cdc-migrations/table-defs';
import {
  isGlobal,
  needs,
  type FileProblem,
  type MigrationFile,
  type Migrations,
} from './migrations.ts';

/** Error: the manifest of a set does not exist, so nothing was generated. */
export class ManifestMissingError extends Error {
  override readonly name = 'ManifestMissingError';
  constructor(readonly path: string) {
    super(`${path} not found; cdc manage-migrations generate writes it`);
  }
}

/** Tables and tenants of a set. */
export interface SetFacts {
  /** Definitions of the repo. Those of other sets are ignored. */
  readonly tables: readonly TableDefinition[];
  /** Schemas of the tenants of this environment. */
  readonly tenants: readonly string[];
}

/**
 * Reads the files of a set from disk, in the order of the manifest, with all their problems.
 *
 * @throws ManifestMissingError, RepoPathError, and FileError for a manifest that is damaged or of another version
 */
export function readMigrations(
  root: string,
  set: MigrationSet,
  { tables, tenants }: SetFacts,
): Migrations {
  const problems: FileProblem[] = [];
  const path = manifestPath(set);
  const manifestText = readText(root, path);
  if (manifestText === undefined) throw new ManifestMissingError(path);
  if (stateOf(path, manifestText) !== 'intact') problems.push(edited(path));
  const manifest = parseManifest(manifestText, path);
  const ofSet = tables.filter((table) => table.set === set.name);
  const replicated = ofSet.filter((table) => table.kind === 'replicated');
  const read = (entry: ManifestEntry): MigrationFile => {
    const { text, problem } = readEntry(root, `${set.folder}/${entry.path}`, entry);
    if (problem) problems.push(problem);
    const table = tableOf(entry, replicated);
    return { ...entry, text, ...(table && { table }) };
  };
  const files = withBelow(manifest.files.map(read), tenants);
  const validation = manifest.validation.map(read);
  const listed = new Set(manifest.files.map(({ path }) => path));
  for (const path of USER_CATEGORIES.flatMap((category) => listSql(root, set, category))) {
    if (!listed.has(path)) problems.push(stale(`${set.folder}/${path}`));
  }
  return { set, role: manifest.role, files, validation, tables: replicated, problems };
}

interface ReadEntry {
  readonly text: string;
  readonly problem?: FileProblem;
}

/**
 * Computes checksums of `repeatable/` files from their text and dependencies: the tables and files that they need, and
 * the tenants if a file is for all of them. A file is outdated when one of these changes.
 */
function withBelow(
  files: readonly MigrationFile[],
  tenants: readonly string[],
): readonly MigrationFile[] {
  const below: MigrationFile[] = [];
  return files.map((file) => {
    const isRepeatable = file.category === 'repeatable';
    const own = isRepeatable ? below.filter(({ name }) => needs(file, name)) : [];
    const ofAll = isGlobal(file) ? [...tenants].sort() : [];
    const parts = [file.checksum, ...own.map(({ checksum }) => checksum), ...ofAll];
    const found = isRepeatable ? { ...file, checksum: checksumOf(parts.join('\n')) } : file;
    if (isRepeatable || file.category === 'tables') below.push(found);
    return found;
  });
}

function readEntry(root: string, path: string, entry: ManifestEntry): ReadEntry {
  const { checksum } = entry;
  const written = readText(root, path);
  if (written === undefined) return { text: '', problem: stale(path, 'is not there') };
  const text = withLf(written);
  const isOfUsers = isUserFile(entry);
  const conflict = findConflict(path, text);
  if (isOfUsers && conflict) return { text, problem: withConflict(path, conflict) };
  if (!isOfUsers && stateOf(path, written) !== 'intact') {
    return { text, problem: edited(path, conflict) };
  }
  const isListed = checksumOf(isOfUsers ? text : bodyOf(text)) === checksum;
  return isListed ? { text } : { text, problem: stale(path) };
}

function edited(path: string, conflict?: Conflict): FileProblem {
  const problem = conflict
    ? `${path}:${conflict.line}: ${conflict.message}`
    : `${path}: this generated file was edited`;
  const message = `${problem}; cdc manage-migrations generate --force generates it again`;
  return { path, problem: 'edited', message };
}

function withConflict(path: string, { line, message }: Conflict): FileProblem {
  return { path, problem: 'stale', message: `${path}:${line}: ${message}; resolve it` };
}

function stale(path: string, what = 'differs from the manifest'): FileProblem {
  const message = `${path}: ${what}; cdc manage-migrations generate updates both`;
  return { path, problem: 'stale', message };
}

function tableOf(
  { category, name, service, schema }: ManifestEntry,
  tables: readonly ReplicatedTable[],
): ReplicatedTable | undefined {
  if (category !== 'tables' && category !== 'staging') return undefined;
  return tables.find(
    (table) =>
      table.name === name &&
      table.service === service &&
      (table.schema.scope === 'tenant' ? undefined : table.schema.name) === schema,
  );
}

function listSql(
  root: string,
  { folder }: MigrationSet,
  category: UserCategory,
): readonly string[] {
  try {
    return readdirSync(resolveRepoPath(root, `${folder}/${category}`), {
      recursive: true,
      encoding: 'utf8',
    })
      .map((name) => `${category}/${name.replaceAll('\\', '/')}`)
      .filter((name) => name.endsWith('.sql'))
      .sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function readText(root: string, path: string): string | undefined {
  try {
    return readFileSync(resolveRepoPath(root, path), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
