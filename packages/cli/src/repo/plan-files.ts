import { stateOf, type FileState, type GeneratedFile } from '@cdc-migrations/generated-file';
import { findConflict, type Conflict } from '@cdc-migrations/shape';
import { USER_CATEGORIES } from '@cdc-migrations/table-defs';
import { CommandError } from '../exit-code.ts';
import type { GenerateOptions } from '../generate/generate-options.ts';
import { readIfThere } from './repo-files.ts';
import { STAGES, type Stage } from '../generate/stage.ts';
import type { Output } from '../generate/stages.ts';

/**
 * Action for a file. `edited` is a generated file that a user changed. `foreign` is a file of a user at the path of a
 * generated one. `extra` is another file of a user, which stays unchanged.
 */
export type FileAction = 'create' | 'change' | 'keep' | 'remove' | 'edited' | 'foreign' | 'extra';

export interface FileStep {
  /** Path relative to the repo. A folder ends in `/`. */
  readonly path: string;
  readonly action: FileAction;
  /** Content to write. Undefined for a file to remove. */
  readonly text?: string;
  /** Conflict markers of git in the existing file, if it is in the way. */
  readonly conflict?: Conflict;
}

/** Returns true for a file that must not be lost: an edited one, or a file of a user at the path of a generated one. */
export function isInTheWay({ action }: FileStep): boolean {
  return action === 'edited' || action === 'foreign';
}

/**
 * Plans the changes of files on disk: those that are wanted, and existing ones that are no longer wanted. With `force`
 * nothing is in the way, and the folders of a single stage keep only its own files. They are build outputs, and a cache
 * stores every file in them. Reads only.
 *
 * @throws CommandError if two files would be the same on a case-insensitive file system
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
  const paths = refuseDuplicates(files);
  const stale = present
    .filter((path) => !paths.has(path.normalize()))
    .filter((path) => !sets.some(({ folder }) => isOfUsers(path, folder)))
    .map((path): FileStep => {
      const action = staleAction(root, path);
      const isCleared = FORCED[action] || (action === 'extra' && STAGES_OF_FOLDERS.has(only));
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

/** Returns the paths in the form for comparison with those on disk. Refuses names that differ only in case. */
function refuseDuplicates(files: Output['files']): ReadonlySet<string> {
  const paths = new Map<string, string>();
  for (const { path } of files) {
    const folded = path.normalize().toLowerCase();
    const other = paths.get(folded);
    if (other !== undefined) {
      const message = `${other} and ${path} are the same file on a case-insensitive file system; rename a schema or a table`;
      throw new CommandError(message);
    }
    paths.set(folded, path);
  }
  return new Set(files.map(({ path }) => path.normalize()));
}

/** Stages that own their folders. Manifests are in folders with files of users. */
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

/** Temporary file of an interrupted write. */
const LEFTOVER = /\.\d+\.part$/;

/** Folders of users in any set, also one that appears or disappears. */
const OF_USERS = new RegExp(`^migrations/[^/]+/(?:${USER_CATEGORIES.join('|')})/`);

function staleAction(root: string, path: string): FileAction {
  if (LEFTOVER.test(path)) return 'remove';
  if (!/\.(?:sql|yaml|json|env)$/.test(path) || OF_USERS.test(path)) return 'extra';
  const actions: { readonly [S in FileState]: FileAction } = {
    intact: 'remove',
    edited: 'edited',
    foreign: 'extra',
  };
  return actions[stateOf(path, readIfThere(root, path) ?? '')];
}

/** Converts line ends, because a checkout with CRLF is not a change. */
function withLineFeeds(text: string): string {
  return text.replaceAll('\r\n', '\n');
}
