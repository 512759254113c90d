import { formatProblem, type Problem } from '@cdc-migrations/config';
import { renderDefinitions, renderSets } from './definition-file.ts';
import type { Definitions } from './build-definitions.ts';
import type { ColumnDefinition, TableDefinition } from './table-definition.ts';

/** Renders definitions in a few lines for a review: results of the rules, without what is the same in every table. */
export function summarise({ tables, sets, warnings }: Definitions): string {
  const lines = [
    ...warnings.map((problem: Problem) => `warning: ${formatProblem(problem)}`),
    ...renderDefinitions(tables).flatMap(({ path, table }) => [
      path.replace('generated/table-definitions/', ''),
      ...summariseTable(table).map((line) => `  ${line}`),
    ]),
    ...(sets.length > 1 ? renderSets(sets).text.split('\n').slice(5) : []),
  ];
  return lines.join('\n').trimEnd() + '\n';
}

function summariseTable(table: TableDefinition): readonly string[] {
  const { schema, name, source } = table;
  const mapping = schema.scope === 'tenant' ? '<tenant>' : schema.name;
  const head = `${table.set} ${mapping}."${name}" from ${source.schema}.${source.table}`;
  if (table.kind === 'existing') {
    return [`${head}, existing`, ...table.columns.map(summariseColumn)];
  }
  const { key, names } = table;
  return [
    head,
    key ? `key (${key.columns.join(', ')}) of ${key.origin}` : 'no key',
    ...(name === source.table ? [] : [`staging ${names.staging}, merge ${names.mergeProcedure}`]),
    ...(table.indexes ?? []).map(
      ({ name: index, columns, unique, method = 'btree', where = '' }) =>
        `index ${index} ${[unique && 'unique', method, `(${columns.join(', ')})`, where].filter(Boolean).join(' ')}`,
    ),
    ...(table.partitionBy
      ? [
          `partition by ${table.partitionBy.method} (${table.partitionBy.columns.join(', ')})`,
          ...table.partitionBy.partitions.map((part) => `partition ${part.name} ${part.bounds}`),
        ]
      : []),
    ...(table.deleteMode === 'hard' ? [] : [`delete_mode ${table.deleteMode}`]),
    ...(table.truncate ? [`truncate ${table.truncate}`] : []),
    ...(table.positions ? [`positions ${table.positions}`] : []),
    ...(table.staging === 'unlogged' ? [] : [`staging ${table.staging}`]),
    ...table.columns.filter(({ role }) => role !== 'metadata').map(summariseColumn),
  ];
}

function summariseColumn({
  name,
  type,
  nullable,
  role,
  source,
  ...column
}: Omit<ColumnDefinition, 'role'> & { readonly role: string }): string {
  const facts = [
    column.default === undefined ? '' : `DEFAULT ${column.default}`,
    column.backfill === undefined ? '' : `backfill ${column.backfill}`,
    role === 'source' ? '' : role,
    source === undefined || source.name === name ? '' : `from "${source.name}"`,
    column.formerly === undefined ? '' : `formerly ${column.formerly.join(', then ')}`,
    column.form === undefined ? '' : `as ${column.form}`,
    column.exactness === undefined || column.exactness === 'exact' ? '' : column.exactness,
  ].filter(Boolean);
  return [`${name} ${type}${nullable ? '' : ' NOT NULL'}`, ...facts].join(', ');
}
