import type { TableChange, TableDefinition } from '@cdc-migrations/table-defs';
import { groupByTable, labelOf } from './change-facts.ts';

/** What people should know of changes beside what is done for them: nothing is ever dropped, or guessed. */
export function listWarnings(changes: readonly TableChange[]): readonly string[] {
  return [
    ...changes.flatMap(warningOf),
    ...groupByTable(changes).flatMap(({ table, changes: own }) => guessRename(table, own)),
  ];
}

function warningOf(change: TableChange): readonly string[] {
  const label = labelOf(change.table);
  if (change.kind === 'table removed') {
    const rest =
      change.table.kind === 'existing'
        ? 'is no longer checked'
        : 'is no longer merged; its tables stay in every target, with their rows';
    return [`${label} ${rest}`];
  }
  if (change.kind !== 'column removed' || change.table.kind === 'existing') return [];
  const { before, class: made } = change;
  const how = made === 'free' ? ', and can be NULL from then on' : '';
  return [
    `${label}: column "${before.name}" is gone; it stays in every target with its values${how}`,
  ];
}

/** One column that went and one of the same type that came may be one that was renamed. */
function guessRename(table: TableDefinition, changes: readonly TableChange[]): readonly string[] {
  if (table.kind === 'existing') return [];
  const gone = changes.flatMap((change) => (change.kind === 'column removed' ? change.before : []));
  const come = changes.flatMap((change) => (change.kind === 'column added' ? change.after : []));
  const [old, another] = gone.filter(({ role }) => role !== 'metadata');
  const [fresh, second] = come.filter(({ role }) => role !== 'metadata');
  if (!old || !fresh || another || second || old.type !== fresh.type) return [];
  return [
    `${labelOf(table)}: if column "${fresh.name}" is "${old.name}" under a new name, say so before it is applied: ` +
      `renames: { ${JSON.stringify(old.name)}: ${JSON.stringify(fresh.name)} }`,
  ];
}
