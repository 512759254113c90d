import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stateOf, type GeneratedFile } from '@cdc-migrations/generated-file';
import { CommandError, EXIT } from '../exit-code.ts';
import { listFiles } from './read-outputs.ts';

/** What becomes of a file: `edited` is a generated file that somebody changed, `foreign` one that is not ours. */
export type FileAction = 'create' | 'change' | 'keep' | 'remove' | 'edited' | 'foreign';

export interface FileStep {
  readonly path: string;
  readonly action: FileAction;
  /** Content to write; none for a file to remove. */
  readonly text?: string;
}

/**
 * What would become of the files on disk: those that are wanted, and those in `owned` folders that no longer are.
 * Reads only.
 */
export function planFiles(
  root: string,
  wanted: readonly GeneratedFile[],
  owned: readonly string[],
): readonly FileStep[] {
  const steps = wanted.map(({ path, text }): FileStep => ({
    path,
    action: actionOf(root, path, text),
    text,
  }));
  const paths = new Set(wanted.map(({ path }) => path));
  const stale = owned
    .flatMap((folder) => listFiles(root, folder))
    .filter((path) => !paths.has(path))
    .map((path): FileStep => ({ path, action: staleAction(root, path) }));
  return [...steps, ...stale];
}

function actionOf(root: string, path: string, text: string): FileAction {
  const present = readIfThere(root, path);
  if (present === undefined) return 'create';
  if (present === text) return 'keep';
  const state = stateOf(path, present);
  return state === 'intact' ? 'change' : state;
}

function staleAction(root: string, path: string): FileAction {
  const state = stateOf(path, readIfThere(root, path) ?? '');
  return state === 'intact' ? 'remove' : state;
}

function readIfThere(root: string, path: string): string | undefined {
  try {
    return readFileSync(join(root, path), 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    const reason =
      code === 'EISDIR'
        ? 'is a folder, and a file is to be written there'
        : `cannot be read (${message})`;
    throw new CommandError(`${path}: ${reason}`, EXIT.usage, { cause: error });
  }
}
