import {
  buildSqlFile,
  dollarTag,
  loadTemplate,
  quoteIdentifier,
  quoteQualified,
  type SqlFile,
} from '@cdc-migrations/sql-text';
import {
  buildRoutines,
  buildStaging,
  headerFacts,
  sqlSchema,
  type ColumnStructure,
  type ReplicatedTable,
  type RoutineStructure,
} from '@cdc-migrations/table-defs';
import { listColumns } from './column-lines.ts';
import { renderFacts } from './merge-facts.ts';
import { renderWrite } from './render-write.ts';
import { unavailableLiteral } from './staged-value.ts';

/** Path of a staging file, and the role that it grants privileges to. */
export interface StagingOptions {
  /** File relative to the repo. */
  readonly path: string;
  /** Role of the sink pipeline and of the user who runs merges (`CDC_DB_USER`). */
  readonly role: string;
}

interface StagingView {
  readonly schema: string;
  readonly name: string;
  readonly role: string;
  readonly persistence: 'logged' | 'unlogged';
  readonly staging: string;
  readonly stagingName: string;
  readonly columnLines: readonly string[];
  /** Earlier names of columns as JSON. Empty if there are none. */
  readonly earlier: string;
  readonly columnTag: string;
  readonly comment: string;
  readonly windowFunction: string;
  readonly windowFunctionName: string;
  /** Names and types as in CREATE FUNCTION. */
  readonly windowArguments: string;
  readonly procedure: string;
  readonly trigger: string;
  /** Routines that are revoked from PUBLIC, with the types of their arguments. */
  readonly revoked: string;
  /** Routines that the role may execute, with their kind. */
  readonly granted: readonly string[];
  readonly bodyTag: string;
  readonly statement: string;
  /** Facts of the table for the merge, as JSON. */
  readonly facts: string;
  readonly factsTag: string;
}

const render = loadTemplate<StagingView>(new URL('../templates/staging.sql.hbs', import.meta.url));

/**
 * Renders the file of a table's staging: the staging table, the function that writes the newest events of a window to
 * the final table, the merge procedure, its registration and grants. The file converges any earlier state of the
 * staging table and keeps staged rows.
 */
export function renderStaging(table: ReplicatedTable, { path, role }: StagingOptions): SqlFile {
  const schema = sqlSchema(table);
  const staging = buildStaging(table, earlyColumns(table));
  const [trigger] = staging.triggers;
  const routines = buildRoutines(table);
  const { mergeWindow, mergeProcedure } = routines;
  const statement = renderWrite(table, schema);
  const facts = renderFacts(table);
  const columnLines = listColumns(
    staging.columns,
    ({ name, type }) => `${quoteIdentifier(name)} ${type}`,
  );
  const body = render({
    schema,
    name: table.name,
    role,
    persistence: table.staging,
    staging: quoteQualified(schema, staging.name),
    stagingName: staging.name,
    columnLines,
    earlier: renderEarlier(staging.columns),
    columnTag: dollarTag(columnLines.join('\n'), 'columns'),
    comment: describeWrite(table),
    windowFunction: quoteQualified(schema, mergeWindow.name),
    windowFunctionName: mergeWindow.name,
    windowArguments: mergeWindow.arguments.map(({ name, type }) => `${name} ${type}`).join(', '),
    procedure: quoteQualified(schema, mergeProcedure.name),
    trigger: trigger.name,
    revoked: Object.values(routines)
      .map((routine) => signatureOf(routine, schema))
      .join(',\n  '),
    granted: Object.values(routines)
      .filter(({ canExecute }) => canExecute)
      .map((routine) => `${routine.kind.toUpperCase()} ${signatureOf(routine, schema)}`),
    bodyTag: dollarTag(statement, 'merge'),
    statement,
    facts,
    factsTag: dollarTag(facts, 'facts'),
  });
  return buildSqlFile(path, headerFacts(table), body);
}

function signatureOf(routine: RoutineStructure, schema: string): string {
  const types = routine.arguments.map(({ type }) => type).join(', ');
  return `${quoteQualified(schema, routine.name)}(${types})`;
}

/** Lists columns that a merge reads in every event, because their values can be omitted. */
function earlyColumns({ columns, unavailable }: ReplicatedTable): readonly string[] {
  return columns
    .filter((column) => unavailableLiteral(column, unavailable) !== undefined)
    .map(({ name }) => name);
}

function renderEarlier(columns: readonly ColumnStructure[]): string {
  const entries = columns.flatMap(({ name, formerly }) => (formerly ? [[name, formerly]] : []));
  return entries.length === 0 ? '' : JSON.stringify(Object.fromEntries(entries));
}

function describeWrite({ key }: ReplicatedTable): string {
  return key
    ? '-- Writes the newest event of each key in a batch, unless the stored row is newer. Deletes have already been merged.'
    : '-- Writes each event of a batch once.';
}
