import { stateOf } from '@cdc-migrations/generated-file';
import {
  DEFINITIONS_FOLDER,
  manifestPath,
  parseDefinition,
  parseManifest,
  renderManifest,
  type Manifest,
  type ManifestEntry,
  type MigrationSet,
  type TableDefinition,
} from '@cdc-migrations/table-defs';
import { CommandError, EXIT } from '../exit-code.ts';
import type { GenerateOptions } from './generate-options.ts';
import { refuseUnsetRoles } from '../repo/read-role.ts';
import { readIfThere } from '../repo/repo-files.ts';
import { selectTables } from '../repo/select-tables.ts';
import type { Output } from './stages.ts';

/**
 * Reduces an output to the tables of `--table` and `--service`: their definitions and SQL, files that they had at other
 * paths, and the manifests with their rows replaced. All other rows stay as they are on disk.
 */
export function narrow(root: string, output: Output, options: GenerateOptions): Output {
  const { table, service, only } = options;
  if (table === undefined && service === undefined) return output;
  if (only === 'schemas' || only === 'infrastructure') {
    const option = table ? '--table' : '--service';
    throw new CommandError(
      `--only ${only} writes no files for individual tables; remove ${option}`,
    );
  }
  const selected = selectTables(output.tables, { table, service });
  const sets = output.sets.filter(({ name }) => selected.some(({ set }) => set === name));
  const narrowed = sets.map((set) => narrowSet(root, set, output, selected));
  const wanted = new Set(output.files.map(({ path }) => path));
  const stale = output.present.filter(
    (path) =>
      !wanted.has(path) &&
      (narrowed.some(({ stalePaths }) => stalePaths.has(path)) ||
        isDefinitionOf(root, path, selected)),
  );
  const ofTables = output.files.filter((file) => file.table && selected.includes(file.table));
  const manifests = narrowed.flatMap(({ manifest }) => manifest);
  return { ...output, files: [...ofTables, ...manifests], present: stale };
}

interface NarrowedSet {
  /** Empty if the run writes no manifest. */
  readonly manifest: Output['files'];
  /** Files of the selected tables in the manifest on disk. */
  readonly stalePaths: ReadonlySet<string>;
}

function narrowSet(
  root: string,
  set: MigrationSet,
  output: Output,
  selected: readonly TableDefinition[],
): NarrowedSet {
  const path = manifestPath(set);
  const fresh = output.files.find((file) => file.path === path);
  if (!fresh) return { manifest: [], stalePaths: new Set() };
  const ofSet = selected.filter((table) => table.set === set.name);
  const isSelected = (entry: ManifestEntry) => ofSet.some((table) => isRowOf(entry, table));
  const before = readManifest(root, path);
  const after = parseManifest(fresh.text, path);
  if (after.role !== before.role) refuseOtherRole(path, before, after);
  const rows = [...before.files, ...before.validation].filter(isSelected);
  return {
    manifest: [renderManifest(replaceRows(before, after, isSelected), set)],
    stalePaths: new Set(rows.map((entry) => `${set.folder}/${entry.path}`)),
  };
}

const UNNARROWED = 'run generate without --table and --service';

function readManifest(root: string, path: string): Manifest {
  const text = readIfThere(root, path);
  if (text === undefined) throw new CommandError(`${path}: not found; ${UNNARROWED} first`);
  if (stateOf(path, text) === 'intact') return parseManifest(text, path);
  const message = `${path}: this generated file was edited; ${UNNARROWED}, and with --force, to overwrite it`;
  throw new CommandError(message, EXIT.edited);
}

/** Refuses a changed role. The files of the other tables would keep granting to their old role. */
function refuseOtherRole(path: string, before: Manifest, after: Manifest): never {
  refuseUnsetRoles([{ path, before: before.role, after: after.role }], process.env);
  throw new CommandError(
    `${path}: the files grant privileges to the role "${before.role}", but CDC_DB_USER is now "${after.role}"; ${UNNARROWED} first`,
  );
}

/** Returns true if an unwanted file belonged to a selected table before. */
function isDefinitionOf(root: string, path: string, selected: readonly TableDefinition[]): boolean {
  if (!path.startsWith(`${DEFINITIONS_FOLDER}/`) || !path.endsWith('.yaml')) return false;
  const text = readIfThere(root, path) ?? '';
  if (stateOf(path, text) !== 'intact') return false;
  const { set, service, schema, name } = parseDefinition(text, path);
  const id = JSON.stringify([set, service, schema, name]);
  return selected.some(
    (table) => JSON.stringify([table.set, table.service, table.schema, table.name]) === id,
  );
}

/** Returns true if a row belongs to a table, by identity, at any path. */
function isRowOf(
  { name, service, schema }: ManifestEntry,
  table: Pick<TableDefinition, 'name' | 'service' | 'schema'>,
): boolean {
  const literal = table.schema.scope === 'literal' ? table.schema.name : undefined;
  return name === table.name && service === table.service && schema === literal;
}

/**
 * Replaces the rows of some tables in the manifest on disk by those of a new one. A run for one table leaves all other
 * rows and their order unchanged.
 */
function replaceRows(
  before: Manifest,
  after: Manifest,
  isReplaced: (entry: ManifestEntry) => boolean,
): Manifest {
  const merge = (old: readonly ManifestEntry[], fresh: readonly ManifestEntry[]) => {
    const rows = old.filter((entry) => !isReplaced(entry));
    fresh.forEach((entry, index) => {
      if (!isReplaced(entry)) return;
      const earlier = new Set(fresh.slice(0, index).map(({ path }) => path));
      rows.splice(rows.findLastIndex(({ path }) => earlier.has(path)) + 1, 0, entry);
    });
    return rows;
  };
  return {
    set: after.set,
    role: after.role,
    files: merge(before.files, after.files),
    validation: merge(before.validation, after.validation),
  };
}
