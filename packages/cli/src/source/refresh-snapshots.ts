import { CommandError } from '../exit-code.ts';
import type { GenerateOptions } from '../generate/generate.ts';
import { schemaDocs } from './schema-docs.ts';

/**
 * Writes the snapshots anew before they are used, and returns the exit code.
 *
 * @throws CommandError with options that write nothing.
 */
export async function refreshSnapshots(options: GenerateOptions): Promise<number> {
  const { root, service, force, check, dryRun } = options;
  if (check || dryRun) {
    throw new CommandError(
      `--refresh writes snapshots and ${check ? '--check' : '--dry-run'} writes nothing; run schema-docs by itself first`,
    );
  }
  return schemaDocs({
    ...(root !== undefined && { root }),
    ...(service && { service }),
    ...(force && { force }),
    quiet: true,
  });
}
