import {
  buildGeneratedFile,
  parseYaml,
  renderYaml,
  type GeneratedFile,
  type YamlValue,
} from '@cdc-migrations/generated-file';
import { fileStems } from './file-stems.ts';
import { groupBy } from './group-by.ts';
import { headerFacts } from './header-facts.ts';
import type { MigrationSet, TableDefinition } from './table-definition.ts';

/** Folder of the definitions, relative to the implementation repo. */
export const DEFINITIONS_FOLDER = 'generated/table-definitions';

/** File of the migration sets, relative to the implementation repo. */
export const SETS_FILE = 'generated/migration-sets.yaml';

/** A generated file and the table that it belongs to. */
export interface TableFile extends GeneratedFile {
  readonly table: TableDefinition;
}

/** Files of all definitions: in one folder for one service, in a folder for each of several services. */
export function renderDefinitions(tables: readonly TableDefinition[]): readonly TableFile[] {
  const byService = groupBy(tables, ({ service }) => service);
  return [...byService].flatMap(([service, ofService]) => {
    const folder = byService.size === 1 ? DEFINITIONS_FOLDER : `${DEFINITIONS_FOLDER}/${service}`;
    const stems = fileStems(ofService);
    return ofService.map((table) => renderDefinition(table, `${folder}/${stems.get(table)}.yaml`));
  });
}

/** Definition of the text of a file of `renderDefinitions`. */
export function parseDefinition(text: string): TableDefinition {
  const { columns, ...rest } = parseYaml(text) as { readonly columns: unknown };
  return { ...(fromSnakeCase(rest) as object), columns } as TableDefinition;
}

/** File of the migration sets. */
export function renderSets(sets: readonly MigrationSet[]): GeneratedFile {
  return buildGeneratedFile(SETS_FILE, {}, renderYaml({ sets: toSnakeCase(sets) }));
}

/** Migration sets of the text of `renderSets`. */
export function parseSets(text: string): readonly MigrationSet[] {
  return (fromSnakeCase(parseYaml(text)) as { readonly sets: readonly MigrationSet[] }).sets;
}

function renderDefinition(table: TableDefinition, path: string): TableFile {
  const { columns, ...rest } = table;
  const value = toSnakeCase(rest) as { readonly [key: string]: YamlValue };
  return {
    ...buildGeneratedFile(
      path,
      headerFacts(table),
      renderYaml({ ...value, columns: columns as unknown as YamlValue }),
    ),
    table,
  };
}

/** Keys in the form that YAML files of the repo have; their values are left alone. */
function toSnakeCase(value: unknown): YamlValue {
  return mapKeys(value, (key) =>
    key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
  ) as YamlValue;
}

function fromSnakeCase(value: unknown): unknown {
  return mapKeys(value, (key) =>
    key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
  );
}

function mapKeys(value: unknown, rename: (key: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => mapKeys(item, rename));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [rename(key), mapKeys(entry, rename)]),
  );
}
