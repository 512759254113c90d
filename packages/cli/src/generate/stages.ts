import {
  readConfig,
  readServiceConfig,
  readSourceGroups,
  type Problem,
  type SourceGroup,
} from '@cdc-migrations/config';
import type { GeneratedFile } from '@cdc-migrations/generated-file';
import {
  buildDefinitions,
  buildManifest,
  DEFINITIONS_FOLDER,
  locateTables,
  renderDefinitions,
  renderManifest,
  renderSets,
  USER_CATEGORIES,
  type Category,
  type ManifestFacts,
  type MigrationSet,
  type LocatedTable,
  type TableDefinition,
  type TableFile,
} from '@cdc-migrations/table-defs';
import {
  renderInfrastructure,
  renderSchemas,
  renderTable,
  renderValidation,
} from '@cdc-migrations/ddl-render';
import { renderStaging } from '@cdc-migrations/staging-render';
import {
  readChecksum,
  readDefinitions,
  readSets,
  readSnapshots,
  readUserFiles,
} from '../repo/read-outputs.ts';
import { listFiles } from '../repo/repo-files.ts';
import { tenantsOf } from '../repo/tenants-of.ts';
import type { Stage } from './stage.ts';

/** Files of a run, and files on disk that are stale unless the run has them. */
export interface Output {
  readonly files: readonly (GeneratedFile & { readonly table?: TableDefinition })[];
  /** Paths of existing files in the folders of the run. */
  readonly present: readonly string[];
  readonly sets: readonly MigrationSet[];
  readonly tables: readonly TableDefinition[];
  readonly warnings: readonly Problem[];
}

/** Builds all stages at once from the configuration and the snapshots. */
export function buildAll(root: string, readRole: () => string): Output {
  const role = readRole();
  const config = readConfig(root);
  const { tables, sets, warnings } = buildDefinitions(config, readSnapshots(root));
  const located = locateAll(sets, tables);
  const sql = [
    ...buildSchemas(sets, config.sourceGroups, role),
    ...buildInfrastructure(sets, role),
    ...buildTables(located),
    ...buildStaging(located, role),
  ];
  const checksums = new Map(sql.map(({ path, checksum }) => [path, checksum]));
  const manifests = renderManifests(root, sets, located, {
    role,
    checksumOf: (path) => checksums.get(path)!,
  });
  const files = [...renderDefinitions(tables), renderSets(sets), ...sql, ...manifests];
  const present = [...listFiles(root, DEFINITIONS_FOLDER), ...listFiles(root, MIGRATIONS_FOLDER)];
  return { files, present, sets, tables, warnings };
}

/**
 * Builds one stage from the output of the stages before it. Each stage reads only the files and variables that it
 * needs.
 */
export const BUILD_STAGE: {
  readonly [S in Stage]: (root: string, readRole: () => string) => Output;
} = {
  'table-defs': (root) => {
    const { tables, sets, warnings } = buildDefinitions(
      readServiceConfig(root),
      readSnapshots(root),
    );
    const files = [...renderDefinitions(tables), renderSets(sets)];
    return { files, present: listFiles(root, DEFINITIONS_FOLDER), sets, tables, warnings };
  },
  schemas: (root, readRole) => {
    const sets = readSets(root);
    const files = buildSchemas(sets, readSourceGroups(root), readRole());
    return { ...NOTHING, files, present: listFolders(root, sets, ['schemas']), sets };
  },
  infrastructure: (root, readRole) => {
    const sets = readSets(root);
    const files = buildInfrastructure(sets, readRole());
    return { ...NOTHING, files, present: listFolders(root, sets, ['infrastructure']), sets };
  },
  tables: (root) => {
    const sets = readSets(root);
    const tables = readDefinitions(root, sets);
    const present = listFolders(root, sets, ['tables', 'validation']);
    return { ...NOTHING, files: buildTables(locateAll(sets, tables)), present, sets, tables };
  },
  staging: (root, readRole) => {
    const sets = readSets(root);
    const tables = readDefinitions(root, sets);
    const present = listFolders(root, sets, ['staging']);
    const files = buildStaging(locateAll(sets, tables), readRole());
    return { ...NOTHING, files, present, sets, tables };
  },
  migrations: (root, readRole) => {
    readConfig(root); // Only this stage sees problems between files. The other stages read only their own.
    const sets = readSets(root);
    const tables = readDefinitions(root, sets);
    const files = renderManifests(root, sets, locateAll(sets, tables), {
      role: readRole(),
      checksumOf: (path) => readChecksum(root, path),
    });
    const ofStages = new Set(listFolders(root, sets, STAGE_FOLDERS));
    const present = listFiles(root, MIGRATIONS_FOLDER).filter((path) => !ofStages.has(path));
    return { ...NOTHING, files, present, sets, tables };
  },
};

/** Folder of all migration sets, relative to the implementation repo. */
const MIGRATIONS_FOLDER = 'migrations';

/** Folders of a set that belong to a stage. The stage `migrations` owns the rest. */
const STAGE_FOLDERS: readonly Category[] = [
  'schemas',
  'infrastructure',
  'tables',
  'validation',
  'staging',
];

const NOTHING: Output = { files: [], present: [], sets: [], tables: [], warnings: [] };

function listFolders(
  root: string,
  sets: readonly MigrationSet[],
  categories: readonly Category[],
): readonly string[] {
  return sets.flatMap(({ folder }) =>
    categories.flatMap((category) => listFiles(root, `${folder}/${category}`)),
  );
}

function locateAll(
  sets: readonly MigrationSet[],
  tables: readonly TableDefinition[],
): readonly LocatedTable[] {
  return sets.flatMap((set) => locateTables(set, tables));
}

function renderManifests(
  root: string,
  sets: readonly MigrationSet[],
  located: readonly LocatedTable[],
  facts: Omit<ManifestFacts, 'userFiles'>,
): readonly GeneratedFile[] {
  return sets.map((set) => {
    const ofSet = located.filter(({ table }) => table.set === set.name);
    const userFiles = USER_CATEGORIES.flatMap((category) => readUserFiles(root, set, category));
    return renderManifest(buildManifest(set, ofSet, { ...facts, userFiles }), set);
  });
}

/** Builds `create-schemas.sql` of each set. */
function buildSchemas(
  sets: readonly MigrationSet[],
  sourceGroups: readonly SourceGroup[],
  role: string,
): readonly GeneratedFile[] {
  return sets.map((set) => renderSchemas(set, tenantsOf(set, sourceGroups), role));
}

/** Builds `cdc-management.sql` of each set. */
function buildInfrastructure(
  sets: readonly MigrationSet[],
  role: string,
): readonly GeneratedFile[] {
  return sets.map((set) => renderInfrastructure(set, role));
}

/** Builds the files of final tables, and of the checks of existing tables. */
function buildTables(located: readonly LocatedTable[]): readonly TableFile[] {
  return located.map(({ table, paths }) => ({
    ...(table.kind === 'replicated'
      ? renderTable(table, paths.tables)
      : renderValidation(table, paths.validation)),
    table,
  }));
}

/** Builds the staging files of replicated tables. */
function buildStaging(located: readonly LocatedTable[], role: string): readonly TableFile[] {
  return located.flatMap(({ table, paths }) =>
    table.kind === 'replicated'
      ? [{ ...renderStaging(table, { path: paths.staging, role }), table }]
      : [],
  );
}
