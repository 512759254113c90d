import type { SinkTable, TablePartition } from '@cdc-migrations/config';
import { didYouMean } from '@cdc-migrations/shape';
import { quoteIdentifier, quoteLiteral, shortName } from '@cdc-migrations/sql-text';
import { refusePlaceholder } from './check-column-names.ts';
import { POSITION_COLUMNS } from './metadata-columns.ts';
import { problemAt, type ProblemList } from './problems.ts';
import type {
  ColumnDefinition,
  KeyDefinition,
  PartitionDefinition,
  PartitioningDefinition,
  ReplicatedTable,
} from './table-definition.ts';

/**
 * Builds the partitioning that the configuration declares. Its columns must be in the primary key, because PostgreSQL
 * has no unique index over partitions without them. In a table without a key they must be in the stream position.
 */
export function buildPartitioning(
  { table, partitionBy }: Pick<SinkTable, 'table' | 'partitionBy'>,
  final: {
    readonly columns: readonly Pick<ColumnDefinition, 'name'>[];
    readonly key: KeyDefinition | null;
  },
  problems: ProblemList,
): PartitioningDefinition | undefined {
  if (!partitionBy) return undefined;
  const { at, method, partitions, count = 0 } = partitionBy;
  const columns = partitionBy.columns.map(shortName);
  const problem = problemOf(columns, final);
  if (problem !== undefined) problems.errors.push(problemAt(at, [method], problem));
  for (const { at: own, name, from = [], to = [], in: values = [] } of partitions) {
    for (const text of [name, ...from, ...to, ...values]) refusePlaceholder(text, own, problems);
  }
  const build = (name: string, bounds: string): PartitionDefinition => ({
    name: shortName(`${table}_${name}`),
    bounds,
  });
  return {
    method,
    columns,
    partitions:
      method === 'hash'
        ? Array.from({ length: count }, (_, remainder) =>
            build(`p${remainder}`, `FOR VALUES WITH (MODULUS ${count}, REMAINDER ${remainder})`),
          )
        : partitions.map((partition) => build(partition.name, boundsOf(partition, columns.length))),
  };
}

function problemOf(
  columns: readonly string[],
  {
    columns: known,
    key,
  }: {
    readonly columns: readonly Pick<ColumnDefinition, 'name'>[];
    readonly key: KeyDefinition | null;
  },
): string | undefined {
  const names = known.map(({ name }) => name);
  const missing = columns.find((name) => !names.includes(name));
  if (missing !== undefined) {
    return `expected columns of the final table, found "${missing}"${didYouMean(missing, names) || `; the columns are: ${names.join(', ')}`}`;
  }
  if (new Set(columns).size < columns.length) return 'expected each column once, found a duplicate';
  const needed = key?.columns ?? POSITION_COLUMNS;
  const outside = columns.find((name) => !needed.includes(name));
  if (outside === undefined) return undefined;
  const what = key ? 'the primary key' : 'the stream position of a table without a key';
  return (
    `expected columns of ${what} (${needed.join(', ')}), found "${outside}"; ` +
    'PostgreSQL requires the primary key to contain the columns of partition_by'
  );
}

/** Renders the bounds of a partition by range or list. */
function boundsOf({ from, to, in: values }: TablePartition, columnCount: number): string {
  const list = (items: readonly string[]) => `(${items.map(quoteLiteral).join(', ')})`;
  const open = (word: string) => `(${Array.from({ length: columnCount }, () => word).join(', ')})`;
  if (values) return `FOR VALUES IN ${list(values)}`;
  if (!from && !to) return 'DEFAULT';
  const [first, end] = [from ? list(from) : open('MINVALUE'), to ? list(to) : open('MAXVALUE')];
  return `FOR VALUES FROM ${first} TO ${end}`;
}

/** Reports declared unique indexes without the columns of the partitions. */
export function checkUniqueIndexes(
  { indexes }: Pick<SinkTable, 'indexes'>,
  { columns }: PartitioningDefinition,
  problems: ProblemList,
): void {
  for (const index of indexes) {
    if (!index.unique || columns.every((name) => index.columns.map(shortName).includes(name))) {
      continue;
    }
    const message = `expected the columns of partition_by (${columns.join(', ')}) in a unique index of a partitioned table, found (${index.columns.join(', ')})`;
    problems.errors.push(problemAt(index.at, [], message));
  }
}

/** Renders the partition key as in SQL: `RANGE ("RegTid")`. */
export function partitionKey({
  method,
  columns,
}: Pick<PartitioningDefinition, 'method' | 'columns'>): string {
  return `${method.toUpperCase()} (${columns.map(quoteIdentifier).join(', ')})`;
}

/**
 * Renders a partitioning as JSON for the routines of `cdc_management`: `{"method": "LIST", "columns": ["Land"],
 * "partitions": [["Actor_nordic", "FOR VALUES IN ('NO')"]]}`. `types` contains new types of these columns for
 * `repartition_table`, each with the expression that converts the values.
 */
export function partitioningEntry(
  { method, columns, partitions }: NonNullable<ReplicatedTable['partitionBy']>,
  types: readonly (readonly [column: string, type: string, value: string])[] = [],
): string {
  return JSON.stringify({
    method: method.toUpperCase(),
    columns,
    partitions: partitions.map(({ name, bounds }) => [name, bounds]),
    ...(types.length > 0 && { types }),
  });
}
