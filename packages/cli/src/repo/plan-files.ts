import { stateOf, type FileState, type GeneratedFile } from '@cdc-migrations/generated-file';
import { findConflict, type Conflict } from '@cdc-migrations/shape';
import { USER_CATEGORIES } from '@cdc-migrations/table-defs';
import { CommandError } from '../exit-code.ts';
import type { GenerateOptions } from '../generate/generate-options.ts';
import { readIfThere } from './repo-files.ts';
import { STAGES, type Stage } from '../generate/stage.ts';
import type { Output } from '../generate/stages.ts';

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
  /** What git left in the file that is there; only of one that is in the way. */
  readonly conflict?: Conflict;
}

/** A file that must not be lost: edited by hand, or somebody else's where one of ours is to be written. */
export function isInTheWay({ action }: FileStep): boolean {
  return action === 'edited' || action === 'foreign';
}

/**
 * What would become of the files on disk: those that are wanted, and those that are there and no longer are. With
 * `force`, nothing is in the way, and nothing but its own files is left in the folders of a single stage: they are
 * outputs of a build, and a cache keeps all that it finds there. Reads only.
 *
 * @throws CommandError where two files would be one on a file system that ignores case.
 */
export function planFiles(
  root: string,
  { files, present, sets }: Pick<Output, 'files' | 'present' | 'sets'>,
  { force = false, only }: Pick<GenerateOptions, 'force'> & { readonly only?: Stage | 'pipelines' },
): readonly FileStep[] {
  const wanted = files.map(({ path, text }): FileStep => {
    const action = wantedAction(readIfThere(root, path), { path, text });
    return { path, action: force && FORCED[action] ? 'change' : action, text };
  });
  const paths = refuseTwins(files);
  const stale = present
    .filter((path) => !paths.has(path.normalize()))
    .filter((path) => !sets.some(({ folder }) => isOfUsers(path, folder)))
    .map((path): FileStep => {
      const action = staleAction(root, path);
      const isCleared = FORCED[action] || (action === 'stray' && STAGES_OF_FOLDERS.has(only));
      return { path, action: force && isCleared ? 'remove' : action };
    });
  return [...wanted, ...stale].map((step) => (isInTheWay(step) ? withConflict(root, step) : step));
}

function isOfUsers(path: string, folder: string): boolean {
  return USER_CATEGORIES.some((category) => path.startsWith(`${folder}/${category}/`));
}

function withConflict(root: string, step: FileStep): FileStep {
  const conflict = findConflict(step.path, readIfThere(root, step.path) ?? '');
  return conflict ? { ...step, conflict } : step;
}

/** The paths, in the form in which they are compared with those on disk. */
function refuseTwins(files: Output['files']): ReadonlySet<string> {
  const paths = new Map<string, string>();
  for (const { path } of files) {
    const folded = path.normalize().toLowerCase();
    const other = paths.get(folded);
    if (other !== undefined) {
      const message = `${other} and ${path}: would be one file where case does not matter; rename a schema or a table`;
      throw new CommandError(message);
    }
    paths.set(folded, path);
  }
  return new Set(files.map(({ path }) => path.normalize()));
}

/** Stages whose folders are theirs alone; manifests stand among the files of people. */
const STAGES_OF_FOLDERS: ReadonlySet<Stage | 'pipelines' | undefined> = new Set([
  ...STAGES.filter((stage) => stage !== 'migrations'),
  'pipelines' as const,
]);

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

/** Folders of users where there is one set more, or one less. */
const OF_USERS = new RegExp(`^migrations/[^/]+/(?:${USER_CATEGORIES.join('|')})/`);

function staleAction(root: string, path: string): FileAction {
  if (LEFTOVER.test(path)) return 'remove';
  if (!/\.(?:sql|yaml|json|env)$/.test(path) || OF_USERS.test(path)) return 'stray';
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
