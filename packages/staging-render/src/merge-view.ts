import { quoteIdentifier, quoteQualified } from '@cdc-migrations/sql-text';
import {
  POSITION_COLUMNS,
  type ColumnDefinition,
  type ReplicatedTable,
} from '@cdc-migrations/table-defs';
import {
  availableValue,
  buildLargeColumns,
  isUpdate,
  leavesOut,
  positionOf as jsonPositionOf,
  STORED_POSITION,
  type LargeColumnView,
} from './large-columns.ts';
import { keyText, keyValue, storageCast } from './staged-value.ts';

interface MergeView {
  /** Whether an event can be merged: looked into only where some of the window cannot. */
  readonly isGood: string;
  readonly schema: string;
  readonly name: string;
  readonly table: string;
  readonly staging: string;
  readonly columnList: string;
  /** What a new row holds, column by column. */
  readonly columns: readonly { readonly value: string; readonly last: boolean }[];
}

export interface KeyedMergeView extends MergeView {
  readonly key: KeyView;
  readonly largeColumns: readonly LargeColumnView[];
  readonly hasLargeColumns: boolean;
  readonly isSoft: boolean;
  /** Positions as JSON, of a table with such columns. */
  readonly eventPosition: string;
  readonly newestPosition: string;
  readonly storedPosition: string;
  /** Whether an event lacks a value that an earlier one has: `event`, the one that is picked. */
  readonly isLeftOut: string;
  readonly pickedIsLeftOut: string;
  /** Whether the event `event` can lack a value. */
  readonly eventIsUpdate: string;
  /** Key, stream and position of `event`. */
  readonly narrow: string;
  /** Positions that can be compared, of a soft merge. */
  readonly position: PositionView;
  readonly updates: readonly { readonly assignment: string; readonly last: boolean }[];
}

/** The key as SQL; values of staged events are as the final table would store them. */
interface KeyView {
  readonly names: readonly string[];
  readonly columns: string;
  readonly event: string;
  readonly newest: string;
  readonly storedIsPicked: string;
  /** The same of the row `"__stored"`, a name that no column has. */
  readonly storedRowIsPicked: string;
  readonly storedIsNewest: string;
  readonly storedIsDeletion: string;
  readonly newestIsDeletion: string;
  readonly partialIsNewest: string;
  /** The key of an event with the names that it has in the subquery `known`. */
  readonly known: string;
  readonly knownIsNewest: string;
  readonly upsertIsPicked: string;
  /** 32 bytes that stand for the key of `newest` in the tombstones. */
  readonly digest: string;
  readonly latestDigest: string;
  readonly locatedDigest: string;
  readonly eventDigest: string;
  readonly deletionDigest: string;
}

interface PositionView {
  readonly event: string;
  readonly stored: string;
  readonly deletion: string;
}

export interface AppendMergeView extends MergeView {
  readonly positionColumns: string;
}

/** View of the merge of a table with a key: the newest event per key wins. */
export function buildKeyedMerge(table: ReplicatedTable, schema: string): KeyedMergeView {
  const key = keyColumnsOf(table);
  const valued = table.columns.filter((column) => !key.includes(column));
  const large = buildLargeColumns(valued);
  const soft = table.deleteMode === 'soft';
  const keyView = buildKey(key);
  const columns = soft
    ? table.columns
    : table.columns.filter(({ name }) => name !== '__deleted_at');
  const updated = columns.filter((column) => !key.includes(column));
  return {
    ...buildMerge(table, schema, columns, (column) => keyedValue(column, large, keyView)),
    isGood: isGood('event'),
    key: keyView,
    largeColumns: large,
    hasLargeColumns: large.length > 0,
    isSoft: soft,
    eventPosition: jsonPositionOf('event'),
    newestPosition: jsonPositionOf('newest'),
    storedPosition: STORED_POSITION,
    isLeftOut: leavesOut('event', large),
    pickedIsLeftOut: leavesOut('picked', large),
    eventIsUpdate: isUpdate('event'),
    narrow: narrowOf(key),
    position: {
      event: positionOf('event'),
      stored: positionOf('stored'),
      deletion: positionOf('deletion'),
    },
    updates: updated.map(({ name }, index) => ({
      assignment: assignmentOf(name),
      last: index === updated.length - 1,
    })),
  };
}

/** View of the merge of a table without a key: inserts are appended once per stream position. */
export function buildAppendMerge(table: ReplicatedTable, schema: string): AppendMergeView {
  const columns = table.columns.filter(({ name }) => name !== '__deleted_at');
  return {
    ...buildMerge(table, schema, columns, stagedValue),
    isGood: isGood('newest'),
    positionColumns: POSITION_COLUMNS.map(quoteIdentifier).join(', '),
  };
}

function buildMerge(
  table: ReplicatedTable,
  schema: string,
  columns: readonly ColumnDefinition[],
  valueOf: (column: ColumnDefinition) => string,
): Omit<MergeView, 'isGood'> {
  return {
    schema,
    name: table.name,
    table: quoteQualified(schema, table.name),
    staging: quoteQualified(schema, table.names.staging),
    columnList: columns.map(({ name }) => quoteIdentifier(name)).join(', '),
    columns: columns.map((column, index) => ({
      value: valueOf(column),
      last: index === columns.length - 1,
    })),
  };
}

