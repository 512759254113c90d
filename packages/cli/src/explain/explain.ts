import { readServiceConfig } from '@cdc-migrations/config';
import { buildDefinitions } from '@cdc-migrations/table-defs';
import { CommandError, EXIT } from '../exit-code.ts';
import { findRoot } from '../repo/find-root.ts';
import { readSnapshots } from '../repo/read-outputs.ts';
import { selectTables } from '../repo/select-tables.ts';
import { locateError } from '../repo/locate-error.ts';
import { print, printJson } from '../print.ts';
import { explainTable, type ExplainedTable } from './explain-table.ts';
import { renderColumn, renderTable } from './render-explained.ts';

export interface ExplainOptions {
  readonly root?: string | undefined;
  readonly table: string;
  readonly column?: string | undefined;
  readonly service?: readonly string[] | undefined;
  readonly json?: boolean | undefined;
}

/**
 * Prints the path of a table or a column from the source to the final table, in each migration set that has it.
 *
 * @throws ConfigError, CommandError if no table or column has the name
 */
export function explain(options: ExplainOptions): number {
  const root = findRoot(options.root);
  const { table, column, service } = options;
  const tables = explainTables(root, { table: [table], service }, 'explain').map((explained) =>
    column === undefined ? explained : withColumn(explained, column),
  );
  if (options.json) printJson({ tables });
  else {
    const render = column === undefined ? renderTable : renderColumn;
    print(tables.flatMap((each, index) => [...(index > 0 ? [''] : []), ...render(each)]));
  }
  return EXIT.done;
}

/** Explains the selected tables of all migration sets. */
export function explainTables(
  root: string,
  selection: Parameters<typeof selectTables>[1],
  option?: string,
): readonly ExplainedTable[] {
  try {
    const config = readServiceConfig(root);
    const snapshots = readSnapshots(root);
    const { tables } = buildDefinitions(config, snapshots);
    return selectTables(tables, selection, option).map((table) =>
      explainTable(table, { root, config, snapshots }),
    );
  } catch (error) {
    throw locateError(error, root);
  }
}

/**
 * Returns the table with only this column. Matches the name in PostgreSQL first, then the name at the source, then any
 * case.
 */
function withColumn(table: ExplainedTable, name: string): ExplainedTable {
  const { columns } = table;
  const lower = name.toLowerCase();
  const found =
    columns.find((column) => column.name === name) ??
    columns.find((column) => column.source?.column === name) ??
    columns.find(({ name: own, source }) =>
      [own, source?.column].some((each) => each?.toLowerCase() === lower),
    );
  if (found) return { ...table, columns: [found] };
  const left = table.leftOut.find((column) => column.name.toLowerCase() === lower);
  const at = `${table.schema}.${table.table}`;
  throw new CommandError(
    left
      ? `column "${left.name}" of the source is not in ${at}: ${left.why}`
      : `${at} has no column "${name}"; the columns are: ${columns.map((column) => column.name).join(', ')}`,
  );
}
