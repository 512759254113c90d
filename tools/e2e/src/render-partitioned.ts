import { quoteIdentifier, quoteQualified } from '@cdc-migrations/sql-text';
import type { ColumnDefinition, ReplicatedTable } from '@cdc-migrations/table-defs';

/** Partitioning of a final table that a user creates before its file is applied. */
export interface Partitioning {
  /** `LIST ("OrderID")` */
  readonly by: string;
  readonly partitions: readonly Partition[];
}

export interface Partition {
  /** `FOR VALUES IN (1)`, or `DEFAULT`. */
  readonly bounds: string;
  /** Columns in another order with a dropped one, as in an attached table. */
  readonly isAttached?: boolean;
  /** Subpartitions. */
  readonly divided?: Partitioning;
}

/** Renders CREATE TABLE for a final table and its partitions. Partitions have the table's name with a number. */
export function renderPartitioned(
  schema: string,
  { name, columns, key, names }: ReplicatedTable,
  { by, partitions }: Partitioning,
): string {
  const primaryKey = key
    ? `, CONSTRAINT ${quoteIdentifier(names.primaryKey)} PRIMARY KEY (${key.columns.map(quoteIdentifier).join(', ')})`
    : '';
  return [
    `CREATE TABLE ${quoteQualified(schema, name)} (${columns.map(renderColumn).join(', ')}${primaryKey}) PARTITION BY ${by};`,
    ...partitions.map((partition, n) =>
      renderPartition(schema, { table: name, columns, name: `${name} ${n}` }, partition),
    ),
  ].join('\n');
}

interface PartitionName {
  readonly table: string;
  readonly name: string;
  readonly columns: readonly ColumnDefinition[];
}

function renderPartition(
  schema: string,
  { table, name, columns }: PartitionName,
  { bounds, isAttached = false, divided }: Partition,
): string {
  const [parent, partition] = [quoteQualified(schema, table), quoteQualified(schema, name)];
  const dividedBy = divided ? ` PARTITION BY ${divided.by}` : '';
  const own = isAttached
    ? `CREATE TABLE ${partition} (left_over text, ${[...columns].reverse().map(renderColumn).join(', ')})${dividedBy};
       ALTER TABLE ${partition} DROP COLUMN left_over;
       ALTER TABLE ${parent} ATTACH PARTITION ${partition} ${bounds};`
    : `CREATE TABLE ${partition} PARTITION OF ${parent} ${bounds}${dividedBy};`;
  const parts = (divided?.partitions ?? []).map((part, n) =>
    renderPartition(schema, { table: name, columns, name: `${name}.${n}` }, part),
  );
  return [own, ...parts].join('\n');
}

function renderColumn({ name, type, nullable, default: initial }: ColumnDefinition): string {
  return `${quoteIdentifier(name)} ${type}${nullable ? '' : ' NOT NULL'}${initial === undefined ? '' : ` DEFAULT ${initial}`}`;
}
