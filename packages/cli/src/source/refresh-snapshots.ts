import type { GenerateOptions } from '../generate/generate-options.ts';
import { schemaDocs } from './schema-docs.ts';

/**
 * Writes the snapshots anew before they are used.
 *
 * @throws ConfigError, CommandError, also for a snapshot that was edited
 */
export async function refreshSnapshots({ root, service, force }: GenerateOptions): Promise<void> {
  await schemaDocs({
    ...(root !== undefined && { root }),
    ...(service && { service }),
    ...(force && { force }),
    quiet: true,
  });
}
