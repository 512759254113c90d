import { readFileSync } from 'node:fs';
import { ConfigError, locateProblems, type Problem } from '@cdc-migrations/config';
import { resolveRepoPath } from '@cdc-migrations/generated-file';

/** The error with the lines of its problems, where it is about YAML that people write; any other as it is. */
export function locateError(error: unknown, root: string): unknown {
  if (!(error instanceof ConfigError)) return error;
  return new ConfigError(locateProblemsIn(root, error.problems));
}

/** Problems with the lines of the files that they are about. */
export function locateProblemsIn(root: string, problems: readonly Problem[]): readonly Problem[] {
  return locateProblems(problems, (file) => {
    try {
      return readFileSync(resolveRepoPath(root, file), 'utf8');
    } catch {
      return undefined; // The problem is then that of a file that cannot be read: it has no lines.
    }
  });
}
