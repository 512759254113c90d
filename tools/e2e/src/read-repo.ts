import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseYaml } from '@cdc-migrations/generated-file';
import {
  DEFINITIONS_FOLDER,
  type MigrationSet,
  parseDefinition,
  parseSets,
  type ReplicatedTable,
  SETS_FILE,
} from '@cdc-migrations/table-defs';

/** Committed content of an implementation repo with one service and one migration set. */
export interface Repo {
  readonly root: string;
  readonly set: MigrationSet;
  /** Sorted by name. */
  readonly tables: readonly ReplicatedTable[];
  /** All customers of the source group. */
  readonly tenants: readonly string[];
}

/** Reads the implementation repo in this workspace whose source is SQL Server, with one database per customer. */
export function readAdopus(): Repo {
  return readRepo(fileURLToPath(new URL('../../../fixtures/adopus', import.meta.url)));
}

function readRepo(root: string): Repo {
  const read = (path: string) => readFileSync(join(root, path), 'utf8');
  const [set] = parseSets(read(SETS_FILE));
  if (!set) throw new Error(`${root} has no migration set`);
  const tables = readdirSync(join(root, DEFINITIONS_FOLDER))
    .sort()
    .map((file) => join(DEFINITIONS_FOLDER, file))
    .map((path) => parseDefinition(read(path), path))
    .filter((table) => table.kind === 'replicated');
  const groups = parseYaml(read('source-groups.yaml')) as SourceGroups;
  return { root, set, tables, tenants: Object.keys(groups[set.sourceGroup]?.sources ?? {}) };
}

type SourceGroups = Readonly<
  Record<string, { readonly sources: Readonly<Record<string, unknown>> }>
>;
