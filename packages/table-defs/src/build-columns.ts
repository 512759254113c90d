import type { CatalogColumn, SourceType } from '@cdc-migrations/catalog';
import type { ColumnTemplate, SinkTable, SourceTable } from '@cdc-migrations/config';
import { shortName } from '@cdc-migrations/sql-text';
import { checkColumnNames } from './check-column-names.ts';
import { noType } from './check-type-overrides.ts';
import { withEarlierNames } from './earlier-names.ts';
import { DELETED_AT, METADATA_COLUMNS } from './metadata-columns.ts';
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
  const { sink, templates } = sources;
  const columns: ColumnDefinition[] = [...buildSourceColumns(sources, problems)];
  for (const column of [
    ...buildTemplateColumns(sink, templates, problems),
    ...buildTransformColumns(sink),
  ]) {
    if (!columns.some(({ name }) => name === column.name)) columns.push(column);
  }
  checkColumnNames(columns, `${sink.schema}.${sink.table}`, sink.at, problems);
  columns.push(...METADATA_COLUMNS);
  if (sink.deleteMode === 'soft') columns.push(DELETED_AT);
  return withEarlierNames(columns, sink, problems);
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
      ...(mapped.code && { code: mapped.code, reason: mapped.reason! }),
    };
  });
}

/** Columns of the templates that a table uses; a type that PostgreSQL does not have is an error. */
export function buildTemplateColumns(
  { columnTemplates }: Pick<SinkTable, 'columnTemplates'>,
  templates: ReadonlyMap<string, ColumnTemplate>,
  problems: ProblemList,
): readonly (ColumnDefinition & { readonly role: 'template' })[] {
  return columnTemplates.flatMap((use) => {
    const template = templates.get(use.template);
    if (!template) throw new Error(`${use.at.file}: no template "${use.template}"`);
    const type = canonicalType(template.type);
    if (type === undefined) {
      problems.errors.push(problemAt(template.at, ['type'], noType(template.type)));
      return [];
    }
    return {
      name: shortName(use.name ?? template.name),
      role: 'template' as const,
      type,
      nullable: !template.notNull,
      ...(template.default !== undefined && { default: template.default }),
    };
  });
}

/** Columns that transforms make: nullable text. */
export function buildTransformColumns({
  transforms,
}: Pick<SinkTable, 'transforms'>): readonly (ColumnDefinition & { readonly role: 'transform' })[] {
  return transforms.flatMap(({ expectedOutputColumn: name }) =>
    name === undefined
      ? []
      : [{ name: shortName(name), role: 'transform' as const, type: 'text', nullable: true }],
  );
}
