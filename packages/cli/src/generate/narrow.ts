import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { schemaLabel, type TableDefinition } from '@cdc-migrations/table-defs';
import { CommandError } from '../exit-code.ts';
import {
  manifestPath,
  parseManifest,
  renderManifest,
  replaceRows,
  type ManifestEntry,
} from './manifest.ts';
import type { Output } from './stages.ts';

/** Tables and services that a run is for; all of them where a list is not given. */
export interface Selection {
  readonly table?: readonly string[] | undefined;
  readonly service?: readonly string[] | undefined;
}

/**
 * The part of an output that belongs to the selected tables: their definitions, their SQL, and the manifests with
 * their rows replaced and all other rows as they are on disk.
 */
export function narrow(root: string, output: Output, selection: Selection): Output {
  if (selection.table === undefined && selection.service === undefined) return output;
  const selected = new Set(selectTables(output.tables, selection));
  const ofTables = output.files.filter(({ table }) => table && selected.has(table));
  const paths = new Set(ofTables.map(({ path }) => path));
  const manifests = output.sets.map((set) => {
    const path = manifestPath(set);
    const fresh = output.files.find((file) => file.path === path);
    if (!fresh) return [];
    const before = readManifest(root, path);
    if (before === undefined) return [fresh];
    const isSelected = ({ path: file }: ManifestEntry) => paths.has(`${set.folder}/${file}`);
    return [renderManifest(replaceRows(before, parseManifest(fresh.text), isSelected), set)];
  });
  return { ...output, files: [...ofTables, ...manifests.flat()], owned: [] };
}

function selectTables(
  tables: readonly TableDefinition[],
  { table, service }: Selection,
): readonly TableDefinition[] {
  const named = (
    wanted: readonly string[] | undefined,
    names: (table: TableDefinition) => readonly string[],
  ) => {
    for (const name of wanted ?? []) {
      if (tables.some((candidate) => names(candidate).includes(name))) continue;
      const known = [...new Set(tables.map((candidate) => names(candidate)[0]))].join(', ');
      throw new CommandError(`"${name}" is not in the configuration; there are: ${known}`);
    }
    return tables.filter(
      (candidate) => !wanted || names(candidate).some((name) => wanted.includes(name)),
    );
  };
  const byTable = new Set(
    named(table, (entry) => [entry.name, `${schemaLabel(entry)}.${entry.name}`]),
  );
  return named(service, (entry) => [entry.service]).filter((entry) => byTable.has(entry));
}

function readManifest(root: string, path: string) {
  try {
    return parseManifest(readFileSync(join(root, path), 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
