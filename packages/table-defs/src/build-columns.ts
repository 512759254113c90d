import type { CatalogColumn, SourceType } from '@cdc-migrations/catalog';
import type { ColumnTemplate, SinkTable, SourceTable } from '@cdc-migrations/config';
import { shortName } from '@cdc-migrations/sql-text';
import { DELETED_AT, METADATA_COLUMNS, RESERVED_NAMES } from './metadata-columns.ts';
import { problemAt, type ProblemList } from './problems.ts';
import type { ColumnDefinition } from './table-definition.ts';
import { canonicalType } from './types/canonical-type.ts';
import { formatSourceType, mapType, type OverrideScope } from './types/map-type.ts';

export interface ColumnSources {
  readonly type: SourceType;
  /** Replicated columns, in the source's order. */
  readonly columns: readonly CatalogColumn[];
  /** Source names of the key. */
  readonly key: readonly string[];
  readonly selection: SourceTable;
  readonly sink: SinkTable;
  readonly templates: ReadonlyMap<string, ColumnTemplate>;
  readonly scope: OverrideScope;
}

/**
 * Columns of a final table: source columns, template columns, transform outputs, metadata. A template column or
 * transform output that the source has under that name is the source's column.
 */
export function buildColumns(
  sources: ColumnSources,
  problems: ProblemList,
): readonly ColumnDefinition[] {
  const columns: ColumnDefinition[] = [...buildSourceColumns(sources, problems)];
  const add = (column: ColumnDefinition | undefined) => {
    if (column && !columns.some(({ name }) => name === column.name)) columns.push(column);
  };
  for (const use of sources.sink.columnTemplates) {
    const template = sources.templates.get(use.template);
    if (template) add(buildTemplateColumn(template, use.name ?? template.name, problems));
  }
  for (const { expectedOutputColumn: name } of sources.sink.transforms) {
    if (name !== undefined)
      add({ name: shortName(name), role: 'transform', type: 'text', nullable: true });
  }
  refuseClashes(columns, sources.sink, problems);
  columns.push(...METADATA_COLUMNS);
  if (sources.sink.deleteMode === 'soft') columns.push(DELETED_AT);
  return columns;
}

/** Definitions of the replicated columns; a type without a counterpart is an error. */
export function buildSourceColumns(
  sources: Pick<ColumnSources, 'type' | 'columns' | 'key' | 'selection' | 'scope'>,
  problems: ProblemList,
): readonly (ColumnDefinition & {
  readonly source: { readonly name: string; readonly type: string };
})[] {
  const { type, columns, key, selection, scope } = sources;
  return columns.flatMap((column) => {
    const mapped = mapType(type, column, scope);
    const sourceType = formatSourceType(column);
    if (!mapped) {
      const message =
        `column "${column.name}" has the type ${sourceType}, which has no counterpart in PostgreSQL; ` +
        'put it into ignore_columns or override its type';
      problems.errors.push(problemAt(selection.at, [], message));
      return [];
    }
    return {
      name: shortName(column.name),
      role: 'source' as const,
      type: mapped.type,
      nullable: column.nullable && !key.includes(column.name),
      source: { name: column.name, type: sourceType },
      exactness: mapped.exactness,
      ...(mapped.reason && { reason: mapped.reason }),
    };
  });
}

function buildTemplateColumn(
  template: ColumnTemplate,
  name: string,
  problems: ProblemList,
): ColumnDefinition | undefined {
  const type = canonicalType(template.type);
  if (type === undefined) {
    const message = `"${template.type}" is no PostgreSQL type that a column can be given here`;
    if (
      !problems.errors.some(({ at }) => at.keys.join() === [...template.at.keys, 'type'].join())
    ) {
      problems.errors.push(problemAt(template.at, ['type'], message));
    }
    return undefined;
  }
  const column = {
    name: shortName(name),
    role: 'template' as const,
    type,
    nullable: !template.notNull,
  };
  return template.default === undefined ? column : { ...column, default: template.default };
}

/** Names that differ only in case, fall together when shortened, or belong to the metadata. */
function refuseClashes(
  columns: readonly ColumnDefinition[],
  sink: SinkTable,
  problems: ProblemList,
): void {
  const seen = new Map<string, string>();
  for (const { name } of columns) {
    const folded = name.toLowerCase();
    const other = seen.get(folded);
    const table = `${sink.schema}.${sink.table}`;
    if (RESERVED_NAMES.has(folded)) {
      const message = `column "${name}" of ${table} has a name that is kept for the metadata; put it into ignore_columns`;
      problems.errors.push(problemAt(sink.at, [], message));
    } else if (other !== undefined) {
      const message =
        `columns "${other}" and "${name}" of ${table} differ only in case or fall together; ` +
        'put one of them into ignore_columns or name the template column otherwise';
      problems.errors.push(problemAt(sink.at, [], message));
    }
    seen.set(folded, name);
  }
}