function isGood(event: string): string {
  return `CASE WHEN (SELECT found.any_dead FROM found) THEN ${event}."__rejection" IS NULL ELSE true END`;
}

function keyColumnsOf({ key, columns }: ReplicatedTable): readonly ColumnDefinition[] {
  return (key?.columns ?? []).map((name) => columns.find((column) => column.name === name)!);
}

function buildKey(key: readonly ColumnDefinition[]): KeyView {
  const stored = key.map(({ name }) => `stored.${quoteIdentifier(name)}`).join(', ');
  return {
    names: key.map(({ name }) => name),
    columns: key.map(({ name }) => quoteIdentifier(name)).join(', '),
    event: valuesOf(key, 'event'),
    newest: valuesOf(key, 'newest'),
    storedRowIsPicked: `(${key.map(({ name }) => `"__stored".${quoteIdentifier(name)}`).join(', ')}) = (${valuesOf(key, 'picked')})`,
    storedIsPicked: `(${stored}) = (${valuesOf(key, 'picked')})`,
    storedIsNewest: `(${stored}) = (${valuesOf(key, 'newest')})`,
    storedIsDeletion: `(${stored}) = (${valuesOf(key, 'deletion')})`,
    newestIsDeletion: `(${valuesOf(key, 'newest')}) = (${valuesOf(key, 'deletion')})`,
    partialIsNewest: `(${valuesOf(key, 'partial')}) = (${valuesOf(key, 'newest')})`,
    known: key
      .map(({ name, type }, index) => {
        const value = keyValue(`event.${quoteIdentifier(name)}`, type);
        return `${value} AS key_${index + 1}`;
      })
      .join(', '),
    knownIsNewest: `(${key.map((_, index) => `known.key_${index + 1}`).join(', ')}) = (${valuesOf(key, 'newest')})`,
    upsertIsPicked: `(${valuesOf(key, 'upsert')}) = (${valuesOf(key, 'picked')})`,
    digest: digestOf(key, 'newest'),
    latestDigest: digestOf(key, 'latest'),
    locatedDigest: digestOf(key, 'located'),
    eventDigest: digestOf(key, 'event'),
    deletionDigest: digestOf(key, 'deletion'),
  };
}

/** Key, stream and position, which is all that deletes need. */
function narrowOf(key: readonly ColumnDefinition[]): string {
  const names = [...key.map(({ name }) => name), '__source_db', ...POSITION_COLUMNS];
  return [...new Set(names)].map((name) => `event.${quoteIdentifier(name)}`).join(', ');
}

function valuesOf(key: readonly ColumnDefinition[], row: string): string {
  return key.map(({ name, type }) => keyValue(`${row}.${quoteIdentifier(name)}`, type)).join(', ');
}

/** Several columns as an array: its text quotes what needs it, so that no two keys have one text. */
function digestOf(key: readonly ColumnDefinition[], row: string): string {
  const texts = key.map(({ name, type }) => keyText(`${row}.${quoteIdentifier(name)}`, type));
  const text = texts.length === 1 ? texts[0]! : `ARRAY[${texts.join(', ')}]::text`;
  return `sha256(convert_to(${text}, 'UTF8'))`;
}

function stagedValue({ name, type, default: initial }: ColumnDefinition): string {
  const value = `newest.${quoteIdentifier(name)}${storageCast(type)}`;
  return initial === undefined ? value : `coalesce(${value}, ${initial})`;
}

/** What the final row holds. */
function keyedValue(
  column: ColumnDefinition,
  large: readonly LargeColumnView[],
  key: KeyView,
): string {
  if (column.name === '__deleted_at') return deletedAt(key);
  const found = large.find(({ name }) => name === column.name);
  return found ? availableValue(column, found) : stagedValue(column);
}

/** Now, where a newer delete is staged or remembered. */
function deletedAt(key: KeyView): string {
  const remembered =
    '(SELECT ARRAY[stone.stream_generation::bigint, stone.kafka_offset] FROM cdc_management.tombstone AS stone' +
    ` WHERE stone.table_id = $1 AND stone.key_digest = ${key.digest})`;
  const older = `CASE WHEN (SELECT found.any_late FROM found) THEN ${remembered} END`;
  return `CASE WHEN ${positionOf('newest')} < greatest(${positionOf('deletion')}, ${older}) THEN now() END`;
}

/** Position of a row as an array, which compares generation first; lowest for no row. */
function positionOf(row: string): string {
  return `ARRAY[coalesce(${row}."__stream_generation", -1)::bigint, coalesce(${row}."__kafka_offset", -1)]`;
}

function assignmentOf(name: string): string {
  const column = quoteIdentifier(name);
  return name === '__deleted_at'
    ? `${column} = CASE WHEN excluded.${column} IS NOT NULL THEN coalesce(stored.${column}, excluded.${column}) END`
    : `${column} = excluded.${column}`;
}
