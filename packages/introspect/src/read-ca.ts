import { isCertificate } from '@cdc-migrations/config';
import { readFileSync } from 'node:fs';
import { CaFileError } from './source-error.ts';
import type { SourceDatabase } from './source-database.ts';

/** The authorities in a server's `ca_file`, as PEM; undefined where it names none. */
export function readCa(source: SourceDatabase): string | undefined {
  const { caFile } = source.server;
  if (caFile === undefined) return undefined;
  try {
    const pem = readFileSync(caFile, 'utf8');
    if (isCertificate(pem)) return pem;
    throw new Error('no certificate in PEM');
  } catch (cause) {
    throw new CaFileError(source, caFile, { cause });
  }
}
