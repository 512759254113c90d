import type { GenerateOptions } from '../generate/generate.ts';
import { schemaDocs } from './schema-docs.ts';

/** Writes the snapshots anew before they are used, and returns the exit code. */
export function refreshSnapshots({ root, service, force }: GenerateOptions): Promise<number> {
  return schemaDocs({
    ...(root !== undefined && { root }),
    ...(service && { service }),
    ...(force && { force }),
    quiet: true,
  });
}
