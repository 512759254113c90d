import { readdirSync, readFileSync, statSync } from 'node:fs';
import { RepoPathError, resolveRepoPath } from '@cdc-migrations/generated-file';
import { CommandError } from '../exit-code.ts';

/**
 * Paths of the files below a folder of the repo, relative to the repo, in order of name; none where it is missing.
 * Hidden files are those of editors and systems. A link is listed, and not followed.
 */
export function listFiles(root: string, folder: string): readonly string[] {
  let entries;
  try {
    entries = readdirSync(resolveRepoPath(root, folder), { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw unreadable(folder, error);
  }
  return entries
    .filter(({ name }) => !name.startsWith('.'))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      return entry.isDirectory() ? listFiles(root, path) : [path];
    });
}

/** Text of a file of the repo; undefined where there is none. */
export function readIfThere(root: string, path: string): string | undefined {
  try {
    const file = resolveRepoPath(root, path);
    // Much cheaper than an error for each of thousands of new files.
    if (!statSync(file, { throwIfNoEntry: false })) return undefined;
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unreadable(path, error);
  }
}

/** Why a file or folder cannot be read or written, in words, without its place on this machine. */
export function reasonOf(error: unknown): string {
  if (error instanceof RepoPathError) return error.reason;
  const { code, message } = error as NodeJS.ErrnoException;
  return REASONS[code ?? ''] ?? code ?? message;
}

const REASONS: { readonly [code: string]: string } = {
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EISDIR: 'it is a folder, and should be a file',
  ELOOP: 'it is a link, and should be a file',
  ENOTDIR: 'a file is where a folder should be',
  EEXIST: 'a file is where a folder should be',
  ENOSPC: 'no space left on the disk',
  EROFS: 'the file system is read-only',
  EBUSY: 'another program uses it',
};

function unreadable(path: string, cause: unknown): CommandError {
  if (cause instanceof RepoPathError) return new CommandError(cause.message, undefined, { cause });
  return new CommandError(`${path}: cannot be read: ${reasonOf(cause)}`, undefined, { cause });
}
