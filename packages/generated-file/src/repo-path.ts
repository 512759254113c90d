import { lstatSync } from 'node:fs';
import { join } from 'node:path';

/** Thrown for a path that may lead out of the repo. */
export class RepoPathError extends Error {
  override readonly name = 'RepoPathError';
  constructor(
    /** The path as given, relative to the repo. */
    readonly path: string,
    /** Reason of the refusal: what was expected, and what was found. */
    readonly reason: string,
  ) {
    super(`${path}: ${reason}`);
  }
}

/** Path parts that may lead out of the repo on any operating system: `..`, empty parts, `\`, `C:`, NUL. */
const LEADS_OUT = /(?:^|\/)(?:\.\.?)?(?:\/|$)|[\\\0]|^[A-Za-z]:/;

/**
 * Resolves the absolute path of a file or folder of an implementation repo. The file does not have to exist. Every read
 * and write in a repo resolves its paths here, so that no name or link can lead outside. Links are refused, even within
 * the repo. The repo itself may be a link.
 *
 * @param path relative to `root`, with slashes. A slash at the end is allowed for a folder.
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
    if (!state.isDirectory()) break; // Nothing can exist below a file. Opening the path reports that.
  }
  return join(root, inner);
}
