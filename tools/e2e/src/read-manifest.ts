import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseManifest } from '@cdc-migrations/table-defs';
import type { MigrationFile } from './apply-files.ts';

const MANIFEST = 'migrations/manifest.yaml';

/**
 * Reads the files of an implementation repo's manifest in the order of application. Files that only `check` runs are
 * skipped.
 *
 * @param manifest relative to `root`
 */
export function readManifest(root: string, manifest = MANIFEST): readonly MigrationFile[] {
  const { files } = parseManifest(readFileSync(join(root, manifest), 'utf8'), manifest);
  const applied = files.filter(({ category }) => category !== 'validation');
  return applied.map(({ path, category, scope, service }) => ({
    path,
    category,
    scope,
    service,
    text: readFileSync(join(root, dirname(manifest), path), 'utf8'),
  }));
}
