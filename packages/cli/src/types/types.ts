import { readServiceConfig } from '@cdc-migrations/config';
import { buildDefinitions, TYPE_NOTES, type Exactness } from '@cdc-migrations/table-defs';
import { EXIT } from '../exit-code.ts';
import { findRoot } from '../repo/find-root.ts';
import { readSnapshots } from '../repo/read-outputs.ts';
import { selectTables, type Selection } from '../repo/select-tables.ts';
import { locateError } from '../repo/locate-error.ts';
import { print, printJson } from '../print.ts';
import {
  listNotedColumns,
  listOtherNames,
  type NotedColumn,
  type OtherName,
} from './list-noted-columns.ts';

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

/** Exactness, the worst first. */
const ORDER: readonly Exactness[] = ['unsupported', 'lossy', 'widened', 'exact'];

/**
 * Renders columns by table, then the meaning of each code and what to do, then totals.
 *
 * @param all number of columns from the source
 */
function renderNotedColumns(columns: readonly NotedColumn[], all: number): readonly string[] {
  const lines = columns.flatMap((column, index) => {
    const head = headOf(column);
    const line = `  ${column.column}: ${column.source.type} -> ${column.type}, ${column.exactness}, ${column.code}`;
    return index > 0 && headOf(columns[index - 1]!) === head ? [line] : [head, line];
  });
  const codes = [...new Set(columns.map(({ code }) => code))].sort();
  const notes = codes.flatMap((code) => {
    const { says, advice } = TYPE_NOTES[code];
    return [`${code}: ${says}`, `  what to do: ${advice}`];
  });
  const counts = ORDER.flatMap((exactness) => {
    const count = columns.filter((column) => column.exactness === exactness).length;
    return count === 0 ? [] : `${count} ${exactness}`;
  });
  const sum = `${columns.length} of ${all} columns listed${counts.length > 0 ? `: ${counts.join(', ')}` : ''}`;
  return [lines, notes, [sum]]
    .filter((part) => part.length > 0)
    .flatMap((part, index) => (index === 0 ? part : ['', ...part]));
}

/** Renders different names first, because writers of events must know them. */
function renderOtherNames(names: readonly OtherName[]): readonly string[] {
  if (names.length === 0) return [];
  const lines = names.map(
    ({ set, schema, table, name, source }) => `  ${set} ${schema}.${table}: ${source} is ${name}`,
  );
  return ['names that differ from those of the source, which writers have to use:', ...lines, ''];
}

function headOf({ set, schema, table, source }: NotedColumn): string {
  return `${set} ${schema}.${table} from ${source.database}.${source.schema}.${source.table}`;
}
