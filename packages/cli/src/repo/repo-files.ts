import { readdirSync, readFileSync, statSync } from 'node:fs';
import { RepoPathError, resolveRepoPath } from '@cdc-migrations/generated-file';
import { CommandError } from '../exit-code.ts';

/**
 * Lists files below a folder, relative to the repo and in order of name. Returns none if the folder is missing. Skips
 * hidden files, which belong to editors and systems. Lists links and does not follow them.
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

/** Reads a file of the repo. Returns undefined if it does not exist. */
export function readIfThere(root: string, path: string): string | undefined {
  try {
    const file = resolveRepoPath(root, path);
    // Much faster than an exception for each of thousands of new files.
    if (!statSync(file, { throwIfNoEntry: false })) return undefined;
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unreadable(path, error);
  }
}

/** Returns the reason why a file or folder cannot be read or written, without its path on this machine. */
export function reasonOf(error: unknown): string {
  if (error instanceof RepoPathError) return error.reason;
  const { code, message } = error as NodeJS.ErrnoException;
  return REASONS[code ?? ''] ?? code ?? message;
}

const REASONS: { readonly [code: string]: string } = {
  ENOENT: 'no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EISDIR: 'expected a file, found a folder',
  ELOOP: 'expected a file, found a link',
  ENOTDIR: 'expected a folder, found a file',
  EEXIST: 'expected a folder, found a file',
  ENOSPC: 'no space left on the disk',
  EROFS: 'the file system is read-only',
  EBUSY: 'another program uses it',
};

function unreadable(path: string, cause: unknown): CommandError {
  if (cause instanceof RepoPathError) return new CommandError(cause.message, undefined, { cause });
  return new CommandError(`${path}: cannot be read: ${reasonOf(cause)}`, undefined, { cause });
}
