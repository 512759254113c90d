import { stateOf, type FileState, type GeneratedFile } from '@cdc-migrations/generated-file';
import { readIfThere } from './repo-files.ts';
import type { Output } from './stages.ts';

/**
 * What becomes of a file: `edited` is a generated file that somebody changed, `foreign` one that we did not
 * write where one of ours is to be, `stray` one that we did not write and leave alone.
 */
export type FileAction = 'create' | 'change' | 'keep' | 'remove' | 'edited' | 'foreign' | 'stray';

export interface FileStep {
  /** Relative to the repo; a folder ends in `/`. */
  readonly path: string;
  readonly action: FileAction;
  /** Content to write; none for a file to remove. */
  readonly text?: string;
}

/** A file that must not be lost: edited by hand, or somebody else's where one of ours is to be written. */
export function isInTheWay({ action }: FileStep): boolean {
  return action === 'edited' || action === 'foreign';
}

/**
 * What would become of the files on disk: those that are wanted, and those that are there and no longer are. With
 * `force`, nothing is in the way. Reads only.
 */
export function planFiles(
  root: string,
  { files, present, sets }: Output,
  { force = false }: { readonly force?: boolean },
): readonly FileStep[] {
  const wanted = files.map(({ path, text }): FileStep => {
    const action = wantedAction(readIfThere(root, path), { path, text });
    return { path, action: force && FORCED[action] ? 'change' : action, text };
  });
  const paths = new Set(files.map(({ path }) => path.normalize()));
  const stale = present
    .filter((path) => !paths.has(path.normalize()))
    .filter((path) => !sets.some(({ folder }) => path.startsWith(`${folder}/manual/`)))
    .map((path): FileStep => {
      const action = staleAction(root, path);
      return { path, action: force && FORCED[action] ? 'remove' : action };
    });
  return [...wanted, ...stale];
}

const FORCED: { readonly [A in FileAction]?: true } = { edited: true, foreign: true };

function wantedAction(
  before: string | undefined,
  { path, text }: Pick<GeneratedFile, 'path' | 'text'>,
): FileAction {
  if (before === undefined) return 'create';
  if (before === text || withLineFeeds(before) === withLineFeeds(text)) return 'keep';
  const actions: { readonly [S in FileState]: FileAction } = {
    intact: 'change',
    edited: 'edited',
    foreign: 'foreign',
  };
  return actions[stateOf(path, before)];
}

/** What a write that was cut off leaves behind. */
const LEFTOVER = /\.\d+\.part$/;

function staleAction(root: string, path: string): FileAction {
  if (LEFTOVER.test(path)) return 'remove';
  if (!/\.(?:sql|yaml)$/.test(path) || /^migrations\/[^/]+\/manual\//.test(path)) return 'stray';
  const actions: { readonly [S in FileState]: FileAction } = {
    intact: 'remove',
    edited: 'edited',
    foreign: 'stray',
  };
  return actions[stateOf(path, readIfThere(root, path) ?? '')];
}

/** A checkout with other line ends is no change. */
function withLineFeeds(text: string): string {
  return text.replaceAll('\r\n', '\n');
}
