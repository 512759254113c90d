import type { Catalog } from '@cdc-migrations/catalog';
import {
  findBackfill,
  schemaLabel,
  type TableChange,
  type TableDefinition,
} from '@cdc-migrations/table-defs';
import { changeFacts, groupByTable, labelOf } from './change-facts.ts';

/** Lists warnings about changes, because nothing is ever dropped or guessed automatically. */
export function listWarnings(changes: readonly TableChange[]): readonly string[] {
  return [
    ...changes.flatMap(warningOf),
    ...guessTableRenames(changes),
    ...groupByTable(changes).flatMap(({ table, changes: own }) => guessRename(table, own)),
  ];
}

/**
 * Suggests to fill new NOT NULL columns that have a constant default at the source. It is not done by itself: a column
 * that the configuration ignored before has other values too.
 */
function suggestBackfills(
  changes: readonly TableChange[],
  readCatalogs: () => readonly Catalog[],
): readonly string[] {
  const added = changes.flatMap((change) =>
    change.kind === 'column added' && 'role' in change.after ? [change] : [],
  );
  const open = added.filter(
    ({ after }) => !after.nullable && after.source && !('default' in after || 'backfill' in after),
  );
  if (open.length === 0) return [];
  const catalogs = readCatalogs();
  return open.flatMap(({ table, after }) => {
    const constant = findBackfill(table, after, catalogs);
    return constant === undefined
      ? []
      : [
          `${labelOf(table)}: the rows of tables have no value in the new column "${after.name}"; if every row at the source ` +
            `has its default ${constant} until the pipeline sends the column, say so before it is applied: ` +
            `backfill_from_default: [${JSON.stringify(after.name)}]; else fill it with a reload`,
        ];
  });
}

/** Lists what users can still do before changes of definitions are applied, and what has no effect. */
export function listSuggestions(
  changes: readonly TableChange[],
  readCatalogs: () => readonly Catalog[],
): readonly string[] {
  return [...suggestBackfills(changes, readCatalogs), ...changes.flatMap(lateRename)];
}

/** Warns of an earlier name for a column that the definitions had already. A table with both columns renames nothing. */
function lateRename(change: TableChange): readonly string[] {
  if (change.kind !== 'column redefined' || change.before.name !== change.after.name) return [];
  const [before, after] = [change.before, change.after].map((column) =>
    'formerly' in column ? (column.formerly ?? []) : [],
  ) as [readonly string[], readonly string[]];
  const [old] = after;
  if (before.length > 0 || old === undefined) return [];
  const { name } = change.after;
  return [
    `${labelOf(change.table)}: column "${name}" was generated before its rename from "${old}": a target that has it already keeps both columns and renames nothing; ` +
      `copy the values there: UPDATE … SET "${name}" = "${old}" WHERE "${name}" IS NULL`,
  ];
}

/** Lists what users have to know or do about changes that a refresh has brought into the files. */
export function listRefreshWarnings(changes: readonly TableChange[]): readonly string[] {
  return [...listWarnings(changes), ...changes.flatMap(consequenceOf)];
}

const SCAFFOLD = 'cdc manage-migrations diff --base <commit before> --scaffold-manual';

function consequenceOf(change: TableChange): readonly string[] {
  const label = labelOf(change.table);
  if (change.table.kind === 'existing') return [];
  if (change.class === 'unsafe')
    return [
      `${label}: ${changeFacts(change).what}: apply will refuse the table, because values could be lost; ${SCAFFOLD} creates a draft in migrations/manual/`,
    ];
  if (change.kind !== 'column added' || change.after.role !== 'source') return [];
  if ('default' in change.after || 'backfill' in change.after) return [];
  const { name, nullable } = change.after;
  const later = nullable ? '' : ', and becomes NOT NULL with the apply after that';
  return [
    `${label}: new column "${name}" is NULL in existing rows until they are read again (cdc manage-migrations reload)${later}`,
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
  const { before, class: changeClass } = change;
  const how = changeClass === 'free' ? ', and can be NULL from then on' : '';
  return [
    `${label}: column "${before.name}" removed; it stays in every target with its values${how}`,
  ];
}

/**
 * Suggests that a removed and a new table are one: both are from the same source table, or their names differ only in
 * case.
 */
function guessTableRenames(changes: readonly TableChange[]): readonly string[] {
  const gone = changes.filter(({ kind }) => kind === 'table removed').map(({ table }) => table);
  const come = changes.filter(({ kind }) => kind === 'table added').map(({ table }) => table);
  const isSame = (one: TableDefinition, other: TableDefinition) =>
    schemaLabel(one) === schemaLabel(other) &&
    (isSameWord(one.name, other.name) ||
      (one.source.schema === other.source.schema && one.source.table === other.source.table));
  return gone.flatMap((old) => {
    const [fresh, another] = come.filter((one) => one.set === old.set && isSame(old, one));
    if (!fresh || another || old.kind === 'existing') return [];
    return [
      `${labelOf(old)}: if ${labelOf(fresh)} is the same table, run before apply: ` +
        `cdc manage-migrations rename --table ${old.name} --to ${fresh.name}`,
    ];
  });
}

/**
 * Suggests that a removed and a new column are one: there is one of each with the same type, or their names differ only
 * in case.
 */
function guessRename(table: TableDefinition, changes: readonly TableChange[]): readonly string[] {
  if (table.kind === 'existing') return [];
  const gone = changes
    .flatMap((change) => (change.kind === 'column removed' ? change.before : []))
    .filter(({ role }) => role !== 'metadata');
  const come = changes
    .flatMap((change) => (change.kind === 'column added' ? change.after : []))
    .filter(({ role }) => role !== 'metadata');
  const isOne = gone.length === 1 && come.length === 1 && gone[0]!.type === come[0]!.type;
  const pairs = gone.flatMap((old) =>
    come.filter(({ name }) => isOne || isSameWord(old.name, name)).map((fresh) => ({ old, fresh })),
  );
  return pairs.map(
    ({ old, fresh }) =>
      `${labelOf(table)}: if column "${fresh.name}" is "${old.name}" under a new name, say so before it is applied: ` +
      `renames: { ${JSON.stringify(old.name)}: ${JSON.stringify(fresh.name)} }`,
  );
}

function isSameWord(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
