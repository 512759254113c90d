import {
  buildGeneratedFile,
  renderYaml,
  safeFileName,
  type GeneratedFile,
  type YamlMapping,
  type YamlValue,
} from '@cdc-migrations/generated-file';
import type { Catalog, CatalogTable } from './catalog.ts';
import { compareNames } from './compare-names.ts';
import { renderShape } from './shape.ts';
import { COLUMN, FOREIGN_KEY, HEAD, KEY, TABLE_KEYS, UNIQUE_INDEX } from './snapshot-shapes.ts';

/** Path of a snapshot in an implementation repo: `generated/schemas/AdOpusTest.dbo.yaml`. */
export function snapshotPath({ database, schema }: Pick<Catalog, 'database' | 'schema'>): string {
  return `generated/schemas/${safeFileName(database, schema)}.yaml`;
}

/**
 * Snapshot file of a catalog: tables in order of name, one line for each column, key and index, so that a
 * changed column is one changed line in a review. What a column does not have is not there.
 *
 * @example
 * // tables:
 * //   Actor:
 * //     columns:
 * //       - {"name": "actno", "type": "int", "nullable": false, "identity": true}
 * //       - {"name": "Navn", "type": "nvarchar", "length": 100, "nullable": true}
 * //     primary_key: {"name": "PK_Actor", "columns": ["actno"]}
 */
export function renderSnapshot(catalog: Catalog): GeneratedFile {
  const { tables, ...head } = catalog;
  const byName = [...tables].sort(compareNames);
  const value = {
    ...renderShape(HEAD, head),
    tables: new Map(byName.map((table) => [table.name, tableValue(table)])),
  };
  const source = `${catalog.type} ${catalog.database}.${catalog.schema}`;
  return buildGeneratedFile(snapshotPath(catalog), { source }, renderYaml(value, 2));
}

function tableValue(table: CatalogTable): YamlMapping {
  const { primaryKey, uniqueIndexes, foreignKeys } = table;
  const values: { readonly [K in keyof typeof TABLE_KEYS]: YamlValue | undefined } = {
    tracked: table.tracked,
    columns: table.columns.map((column) => renderShape(COLUMN, column)),
    primaryKey: primaryKey && renderShape(KEY, primaryKey),
    uniqueIndexes: orNothing(uniqueIndexes.map((index) => renderShape(UNIQUE_INDEX, index))),
    foreignKeys: orNothing(foreignKeys.map((key) => renderShape(FOREIGN_KEY, key))),
  };
  return Object.fromEntries(
    Object.entries(TABLE_KEYS).map(([name, key]) => [key, values[name as keyof typeof values]]),
  );
}

function orNothing<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length > 0 ? list : undefined;
}
