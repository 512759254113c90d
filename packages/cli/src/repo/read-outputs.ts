import { parseSnapshot, type Catalog } from '@cdc-migrations/catalog';
import {
  bodyOf,
  checksumOf,
  findBidiControls,
  characterProblem,
  stateOf,
  withLf,
} from '@cdc-migrations/generated-file';
import { findConflict } from '@cdc-migrations/shape';
import { findClientCommand } from '@cdc-migrations/sql-text';
import {
  DEFINITIONS_FOLDER,
  parseDefinition,
  parseSets,
  SETS_FILE,
  sortDefinitions,
  type MigrationSet,
  type TableDefinition,
  type UserCategory,
  type UserFile,
} from '@cdc-migrations/table-defs';
import { CommandError, EXIT } from '../exit-code.ts';
import { listFiles, readIfThere } from './repo-files.ts';

/** Folder of the snapshots, relative to the implementation repo. */
export const SNAPSHOTS_FOLDER = 'generated/schemas';

/** Reads the catalogs of all snapshots. */
export function readSnapshots(root: string): readonly Catalog[] {
  return listFiles(root, SNAPSHOTS_FOLDER)
    .filter((path) => path.endsWith('.yaml'))
    .map((path) => parseSnapshot(readText(root, path), path));
}

/**
 * Reads the definitions from the stage table-defs, in their build order.
 *
 * @throws CommandError if definitions of `sets` are missing, because a stage would treat them as removed
 */
export function readDefinitions(
  root: string,
  sets: readonly MigrationSet[],
): readonly TableDefinition[] {
  const tables = sortDefinitions(readCommitted(root));
  const served = new Set(tables.map(({ set, service }) => `${service} in ${set}`));
  for (const { name, services } of sets) {
    const missing = services.find((service) => !served.has(`${service} in ${name}`));
    if (missing !== undefined) {
      const message = `${DEFINITIONS_FOLDER}: contains no table of ${missing} in ${name}; ${RUN_FIRST}`;
      throw new CommandError(message);
    }
  }
  return tables;
}

/** Reads the migration sets from the stage table-defs. */
export function readSets(root: string): readonly MigrationSet[] {
  return parseSets(readIntact(root, SETS_FILE));
}

/**
 * Reads the files of users in a folder of a set, in order of name.
 *
 * @throws CommandError for a file with a git conflict, a psql command, or bidirectional control characters
 */
export function readUserFiles(
  root: string,
  { folder }: MigrationSet,
  category: UserCategory,
): readonly UserFile[] {
  return listFiles(root, `${folder}/${category}`)
    .filter((path) => path.endsWith('.sql'))
    .map((path) => {
      const problem = characterProblem(path, 'rename the file');
      if (problem !== undefined) throw new CommandError(problem);
      const text = withLf(readText(root, path));
      const conflict = findConflict(path, text);
      if (conflict) {
        throw new CommandError(`${path}:${conflict.line}: ${conflict.message}; resolve it`);
      }
      const [turning] = findBidiControls(text);
      if (turning) {
        const message = `expected ${turning.letter} to be written as an escape in E'…' or removed, found the character itself, which changes the text direction`;
        throw new CommandError(`${path}:${turning.line}: ${message}`);
      }
      const command = findClientCommand(text);
      if (command) throw new CommandError(`${path}:${command.line}: ${command.message}`);
      return { category, path, text, checksum: checksumOf(text) };
    });
}

/** Reads the checksum from the body of a generated file on disk. */
export function readChecksum(root: string, path: string): string {
  return checksumOf(bodyOf(withLf(readIntact(root, path))));
}

/** Reads the definitions in the repo, in order of file. Returns none before the first generate. */
export function readCommitted(root: string): readonly TableDefinition[] {
  return listFiles(root, DEFINITIONS_FOLDER)
    .filter((path) => path.endsWith('.yaml'))
    .map((path) => parseDefinition(readIntact(root, path), path));
}

const RUN_FIRST = 'run the stages before this one';

/** Reads a generated file. Throws if it is missing or edited. */
function readIntact(root: string, path: string): string {
  const text = readText(root, path);
  const state = stateOf(path, text);
  if (state === 'intact') return text;
  const conflict = findConflict(path, text);
  const problem = conflict
    ? conflict.message
    : state === 'edited'
      ? 'this generated file was edited'
      : 'is not a generated file';
  const location = conflict ? `${path}:${conflict.line}` : path;
  const message = `${location}: ${problem}; cdc manage-migrations generate --force rewrites all files`;
  throw new CommandError(message, EXIT.edited);
}

function readText(root: string, path: string): string {
  const text = readIfThere(root, path);
  if (text === undefined) throw new CommandError(`${path}: not found; ${RUN_FIRST}`);
  return text;
}
