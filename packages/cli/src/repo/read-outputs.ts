import { parseSnapshot, type Catalog } from '@cdc-migrations/catalog';
import {
  bodyOf,
  checksumOf,
  findTurningLetters,
  letterFault,
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

/** Catalogs of all snapshots. */
export function readSnapshots(root: string): readonly Catalog[] {
  return listFiles(root, SNAPSHOTS_FOLDER)
    .filter((path) => path.endsWith('.yaml'))
    .map((path) => parseSnapshot(readText(root, path), path));
}

/**
 * Definitions that the stage table-defs wrote, in the order in which it built them.
 *
 * @throws CommandError where they are not all those of `sets`: a stage would take what is missing for removed.
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
      const message = `${DEFINITIONS_FOLDER}: holds no table of ${missing} in ${name}; ${RUN_FIRST}`;
      throw new CommandError(message);
    }
  }
  return tables;
}

/** Migration sets that the stage table-defs wrote. */
export function readSets(root: string): readonly MigrationSet[] {
  return parseSets(readIntact(root, SETS_FILE));
}

/**
 * Files that users wrote for a set in one of their folders, in order of name.
 *
 * @throws CommandError for one with a conflict of git, a command of psql, or letters that turn the direction of writing.
 */
export function readUserFiles(
  root: string,
  { folder }: MigrationSet,
  category: UserCategory,
): readonly UserFile[] {
  return listFiles(root, `${folder}/${category}`)
    .filter((path) => path.endsWith('.sql'))
    .map((path) => {
      const fault = letterFault(path, 'rename the file');
      if (fault !== undefined) throw new CommandError(fault);
      const text = withLf(readText(root, path));
      const conflict = findConflict(path, text);
      if (conflict) {
        throw new CommandError(`${path}:${conflict.line}: ${conflict.message}; resolve it`);
      }
      const [turning] = findTurningLetters(text);
      if (turning) {
        const message = `expected ${turning.letter} as an escape in E'…', or not at all, found the letter itself, which turns the direction of writing`;
        throw new CommandError(`${path}:${turning.line}: ${message}`);
      }
      const command = findClientCommand(text);
      if (command) throw new CommandError(`${path}:${command.line}: ${command.message}`);
      return { category, path, text, checksum: checksumOf(text) };
    });
}

/** Checksum of the body of a generated file on disk. */
export function readChecksum(root: string, path: string): string {
  return checksumOf(bodyOf(withLf(readIntact(root, path))));
}

/** Definitions in the repo, in order of file; none where nothing was generated yet. */
export function readCommitted(root: string): readonly TableDefinition[] {
  return listFiles(root, DEFINITIONS_FOLDER)
    .filter((path) => path.endsWith('.yaml'))
    .map((path) => parseDefinition(readIntact(root, path), path));
}

const RUN_FIRST = 'run the stages before this one';

/** Text of a generated file, which must be there as it was written. */
function readIntact(root: string, path: string): string {
  const text = readText(root, path);
  const state = stateOf(path, text);
  if (state === 'intact') return text;
  const conflict = findConflict(path, text);
  const fault = conflict
    ? conflict.message
    : state === 'edited'
      ? 'this generated file was edited'
      : 'is no generated file';
  const place = conflict ? `${path}:${conflict.line}` : path;
  const message = `${place}: ${fault}; cdc manage-migrations generate --force writes all anew`;
  throw new CommandError(message, EXIT.edited);
}

function readText(root: string, path: string): string {
  const text = readIfThere(root, path);
  if (text === undefined) throw new CommandError(`${path}: is not there; ${RUN_FIRST}`);
  return text;
}
