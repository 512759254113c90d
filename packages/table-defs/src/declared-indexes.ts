import { createHash } from 'node:crypto';
import type { SinkTable, TableIndex } from '@cdc-migrations/config';
import { didYouMean } from '@cdc-migrations/shape';
import {
  quoteIdentifier,
  quoteQualified,
  SCHEMA_PLACEHOLDER,
  shortName,
} from '@cdc-migrations/sql-text';
import { refusePlaceholder } from './check-column-names.ts';
import { problemAt, type ProblemList } from './problems.ts';
import type { ColumnDefinition, IndexDefinition, ReplicatedTable } from './table-definition.ts';
import type { IndexStructure } from './table-structure.ts';

/**
 * Comment on the indexes that we create. Only indexes with this comment are dropped when they are removed from the
 * configuration.
 */
export const INDEX_COMMENT =
  'declared in indexes of the service file; cdc drops it when it is not any more';

const DIGITS = 8;

/** Builds the indexes that the configuration declares for a table. Unknown columns and duplicates are errors. */
export function buildDeclaredIndexes(
  { table, indexes }: Pick<SinkTable, 'table' | 'indexes'>,
  columns: readonly Pick<ColumnDefinition, 'name'>[],
  isTenant: boolean,
  problems: ProblemList,
): readonly IndexDefinition[] {
  const known = columns.map(({ name }) => name);
  const built: IndexDefinition[] = [];
  for (const index of indexes) {
    const names = index.columns.map(shortName);
    const missing = names.find((name) => !known.includes(name));
    const definition = buildIndex(table, names, index);
    const problem =
      missing !== undefined
        ? `expected columns of the final table, found "${missing}"${didYouMean(missing, known) || `; the columns are: ${known.join(', ')}`}`
        : problemOf(index, definition, built);
    if (problem !== undefined) problems.errors.push(problemAt(index.at, [], problem));
    else built.push(definition);
    const where = index.where ?? '';
    refusePlaceholder(
      isTenant ? where.replaceAll(SCHEMA_PLACEHOLDER, '') : where,
      index.at,
      problems,
    );
  }
  return built;
}

function problemOf(
  { unique, method, where }: TableIndex,
  { name, columns }: IndexDefinition,
  others: readonly IndexDefinition[],
): string | undefined {
  if (unique && method !== 'btree')
    return `expected the method btree for a unique index, found ${method}`;
  if (method === 'hash' && columns.length > 1)
    return `expected one column for the method hash, found ${columns.length}`;
  if (where?.trim() === '') return 'expected an SQL condition in where, found nothing';
  if (others.some((other) => other.name === name))
    return 'expected each index once, found a duplicate';
  return undefined;
}

function buildIndex(
  table: string,
  columns: readonly string[],
  { unique, where, method }: TableIndex,
): IndexDefinition {
  const facts = {
    columns,
    ...(unique && { unique }),
    ...(where !== undefined && { where }),
    ...(method !== 'btree' && { method }),
  };
  return { name: nameIndex(table, facts), ...facts };
}

function nameIndex(
  table: string,
  { columns, unique, where, method }: Omit<IndexDefinition, 'name'>,
): string {
  const facts = JSON.stringify({ columns, unique, where, method });
  const digest = createHash('sha256').update(facts).digest('hex').slice(0, DIGITS);
  return shortName(`idx_${[table, ...columns].join('_')}_${digest}`);
}

/** Maps the names that the declared indexes had before their table was renamed to their current names. */
export function renamedIndexes(
  { indexes = [] }: Pick<ReplicatedTable, 'indexes'>,
  earlierTable: string,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    indexes.map(({ name, ...facts }) => [nameIndex(earlierTable, facts), name]),
  );
}

/**
 * Renders the statement that creates an index if it does not exist. `schema` is written as in SQL. With `only`, the
 * statement creates the index of a partitioned table, but not those of its partitions, which are attached later.
 */
export function createIndex(
  { name, columns, unique, method, where }: IndexStructure,
  table: { readonly schema: string; readonly name: string },
  { concurrently, only = false }: { readonly concurrently: boolean; readonly only?: boolean },
): string {
  const words = [
    'CREATE',
    ...(unique ? ['UNIQUE'] : []),
    'INDEX',
    ...(concurrently ? ['CONCURRENTLY', 'IF NOT EXISTS'] : only ? ['IF NOT EXISTS'] : []),
    quoteIdentifier(name),
    only ? 'ON ONLY' : 'ON',
    quoteQualified(table.schema, table.name),
    ...(method === 'btree' ? [] : ['USING', method]),
    `(${columns.map(quoteIdentifier).join(', ')})`,
    ...(where === null ? [] : [`WHERE ${where}`]),
  ];
  return words.join(' ');
}
