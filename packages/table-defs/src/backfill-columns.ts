import type { Catalog, CatalogColumn } from '@cdc-migrations/catalog';
import { shortName } from '@cdc-migrations/sql-text';
import { refusePlaceholder } from './check-column-names.ts';
import type { TableMapping } from './find-source.ts';
import { goneAt, problemAt, suggestion, type ProblemList } from './problems.ts';
import type { ColumnDefinition, KeyDefinition, TableDefinition } from './table-definition.ts';
import { constantDefault } from './types/constant-default.ts';

/** Key of a sink table that lists the columns to fill with their default. */
const LIST = 'backfill_from_default';

/**
 * Adds the constant defaults of `backfill_from_default` to columns. A column that does not exist, can be NULL, is in the
 * key, or has no constant default at the source is an error.
 */
export function withBackfill(
  columns: readonly ColumnDefinition[],
  key: KeyDefinition | null,
  { table, catalog, source }: TableMapping,
  problems: ProblemList,
): readonly ColumnDefinition[] {
  const filled = new Map<string, string>();
  const known = columns.filter(({ role }) => role === 'source').map(({ name }) => name);
  table.backfillFromDefault.forEach((written, index) => {
    const name = shortName(written);
    const column = columns.find((each) => each.name === name && each.role === 'source');
    const origin = source.columns.find((each) => each.name === column?.source?.name);
    if (!column || !origin) {
      const message = `expected a column of the source, found "${written}"${suggestion(written, known)}`;
      problems.errors.push(goneAt(table.at, [LIST, index], message));
      return;
    }
    const problem = problemOf(column, origin, key);
    const constant = constantDefault(catalog.type, origin, column.type);
    if (problem === undefined && constant !== undefined) {
      filled.set(name, constant);
      refusePlaceholder(constant, table.at, problems);
      return;
    }
    const message =
      problem ??
      `expected a constant default at the source that ${column.type} stores exactly, found ${origin.default ?? 'none'}; ` +
        'remove the column here, and fill it with a reload';
    problems.errors.push(problemAt(table.at, [LIST, index], `"${written}": ${message}`));
  });
  return columns.map((column) => {
    const backfill = filled.get(column.name);
    return backfill === undefined ? column : { ...column, backfill };
  });
}

function problemOf(
  { name, nullable, exactness }: ColumnDefinition,
  origin: CatalogColumn,
  key: KeyDefinition | null,
): string | undefined {
  if (key?.columns.includes(name))
    return 'expected a column outside of the key, found a key column';
  if (exactness === 'unsupported')
    return 'expected a column that CDC replicates, found one with a type that it does not replicate';
  if (nullable || origin.nullable)
    return 'expected a column that is NOT NULL at the source, found one that can be NULL; without a value it is NULL';
  return undefined;
}

/**
 * Returns the constant default that `backfill_from_default` would use for a column of a definition. Returns undefined if
 * it would be refused.
 */
export function findBackfill(
  table: TableDefinition,
  column: ColumnDefinition,
  catalogs: readonly Catalog[],
): string | undefined {
  if (table.kind === 'existing') return undefined;
  const { database, schema, table: name } = table.source;
  const catalog = catalogs.find((each) => each.database === database && each.schema === schema);
  const origin = catalog?.tables
    .find((each) => each.name === name)
    ?.columns.find((each) => each.name === column.source?.name);
  if (!catalog || !origin || problemOf(column, origin, table.key) !== undefined) return undefined;
  return constantDefault(catalog.type, origin, column.type);
}
