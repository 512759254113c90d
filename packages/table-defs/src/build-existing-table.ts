import type { ServiceConfig } from '@cdc-migrations/config';
import {
  buildSourceColumns,
  buildTemplateColumns,
  buildTransformColumns,
  checkTemplateColumn,
  type ColumnSources,
} from './build-columns.ts';
import { shortName } from '@cdc-migrations/sql-text';
import { overrideScope } from './check-type-overrides.ts';
import type { TableMapping } from './find-source.ts';
import { problemAt, type ProblemList } from './problems.ts';
import { checkName, checkNames } from './check-column-names.ts';
import { checkMappedColumns, selectColumns } from './select-columns.ts';
import type { ExistingTable, MappedColumn } from './table-definition.ts';
import { buildIdentity } from './build-identity.ts';

/**
 * Builds the definition of an existing table. It has the columns that CDC writes: those in `columns`,
 * template columns and transform outputs.
 */
export function buildExistingTable(
  mapping: TableMapping,
  config: ServiceConfig,
  problems: ProblemList,
): ExistingTable {
  const { catalog, source, selection, table } = mapping;
  checkNames(mapping, problems);
  const selected = selectColumns(source, selection, problems);
  checkMappedColumns(mapping, selected, problems);
  const mapped = buildSourceColumns(
    {
      type: catalog.type,
      columns: selected.filter(({ name }) => table.columns.has(name)),
      key: [],
      selection,
      scope: overrideScope(mapping, config),
      nameOf: shortName,
    },
    problems,
  );
  const columns: readonly MappedColumn[] = [
    ...mapped.map((column) => ({
      ...column,
      name: table.columns.get(column.source.name)!,
      role: 'source' as const,
    })),
    ...[
      ...buildTemplateColumns(table, config.templates, problems),
      ...buildTransformColumns(table),
    ].map(({ name, role, type, nullable }) => ({ name, role, type, nullable })),
  ];
  return {
    kind: 'existing',
    ...buildIdentity(mapping),
    columns: columns.filter((column) =>
      isFirst(column, columns, { sink: table, templates: config.templates }, problems),
    ),
  };
}

/**
 * Reports two source columns with the same target column. A template column with the name of a mapped column is that
 * column.
 */
function isFirst(
  column: MappedColumn,
  columns: readonly MappedColumn[],
  { sink: table, templates }: Pick<ColumnSources, 'sink' | 'templates'>,
  problems: ProblemList,
): boolean {
  const first = columns.find(({ name }) => name === column.name);
  if (first === column) {
    checkName(column.name, table.at, problems);
    return true;
  }
  if (first?.source && column.source) {
    const message =
      `"${first.source.name}" and "${column.source.name}" are both mapped to "${column.name}"; ` +
      'map each column once';
    problems.errors.push(problemAt(table.at, ['columns', column.source.name], message));
  } else if (first && column.role === 'template') {
    checkTemplateColumn(column, first, { sink: table, templates }, problems);
  }
  return false;
}
