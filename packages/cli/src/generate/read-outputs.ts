import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSnapshot, type Catalog } from '@cdc-migrations/catalog';
import { checksumOf, stateOf } from '@cdc-migrations/generated-file';
import {
  DEFINITIONS_FOLDER,
  parseDefinition,
  parseSets,
  SETS_FILE,
  type MigrationSet,
  type TableDefinition,
} from '@cdc-migrations/table-defs';
import { CommandError, EXIT } from '../exit-code.ts';
import type { ManualFile } from './manifest.ts';

/** Folder of the snapshots, relative to the implementation repo. */
export const SNAPSHOTS_FOLDER = 'generated/schemas';

/** Paths of the files below a folder of the repo, relative to the repo, in order of name; none where it is missing. */
export function listFiles(root: string, folder: string): readonly string[] {
  let entries;
  try {
    entries = readdirSync(join(root, folder), { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new CommandError(`${folder}: cannot be read (${(error as Error).message})`, EXIT.usage, {
      cause: error,
    });
  }
  return entries
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      return entry.isDirectory() ? listFiles(root, path) : [path];
    });
}

/** Catalogs of all snapshots. */
export function readSnapshots(root: string): readonly Catalog[] {
  return listFiles(root, SNAPSHOTS_FOLDER)
    .filter((path) => path.endsWith('.yaml'))
    .map((path) => parseSnapshot(readText(root, path), path));
}

/** Definitions that the stage table-defs wrote, in the order in which it built them. */
export function readDefinitions(root: string): readonly TableDefinition[] {
  const order = ({ set, service, schema, name }: TableDefinition) =>
    [set, service, schema.scope === 'tenant' ? '' : schema.name, name].join('\0');
  return listFiles(root, DEFINITIONS_FOLDER)
    .filter((path) => path.endsWith('.yaml'))
    .map((path) => parseDefinition(readIntact(root, path)))
    .sort((a, b) => (order(a) < order(b) ? -1 : 1));
}

/** Migration sets that the stage table-defs wrote. */
export function readSets(root: string): readonly MigrationSet[] {
  return parseSets(readIntact(root, SETS_FILE));
}

/** Files that people wrote for a set, in order of name. */
export function readManual(root: string, { folder }: MigrationSet): readonly ManualFile[] {
  return listFiles(root, `${folder}/manual`)
    .filter((path) => path.endsWith('.sql'))
    .map((path) => {
      const text = readText(root, path);
      return { path, text, checksum: checksumOf(text) };
    });
}

/** Checksum of the body of a generated file on disk. */
export function readChecksum(root: string, path: string): string {
  const text = readIntact(root, path).replaceAll('\r\n', '\n');
  return checksumOf(text.slice(text.indexOf('\n\n') + 2));
}

/** Text of a generated file, which must be there as it was written. */
function readIntact(root: string, path: string): string {
  const text = readText(root, path);
  if (stateOf(path, text) === 'intact') return text;
  throw new CommandError(
    `${path}: this generated file was edited; cdc manage-migrations generate --force writes it anew`,
    EXIT.edited,
  );
}

function readText(root: string, path: string): string {
  try {
    return readFileSync(join(root, path), 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason =
      code === 'ENOENT'
        ? 'is not there; run the stages before this one'
        : `cannot be read (${message})`;
    throw new CommandError(`${path}: ${reason}`, EXIT.usage, { cause: error });
  }
}
