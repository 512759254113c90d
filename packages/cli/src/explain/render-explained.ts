import { quoteIdentifier } from '@cdc-migrations/sql-text';
import { partitionKey, type IndexDefinition } from '@cdc-migrations/table-defs';
import type { TextTable } from '../lay-out-table.ts';
import { countOf } from '../count-of.ts';
import type { ExplainedColumn, ExplainedMerge, ExplainedTable, Reason } from './explain-table.ts';

/** A step of the way, and what it is. */
export type Line = readonly [label: string, text: string];

/** Renders the path of a table, then a line for each column. */
export function renderTable(explained: ExplainedTable): readonly (string | TextTable)[] {
  const { columns, leftOut } = explained;
  const rows = columns.map((column) => [
    column.name,
    column.source?.type ?? column.role,
    column.stagingType ?? '-',
    finalType(column),
    column.code === null ? (column.exactness ?? '') : `${column.exactness}, ${column.code}`,
  ]);
  return [
    headOf(explained),
    ...renderLines(tableLines(explained)),
    '',
    { head: ['column', 'source', 'staging', 'final', 'exactness'], rows },
    ...(leftOut.length > 0
      ? ['', `${countOf(leftOut.length, 'column')} of the source left out:`]
      : []),
    ...leftOut.map(({ name, type, why }) => `  ${name} ${type}: ${why}`),
  ];
}

/** Renders the path of the only column of a table. */
export function renderColumn(explained: ExplainedTable): readonly (string | TextTable)[] {
  const column = explained.columns[0]!;
  return [`${headOf(explained)}.${column.name}`, ...renderLines(columnLines(explained, column))];
}

/** The way of a column, as a label and a text for each step. */
export function columnLines(
  { source, merge, table }: ExplainedTable,
  column: ExplainedColumn,
): readonly Line[] {
  const { name, event, stagingType, stored, refused, code } = column;
  const from = `${source.database}.${source.schema}.${source.table}`;
  return [
    column.source
      ? ['source', `${from}: ${column.source.column} ${column.source.type}`]
      : ['source', `none: ${ORIGINS[column.role]}`],
    ...(merge && stagingType !== null && stored !== null
      ? ([
          ['event', event ?? `as PostgreSQL reads ${stagingType}`],
          ['staging', `${merge.staging}: ${quoteIdentifier(name)} ${stagingType}`],
          ['merge', `${merge.procedure} stores ${stored}`],
          ...(refused.length > 0
            ? [['refused', `${refused.join('; ')}: the event goes to the dead letters`] as const]
            : []),
        ] as const)
      : []),
    [
      'final',
      `${table}: ${quoteIdentifier(name)} ${finalType(column)}${column.isKey ? ', key' : ''}`,
    ],
    ...(column.exactness === null
      ? []
      : [
          [
            'exactness',
            [column.exactness, code, column.reason].filter(Boolean).join(', '),
          ] as const,
        ]),
    ...(column.advice === null ? [] : [['advice', column.advice] as const]),
    ...column.formerly.map((before) => ['before', before] as const),
    ...column.because.map((reason) => ['set by', renderReason(reason)] as const),
  ];
}

const ORIGINS: Readonly<Record<ExplainedColumn['role'], string>> = {
  source: 'a column of the source',
  template: 'a column template, whose value the pipeline sets',
  transform: 'output of a transform of the pipeline',
  metadata: 'metadata of the event or the merge, in every table',
};

function headOf({ set, schema, table }: ExplainedTable): string {
  return `${set} ${schema}.${table}`;
}

/** The way of a table, as a label and a text for each step. */
export function tableLines({
  source,
  merge,
  table,
  indexes,
  partitionBy,
  because,
}: ExplainedTable): readonly Line[] {
  return [
    ['source', `${source.database}.${source.schema}.${source.table}`],
    ...(merge ? mergeLines(merge) : []),
    [
      'final',
      merge
        ? table
        : `${table}, an existing table: a pipeline writes its rows, and check compares its columns`,
    ],
    ...indexes.map((index) => ['index', describeIndex(index)] as const),
    ...(partitionBy
      ? [
          ['partitions', partitionKey(partitionBy)] as const,
          ...partitionBy.partitions.map(({ name, bounds }) => ['', `${name}: ${bounds}`] as const),
        ]
      : []),
    ...because.map((reason) => ['set by', renderReason(reason)] as const),
  ];
}

function describeIndex({ name, columns, unique, method, where }: IndexDefinition): string {
  const kind = [...(unique ? ['unique'] : []), method ?? 'btree'].join(' ');
  const on = columns.map(quoteIdentifier).join(', ');
  return `${name}: ${kind} on ${on}${where === undefined ? '' : ` where ${where}`}`;
}

function mergeLines(merge: ExplainedMerge): readonly Line[] {
  const { staging, isLogged, procedure, key, keyOrigin, deletes, positions } = merge;
  const order = positions === 'lsn' ? 'commit LSN' : 'Kafka offset';
  const ofKey =
    key.length > 0
      ? `one row for each ${key.join(', ')} (${keyOrigin}), ${deletes} deletes`
      : 'one row for each event, because there is no key';
  return [
    ['staging', `${staging}, ${isLogged ? 'logged' : 'unlogged'}`],
    ['merge', `${procedure}: ${ofKey}, in order of ${order}`],
  ];
}

/** Type of a column in the final table, with NOT NULL and its default. */
export function finalType({ type, nullable, default: initial }: ExplainedColumn): string {
  return [type, ...(nullable ? [] : ['NOT NULL']), ...(initial ? [`DEFAULT ${initial}`] : [])].join(
    ' ',
  );
}

function renderReason({ file, line, says }: Reason): string {
  return `${file}${line === null ? '' : `:${line}`} ${says}`;
}

function renderLines(lines: readonly Line[]): readonly TextTable[] {
  return lines.length > 0 ? [{ rows: lines, indent: '  ' }] : [];
}
