import { TYPE_NOTES, type Exactness } from '@cdc-migrations/table-defs';
import type { NotedColumn, OtherName } from './list-noted-columns.ts';

/** From the worst on. */
const ORDER: readonly Exactness[] = ['unsupported', 'lossy', 'widened', 'exact'];

/**
 * Columns below their tables, then what each code says and what to do about it, then how many there are.
 *
 * @param all how many columns come from the source.
 */
export function renderNotedColumns(
  columns: readonly NotedColumn[],
  all: number,
): readonly string[] {
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

/** Names that writers of events have to know, in front of all else. */
export function renderOtherNames(names: readonly OtherName[]): readonly string[] {
  if (names.length === 0) return [];
  const lines = names.map(
    ({ set, schema, table, name, source }) => `  ${set} ${schema}.${table}: ${source} is ${name}`,
  );
  return ['names that differ from those of the source, which writers have to use:', ...lines, ''];
}

function headOf({ set, schema, table, source }: NotedColumn): string {
  return `${set} ${schema}.${table} from ${source.database}.${source.schema}.${source.table}`;
}
