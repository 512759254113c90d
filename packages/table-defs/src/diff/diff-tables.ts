import type {
  ExistingTable,
  PartitionDefinition,
  PartitioningDefinition,
  ReplicatedTable,
  TableDefinition,
} from '../table-definition.ts';
import { changedFacts, diffColumns, type FactNames } from './diff-columns.ts';
import { pairColumns, type ColumnPair } from './pair-columns.ts';
import type { ChangeClass, TableChange } from './table-change.ts';

/**
 * Compares two lists of definitions. Returns each change with the old value, the new value and its class. Returns no
 * changes for equal lists. A table is identified by its sink, service, schema, name and kind (replicated or existing).
 *
 * @returns changes in the order of `after`, grouped by table, then the removed tables.
 */
export function diffTables(
  before: readonly TableDefinition[],
  after: readonly TableDefinition[],
): readonly TableChange[] {
  const earlier = new Map(before.map((table) => [identityOf(table), table]));
  const later = new Set(after.map(identityOf));
  const gone = before.filter((table) => !later.has(identityOf(table)));
  return [
    ...after.flatMap((table) => {
      const other = earlier.get(identityOf(table));
      return other ? diffTable(other, table) : [addedTable(table)];
    }),
    ...gone.map(removedTable),
  ];
}

function identityOf({ kind, set, service, schema, name }: TableDefinition): string {
  const literal = schema.scope === 'literal' ? [schema.name] : [];
  return JSON.stringify([kind, set, service, name, ...literal]);
}

function addedTable(table: TableDefinition): TableChange {
  const changeClass = table.kind === 'replicated';
  const kind = 'table added';
  return { kind, class: changeClass ? 'free' : 'informational', table, before: null, after: table };
}

function removedTable(table: TableDefinition): TableChange {
  const kind = 'table removed';
  return { kind, class: 'informational', table, before: table, after: null };
}

function diffTable(before: TableDefinition, after: TableDefinition): readonly TableChange[] {
  const pairs = pairColumns(before.columns, after.columns);
  const changes = [
    ...diffKeys(before, after, pairs),
    ...diffColumns(before, after, pairs),
    ...diffPartitions(before, after, pairs),
  ];
  const facts = otherFacts(before, after, pairs);
  if (facts.length === 0) return changes;
  const kind = 'table redefined';
  const changeClass = facts.includes(FACTS.indexes) ? 'free' : 'informational';
  return [...changes, { kind, class: changeClass, table: after, before, after, facts }];
}

function diffKeys(
  before: TableDefinition,
  after: TableDefinition,
  pairs: readonly ColumnPair[],
): readonly TableChange[] {
  if (before.kind === 'existing' || after.kind === 'existing') return [];
  const newNames = new Map(pairs.map((pair) => [pair.before?.name, pair.after?.name]));
  const moved = before.key?.columns.map((name) => newNames.get(name) ?? name) ?? null;
  if (isSame(moved, after.key?.columns ?? null)) return [];
  return [
    { kind: 'key changed', class: 'unsafe', table: after, before: before.key, after: after.key },
  ];
}

/**
 * Compares declared partitions. New ones are created. Those that left the configuration stay, with their rows. PostgreSQL
 * can change neither the method and columns nor the bounds of a partition.
 */
function diffPartitions(
  before: TableDefinition,
  after: TableDefinition,
  pairs: readonly ColumnPair[],
): readonly TableChange[] {
  if (before.kind === 'existing' || after.kind === 'existing') return [];
  const [from, to] = [before.partitionBy ?? null, after.partitionBy ?? null];
  const newNames = new Map(pairs.map((pair) => [pair.before?.name, pair.after?.name]));
  const moved = from && {
    ...from,
    columns: from.columns.map((name) => newNames.get(name) ?? name),
  };
  if (isSame(moved, to)) return [];
  return [
    {
      kind: 'partitions changed',
      class: classOfPartitions(moved, to),
      ...{ table: after, before: from, after: to },
    },
  ];
}

function classOfPartitions(
  before: PartitioningDefinition | null,
  after: PartitioningDefinition | null,
): ChangeClass {
  if (!after) return 'informational';
  if (!before || before.method !== after.method || !isSame(before.columns, after.columns)) {
    return 'unsafe';
  }
  const earlier = new Map(before.partitions.map(({ name, bounds }) => [name, bounds]));
  const isOther = ({ name, bounds }: PartitionDefinition) =>
    earlier.has(name) && earlier.get(name) !== bounds;
  if (after.partitions.some(isOther)) return 'unsafe';
  return after.partitions.some(({ name }) => !earlier.has(name)) ? 'free' : 'informational';
}

/** Properties of a table other than its columns and key columns. */
const FACTS = {
  kind: null,
  set: null,
  service: null,
  schema: null,
  name: null,
  columns: null,
  key: null,
  partitionBy: null,
  source: 'source',
  names: 'names',
  deleteMode: 'delete_mode',
  indexes: 'indexes',
  staging: 'staging',
  unavailable: 'unavailable_value_placeholder',
  truncate: 'truncate',
  positions: 'positions',
  transforms: 'transforms',
} satisfies FactNames<ReplicatedTable> & FactNames<ExistingTable>;

function otherFacts(
  before: TableDefinition,
  after: TableDefinition,
  pairs: readonly ColumnPair[],
): readonly string[] {
  const origins = [before, after].map((table) =>
    table.kind === 'replicated' ? (table.key?.origin ?? null) : null,
  );
  const [origin, newOrigin] = origins;
  return [
    ...changedFacts(FACTS, before, after),
    ...(origin && newOrigin && origin !== newOrigin ? ['origin of the key'] : []),
    ...(isInOrder(before, pairs) ? [] : ['order of columns']),
  ];
}

/** Checks if the common columns have the same order on both sides. `pairs` is in the order of `after`. */
function isInOrder(before: TableDefinition, pairs: readonly ColumnPair[]): boolean {
  const mappings = new Map(before.columns.map(({ name }, mapping) => [name, mapping]));
  const kept = pairs.flatMap((pair) =>
    pair.before && pair.after ? [mappings.get(pair.before.name)!] : [],
  );
  return kept.every((mapping, index) => index === 0 || kept[index - 1]! < mapping);
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
