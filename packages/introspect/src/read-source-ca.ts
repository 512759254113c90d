import { readCa } from '@cdc-migrations/session';
import type { SourceDatabase } from './source-database.ts';
import { CaFileError } from './source-error.ts';

/** Reads the authorities in the `ca_file` of a source's server as PEM. Returns undefined if no file is set. */
export function readSourceCa(source: SourceDatabase): string | undefined {
  try {
    return readCa(source.server);
  } catch (cause) {
    throw new CaFileError(source, source.server.caFile ?? '', { cause });
  }
}
