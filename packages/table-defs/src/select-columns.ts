import type { CatalogColumn, CatalogTable } from '@cdc-migrations/catalog';
import type { SourceTable } from '@cdc-migrations/config';
import type { TableMapping } from './find-source.ts';
import { goneAt, problemAt, suggestion, type ProblemList } from './problems.ts';

/**
 * Selects the replicated columns of a source table in the order of the source: `include_columns` if given, without
 * `ignore_columns` and computed columns. Unknown names are errors.
 */
export function selectColumns(
  table: CatalogTable,
  selection: SourceTable,
  problems: ProblemList,
): readonly CatalogColumn[] {
  const known = new Set(table.columns.map(({ name }) => name));
  const lists = {
    ignore_columns: selection.ignoreColumns,
    include_columns: selection.includeColumns ?? [],
  };
  for (const [key, names] of Object.entries(lists)) {
    names.forEach((name, index) => {
      if (known.has(name)) return;
      const message = `${selection.schema}.${table.name} has no column "${name}"${suggestion(name, known)}`;
      problems.errors.push(goneAt(selection.at, [key, index], message));
    });
  }
  for (const { name, computed } of table.columns) {
    const index = selection.includeColumns?.indexOf(name) ?? -1;
    if (computed === undefined || index < 0) continue;
    const message = `column "${name}" is computed, and CDC does not replicate it; remove it`;
    problems.errors.push(problemAt(selection.at, ['include_columns', index], message));
  }
  const included = selection.includeColumns && new Set(selection.includeColumns);
  const ignored = new Set(selection.ignoreColumns);
  const columns = table.columns.filter(
    ({ name, computed }) =>
      computed === undefined && (included?.has(name) ?? true) && !ignored.has(name),
  );
  if (columns.length === 0) {
    const message = `no column of ${selection.schema}.${table.name} remains; remove some from ignore_columns`;
    problems.errors.push(problemAt(selection.at, [], message));
  }
  return columns;
}

/** Reports source columns in `columns` that are unknown or not replicated. */
export function checkMappedColumns(
  { source, selection, table }: Pick<TableMapping, 'source' | 'selection' | 'table'>,
  selected: readonly CatalogColumn[],
  problems: ProblemList,
): void {
  const names = selected.map(({ name }) => name);
  for (const name of table.columns.keys()) {
    if (names.includes(name)) continue;
    const message =
      `${selection.schema}.${source.name} has no replicated column "${name}"` +
      suggestion(name, names);
    problems.errors.push(goneAt(table.at, ['columns', name], message));
  }
}
