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
  manifestPath,
  parseManifest,
  type ManifestEntry,
  type MigrationSet,
  type ReplicatedTable,
  type TableDefinition,
} from '@cdc-migrations/table-defs';
import type { FileProblem, MigrationFile, Migrations } from './migrations.ts';

/** The manifest of a set is not there: nothing was generated. */
export class ManifestMissingError extends Error {
  override readonly name = 'ManifestMissingError';
  constructor(readonly path: string) {
    super(`${path} is not there; cdc manage-migrations generate writes it`);
  }
}

/**
 * The files of a set as they are on disk, in the order of the manifest, with all that is wrong with them.
 *
 * @param tables definitions of the repo; those of other sets are left out.
 * @throws ManifestMissingError, RepoPathError; FileError for a manifest that is damaged or of another version.
 */
export function readMigrations(
  root: string,
  set: MigrationSet,
  tables: readonly TableDefinition[],
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
  const files = manifest.files.map(read);
  const validation = manifest.validation.map(read);
  const listed = new Set(manifest.files.map(({ path }) => path));
  for (const name of listManual(root, set)) {
    if (!listed.has(`manual/${name}`)) problems.push(stale(`${set.folder}/manual/${name}`));
  }
  return { set, role: manifest.role, files, validation, tables: replicated, problems };
}

interface ReadEntry {
  readonly text: string;
  readonly problem?: FileProblem;
}

function readEntry(root: string, path: string, { category, checksum }: ManifestEntry): ReadEntry {
  const written = readText(root, path);
  if (written === undefined) return { text: '', problem: stale(path, 'is not there') };
  const text = withLf(written);
  const isManual = category === 'manual';
  const conflict = findConflict(path, text);
  if (isManual && conflict) return { text, problem: withConflict(path, conflict) };
  if (!isManual && stateOf(path, written) !== 'intact') {
    return { text, problem: edited(path, conflict) };
  }
  const isListed = checksumOf(isManual ? text : bodyOf(text)) === checksum;
  return isListed ? { text } : { text, problem: stale(path) };
}

function edited(path: string, conflict?: Conflict): FileProblem {
  const fault = conflict
    ? `${path}:${conflict.line}: ${conflict.message}`
    : `${path}: this generated file was edited`;
  const message = `${fault}; cdc manage-migrations generate --force writes it anew`;
  return { path, problem: 'edited', message };
}

function withConflict(path: string, { line, message }: Conflict): FileProblem {
  return { path, problem: 'stale', message: `${path}:${line}: ${message}; resolve it` };
}

function stale(path: string, what = 'is not in the manifest as it is'): FileProblem {
  const message = `${path}: ${what}; cdc manage-migrations generate brings both together`;
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

function listManual(root: string, { folder }: MigrationSet): readonly string[] {
  try {
    return readdirSync(resolveRepoPath(root, `${folder}/manual`), {
      recursive: true,
      encoding: 'utf8',
    })
      .map((name) => name.replaceAll('\\', '/'))
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
