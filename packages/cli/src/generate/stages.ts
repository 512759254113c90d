import {
  readConfig,
  readServiceConfig,
  readSourceGroups,
  type Problem,
} from '@cdc-migrations/config';
import type { GeneratedFile } from '@cdc-migrations/generated-file';
import {
  buildDefinitions,
  DEFINITIONS_FOLDER,
  renderDefinitions,
  renderSets,
  type MigrationSet,
  type TableDefinition,
} from '@cdc-migrations/table-defs';
import type { Stage } from './stage.ts';
import { buildInfrastructure, buildSchemas, buildStaging, buildTables } from './build-files.ts';
import { buildManifest, renderManifest, type Category } from './manifest.ts';
import {
  readChecksum,
  readDefinitions,
  readManual,
  readSets,
  readSnapshots,
} from './read-outputs.ts';

/** The files of a run, and where files of ours that are not among them are stale. */
export interface Output {
  readonly files: readonly (GeneratedFile & { readonly table?: TableDefinition })[];
  /** Folders relative to the repo; all that we write there is in `files`. */
  readonly owned: readonly string[];
  readonly sets: readonly MigrationSet[];
  readonly tables: readonly TableDefinition[];
  readonly warnings: readonly Problem[];
}

/** All stages in one go, from the configuration and the snapshots. */
export function buildAll(root: string, role: string): Output {
  const config = readConfig(root);
  const { tables, sets, warnings } = buildDefinitions(config, readSnapshots(root));
  const sql = [
    ...buildSchemas(sets, config.sourceGroups, role),
    ...buildInfrastructure(sets, role),
    ...buildTables(sets, tables),
    ...buildStaging(sets, tables, role),
  ];
  const checksums = new Map(sql.map(({ path, checksum }) => [path, checksum]));
  const manifests = renderManifests(root, sets, tables, (path) => checksums.get(path)!);
  const files = [...renderDefinitions(tables), renderSets(sets), ...sql, ...manifests];
  return { files, owned: [DEFINITIONS_FOLDER, 'migrations'], sets, tables, warnings };
}

/** One stage, from what the stages before it have written; each reads only what it needs. */
export const BUILD_STAGE: { readonly [S in Stage]: (root: string, role: string) => Output } = {
  'table-defs': (root) => {
    const { tables, sets, warnings } = buildDefinitions(
      readServiceConfig(root),
      readSnapshots(root),
    );
    const files = [...renderDefinitions(tables), renderSets(sets)];
    return { files, owned: [DEFINITIONS_FOLDER], sets, tables, warnings };
  },
  schemas: (root, role) => {
    const sets = readSets(root);
    return ofSets(sets, ['schemas'], buildSchemas(sets, readSourceGroups(root), role));
  },
  infrastructure: (root, role) => {
    const sets = readSets(root);
    return ofSets(sets, ['infrastructure'], buildInfrastructure(sets, role));
  },
  tables: (root) => {
    const sets = readSets(root);
    const tables = readDefinitions(root);
    return ofSets(sets, ['tables', 'validation'], buildTables(sets, tables), tables);
  },
  staging: (root, role) => {
    const sets = readSets(root);
    const tables = readDefinitions(root);
    return ofSets(sets, ['staging'], buildStaging(sets, tables, role), tables);
  },
  migrations: (root) => {
    readConfig(root); // What is wrong between files shows nowhere else: the other stages each read their own.
    const sets = readSets(root);
    const tables = readDefinitions(root);
    const files = renderManifests(root, sets, tables, (path) => readChecksum(root, path));
    return ofSets(sets, [], files, tables);
  },
};

function ofSets(
  sets: readonly MigrationSet[],
  categories: readonly Category[],
  files: readonly GeneratedFile[],
  tables: readonly TableDefinition[] = [],
): Output {
  const owned = sets.flatMap(({ folder }) => categories.map((category) => `${folder}/${category}`));
  return { files, owned, sets, tables, warnings: [] };
}

function renderManifests(
  root: string,
  sets: readonly MigrationSet[],
  tables: readonly TableDefinition[],
  checksumOf: (path: string) => string,
): readonly GeneratedFile[] {
  return sets.map((set) => {
    const ofSet = tables.filter((table) => table.set === set.name);
    return renderManifest(buildManifest(set, ofSet, readManual(root, set), checksumOf), set);
  });
}
