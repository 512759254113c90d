import {
  buildSqlFile,
  dollarTag,
  loadTemplate,
  quoteQualified,
  type SqlFile,
} from '@cdc-migrations/sql-text';
import {
  buildStagingColumns,
  columnEntry,
  headerFacts,
  sqlSchema,
  type ReplicatedTable,
} from '@cdc-migrations/table-defs';
import { renderMerge } from './render-merge.ts';
import { unavailableLiteral } from './staged-value.ts';

export interface StagingOptions {
  /** File relative to the repo. */
  readonly path: string;
  /** Role of the sink pipeline and of whoever runs merges (`CDC_DB_USER`). */
  readonly role: string;
}

interface StagingView {
  readonly schema: string;
  readonly name: string;
  readonly role: string;
  readonly unlogged: boolean;
  readonly staging: string;
  readonly stagingName: string;
  readonly stagingColumns: readonly StagingColumnView[];
  readonly columnTag: string;
  readonly windowFunction: string;
  readonly windowFunctionName: string;
  readonly procedure: string;
  readonly trigger: string;
  readonly bodyTag: string;
  readonly statement: string;
}

interface StagingColumnView {
  readonly name: string;
  readonly type: string;
  readonly default: string | null;
  readonly json: string;
  readonly last: boolean;
}

const render = loadTemplate<StagingView>(new URL('../templates/staging.sql.hbs', import.meta.url));

/**
 * The file of a table's staging: staging table, the function that merges a window of it, the merge procedure, its
 * registration and grants. It brings any earlier state of the staging table along and keeps staged rows.
 */
export function renderStaging(table: ReplicatedTable, { path, role }: StagingOptions): SqlFile {
  const schema = sqlSchema(table);
  const { names } = table;
  const statement = renderMerge(table, schema);
  const stagingColumns = viewColumns(table);
  const body = render({
    schema,
    name: table.name,
    role,
    unlogged: table.staging === 'unlogged',
    staging: quoteQualified(schema, names.staging),
    stagingName: names.staging,
    stagingColumns,
    columnTag: dollarTag(stagingColumns.map(({ json }) => json).join('\n'), 'columns'),
    windowFunction: quoteQualified(schema, names.mergeWindow),
    windowFunctionName: names.mergeWindow,
    procedure: quoteQualified(schema, names.mergeProcedure),
    trigger: names.trigger,
    bodyTag: dollarTag(statement, 'merge'),
    statement,
  });
  return buildSqlFile(path, headerFacts(table), body);
}

function viewColumns(table: ReplicatedTable): readonly StagingColumnView[] {
  const early = table.columns.filter((column) => unavailableLiteral(column) !== undefined);
  const columns = buildStagingColumns(
    table,
    early.map(({ name }) => name),
  );
  return columns.map((column, index) => ({
    name: column.name,
    type: column.type,
    default: column.default ?? null,
    json: columnEntry({ ...column, nullable: true }),
    last: index === columns.length - 1,
  }));
}
