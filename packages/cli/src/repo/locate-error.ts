import { readFileSync } from 'node:fs';
import { ConfigError, locateProblems, type Problem } from '@cdc-migrations/config';
import { resolveRepoPath } from '@cdc-migrations/generated-file';

/** Adds line numbers to the problems of an error about YAML of users. Returns other errors unchanged. */
export function locateError(error: unknown, root: string): unknown {
  if (!(error instanceof ConfigError)) return error;
  return new ConfigError(locateProblemsIn(root, error.problems));
}

/** Adds the file lines to problems. */
export function locateProblemsIn(root: string, problems: readonly Problem[]): readonly Problem[] {
  return locateProblems(problems, (file) => {
    try {
      return readFileSync(resolveRepoPath(root, file), 'utf8');
    } catch {
      return undefined; // The problem is about an unreadable file, which has no lines.
    }
  });
}
