import { readServiceConfig } from '@cdc-migrations/config';
import { buildDefinitions } from '@cdc-migrations/table-defs';
import { EXIT } from '../exit-code.ts';
import { findRoot } from '../repo/find-root.ts';
import { readSnapshots } from '../repo/read-outputs.ts';
import { selectTables, type Selection } from '../repo/select-tables.ts';
import { locateError } from '../repo/locate-error.ts';
import { listNotedColumns, listOtherNames } from './list-noted-columns.ts';
import { renderNotedColumns, renderOtherNames } from './render-noted-columns.ts';
import { print, printJson } from '../print.ts';

export interface TypesOptions extends Selection {
  readonly root?: string;
  readonly json?: boolean;
}

/**
 * Prints the columns that are not exact, from the configuration and the snapshots.
 *
 * @throws ConfigError, CommandError
 */
export function types({ root: start, json, ...selection }: TypesOptions): number {
  const root = findRoot(start);
  const tables = selectTables(readTables(root), selection);
  const columns = listNotedColumns(tables);
  const names = listOtherNames(tables);
  if (json) printJson({ columns, names });
  else print([...renderOtherNames(names), ...renderNotedColumns(columns, countColumns(tables))]);
  return EXIT.done;
}

function readTables(root: string) {
  try {
    return buildDefinitions(readServiceConfig(root), readSnapshots(root)).tables;
  } catch (error) {
    throw locateError(error, root);
  }
}

function countColumns(tables: ReturnType<typeof readTables>): number {
  return tables.flatMap(({ columns }) =>
    columns.map(({ role }) => role).filter((role) => role === 'source'),
  ).length;
}
