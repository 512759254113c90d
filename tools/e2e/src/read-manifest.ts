import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseYaml } from '@cdc-migrations/generated-file';
import type { MigrationFile } from './apply-files.ts';

const MANIFEST = 'migrations/manifest.yaml';

/**
 * The files of an implementation repo's manifest, in the order of application.
 *
 * @param manifest relative to `root`
 */
export function readManifest(root: string, manifest = MANIFEST): readonly MigrationFile[] {
  const { files } = parseYaml(readFileSync(join(root, manifest), 'utf8')) as Manifest;
  return files.map(({ path, category, scope }) => ({
    path,
    category,
    scope,
    text: readFileSync(join(root, path), 'utf8'),
  }));
}

interface Manifest {
  readonly files: readonly Omit<MigrationFile, 'text'>[];
}
