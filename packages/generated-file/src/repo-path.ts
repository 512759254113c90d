import { lstatSync } from 'node:fs';
import { join } from 'node:path';

/** A path of a repo that may lead elsewhere. */
export class RepoPathError extends Error {
  override readonly name = 'RepoPathError';
  constructor(
    /** As it was given, relative to the repo. */
    readonly path: string,
    /** What was found, and what was expected. */
    readonly reason: string,
  ) {
    super(`${path}: ${reason}`);
  }
}

/** What could lead out of the repo, on this system or on another: `..`, nothing between two slashes, `\`, `C:`, NUL. */
const LEADS_OUT = /(?:^|\/)(?:\.\.?)?(?:\/|$)|[\\\0]|^[A-Za-z]:/;

/**
 * Resolves the absolute path of a file or folder of an implementation repo, which need not be there. All that reads or writes in a
 * repo asks for its paths here: nothing in it can name or link to a place outside. Links are refused, also those
 * within the repo; the repo itself may be one.
 *
 * @param path relative to `root`, with slashes; a slash in the end is for a folder.
 * @throws RepoPathError
 */
export function resolveRepoPath(root: string, path: string): string {
  const inner = path.replace(/\/$/, '');
  if (LEADS_OUT.test(inner)) {
    throw new RepoPathError(path, 'expected a path within the repo, with / between its parts');
  }
  let at = root;
  let found = '';
  for (const part of inner.split('/')) {
    at = join(at, part);
    found += found === '' ? part : `/${part}`;
    const state = lstatSync(at, { throwIfNoEntry: false });
    if (!state) break;
    if (state.isSymbolicLink()) {
      const what = found === inner ? 'a link' : `a link at ${found}`;
      throw new RepoPathError(path, `expected a file or folder in the repo itself, found ${what}`);
    }
    if (!state.isDirectory()) break; // What would be below it is not there, which whoever opens it is told.
  }
  return join(root, inner);
}
