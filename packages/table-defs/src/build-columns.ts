import type { CatalogColumn, SourceType } from '@cdc-migrations/catalog';
import type { ColumnTemplate, SinkTable, SourceTable, TemplateUse } from '@cdc-migrations/config';
import { shortName } from '@cdc-migrations/sql-text';
import { checkColumnNames } from './check-column-names.ts';
import { noType } from './check-type-overrides.ts';
import { withEarlierNames } from './earlier-names.ts';
import { DELETED_AT, METADATA_COLUMNS } from './metadata-columns.ts';
import { problemAt, type ProblemList } from './problems.ts';
import type { ColumnDefinition } from './table-definition.ts';
import { canonicalType } from './types/canonical-type.ts';
import { classifyTypeChange } from './types/type-change.ts';
import { formatSourceType, mapType, type OverrideScope } from './types/map-type.ts';

export interface ColumnSources {
  readonly type: SourceType;
  /** Replicated columns in the order of the source. */
  readonly columns: readonly CatalogColumn[];
  /** Key columns under their source names. */
  readonly key: readonly string[];
  readonly selection: SourceTable;
  readonly sink: SinkTable;
  readonly templates: ReadonlyMap<string, ColumnTemplate>;
  readonly scope: OverrideScope;
  /** Returns the PostgreSQL name of a source column. */
  readonly nameOf: (source: string) => string;
}

/**
 * Builds the columns of a final table: source columns, template columns, transform outputs, metadata. If the source has
 * a column with the name of a template column or transform output, that source column is used.
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
    const other = columns.find(({ name }) => name === column.name);
    if (!other) columns.push(column);
    else if (column.role === 'template') checkTemplateColumn(column, other, sources, problems);
  }
  checkColumnNames(columns, `${sink.schema}.${sink.table}`, sink.at, problems);
  columns.push(...METADATA_COLUMNS);
  if (sink.deleteMode === 'soft') columns.push(DELETED_AT);
  return withEarlierNames(columns, sink, problems);
}

/**
 * Reports an error for a template column with the name of a source column of another type. Warns if the source column
 * is nullable and the template is not.
 */
export function checkTemplateColumn(
  template: Pick<ColumnDefinition, 'name' | 'type' | 'nullable'>,
  other: Pick<ColumnDefinition, 'type' | 'nullable' | 'source'>,
  { sink, templates }: Pick<ColumnSources, 'sink' | 'templates'>,
  problems: ProblemList,
): void {
  const { name, type } = template;
  const use = sink.columnTemplates.findLast((each) => columnNameOf(each, templates) === name)!;
  const owner = other.source ? `column "${other.source.name}" of the source` : 'another template';
  const from = `"${name}" of ${sink.schema}.${sink.table} comes from ${owner} and from the template "${use.template}"`;
  const solution =
    `rename the template column ({ template: ${use.template}, name: … })` +
    (other.source ? ', or omit the column of the source' : '');
  if (!takesValuesOf(type, other.type)) {
    const message = `${from}: expected ${type}, found ${other.type}; ${solution}`;
    problems.errors.push(problemAt(use.at, [], message));
  } else if (other.nullable && !template.nullable) {
    const message = `${from}: expected NOT NULL, found a column that can be NULL; ${solution}`;
    problems.warnings.push(problemAt(use.at, [], message));
  }
}

/** Checks if every value of one type is also a value of another type. Texts are compared without their length. */
function takesValuesOf(type: string, other: string): boolean {
  const areTexts = [type, other].every((each) => TEXT.test(each));
  return areTexts || classifyTypeChange(other, type) !== 'unsafe';
}

const TEXT = /^(text|character varying|character|bpchar)\b(?!.*\[\])/;

/** Builds the definitions of the replicated columns. A type without a PostgreSQL counterpart is an error. */
export function buildSourceColumns(
  sources: Pick<ColumnSources, 'type' | 'columns' | 'key' | 'selection' | 'scope' | 'nameOf'>,
  problems: ProblemList,
): readonly (ColumnDefinition & {
  readonly source: { readonly name: string; readonly type: string };
})[] {
  const { type, columns, key, selection, scope, nameOf } = sources;
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
    const isKey = key.includes(column.name);
    const isNull = mapped.exactness === 'unsupported' && !isKey;
    if (isNull && !column.nullable) {
      const message =
        `column "${column.name}" is NOT NULL at the source, and NULL in every row of the final table: CDC does not ` +
        `replicate its type ${sourceType}; put it into ignore_columns`;
      problems.warnings.push(problemAt(selection.at, [], message));
    }
    return {
      name: nameOf(column.name),
      role: 'source' as const,
      type: mapped.type,
      nullable: isNull || (column.nullable && !isKey),
      source: { name: column.name, type: sourceType },
      exactness: mapped.exactness,
      ...(mapped.code && { code: mapped.code, reason: mapped.reason! }),
    };
  });
}

/** Builds the columns of the templates that a table uses. A type that PostgreSQL does not have is an error. */
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
      name: columnNameOf(use, templates)!,
      role: 'template' as const,
      type,
      nullable: !template.notNull,
      ...(template.default !== undefined && { default: template.default }),
    };
  });
}

function columnNameOf(
  { template, name }: TemplateUse,
  templates: ReadonlyMap<string, ColumnTemplate>,
): string | undefined {
  const written = name ?? templates.get(template)?.name;
  return written === undefined ? undefined : shortName(written);
}

/** Builds the output columns of transforms as nullable text. */
export function buildTransformColumns({
  transforms,
}: Pick<SinkTable, 'transforms'>): readonly (ColumnDefinition & { readonly role: 'transform' })[] {
  return transforms.flatMap(({ expectedOutputColumn: name }) =>
    name === undefined
      ? []
      : [{ name: shortName(name), role: 'transform' as const, type: 'text', nullable: true }],
  );
}
