import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { CommandError } from '../exit-code.ts';

const MARK = 'source-groups.yaml';

/**
 * Returns the implementation repo: `given`, or the nearest folder above the working directory with a
 * source-groups.yaml.
 */
export function findRoot(given: string | undefined): string {
  if (given !== undefined) {
    const root = resolve(given);
    if (!existsSync(join(root, MARK)))
      throw new CommandError(
        `--root ${given}: there is no ${MARK} in this folder; cdc init creates an implementation repo`,
      );
    return root;
  }
  for (let folder = process.cwd(); ; folder = dirname(folder)) {
    if (existsSync(join(folder, MARK))) return folder;
    if (folder === dirname(folder)) {
      throw new CommandError(
        `no ${MARK} in ${process.cwd()} or its parent folders; run this in an implementation repo, select one with --root, or create one with cdc init`,
      );
    }
  }
}
