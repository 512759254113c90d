import {
  partitionKey,
  type AnyColumn,
  type ChangeKind,
  type ChangeOf,
  type KeyDefinition,
  type PartitioningDefinition,
  type TableChange,
} from '@cdc-migrations/table-defs';

/**
 * Describes a change in a few words without its table: `column "Navn": character varying(50) to character varying(20)`.
 */
export function describeChange(change: TableChange): string {
  return (DESCRIPTIONS[change.kind] as (change: TableChange) => string)(change);
}

const DESCRIPTIONS: { readonly [Kind in ChangeKind]: (change: ChangeOf<Kind>) => string } = {
  'table added': ({ after }) => (after.kind === 'replicated' ? 'new table' : 'new existing table'),
  'table removed': () => 'table removed',
  'table redefined': ({ facts }) => `${facts.join(', ')} changed`,
  'column added': ({ after }) => `new ${describeColumn(after)}`,
  'column removed': ({ before }) => `column "${before.name}" removed`,
  'column renamed': ({ before, after }) => `column "${before.name}" renamed to "${after.name}"`,
  'type changed': ({ before, after }) => `column "${after.name}": ${before.type} to ${after.type}`,
  'nullability changed': ({ after }) =>
    `column "${after.name}": ${after.nullable ? 'can be NULL' : 'NOT NULL'}`,
  'default changed': ({ before, after }) =>
    `column "${after.name}": default ${defaultOf(before)} to ${defaultOf(after)}`,
  'column redefined': ({ after, facts }) => `column "${after.name}": ${facts.join(', ')} changed`,
  'partitions changed': ({ before, after }) => describePartitions(before, after),
  'key changed': ({ before, after }) => `key ${describeKey(before)} to ${describeKey(after)}`,
};

/** Describes added, changed and removed partitions: `partitions by RANGE ("RegTid"): new "Actor_2026"`. */
function describePartitions(
  before: PartitioningDefinition | null,
  after: PartitioningDefinition | null,
): string {
  if (!after) return `partitions by ${partitionKey(before!)} are not declared any more and stay`;
  const head = `partitions by ${partitionKey(after)}`;
  if (!before) return `${head}, before none`;
  if (partitionKey(before) !== partitionKey(after))
    return `${head}, before by ${partitionKey(before)}`;
  const earlier = new Map(before.partitions.map(({ name, bounds }) => [name, bounds]));
  const names = new Set(after.partitions.map(({ name }) => name));
  const facts = [
    ...after.partitions.flatMap(({ name, bounds }) => {
      const old = earlier.get(name);
      if (old === undefined) return [`new "${name}" ${bounds}`];
      return old === bounds ? [] : [`"${name}" ${bounds}, before ${old}`];
    }),
    ...before.partitions
      .filter(({ name }) => !names.has(name))
      .map(({ name }) => `"${name}" is not declared any more and stays`),
  ];
  return `${head}: ${facts.join('; ') || 'another order'}`;
}

function describeColumn(column: AnyColumn): string {
  const filled =
    'backfill' in column && column.backfill !== undefined ? `, rows get ${column.backfill}` : '';
  return `column "${column.name}": ${column.type}${column.nullable ? '' : ', NOT NULL'}${filled}`;
}

function defaultOf(column: AnyColumn): string {
  return ('default' in column ? column.default : undefined) ?? 'none';
}

function describeKey(key: KeyDefinition | null): string {
  return key ? `(${key.columns.join(', ')})` : 'none';
}
