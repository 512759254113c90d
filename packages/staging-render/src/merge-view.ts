import { quoteIdentifier, quoteQualified } from '@cdc-migrations/sql-text';
import {
  POSITION_COLUMNS,
  stagingType,
  type ColumnDefinition,
  type ReplicatedTable,
} from '@cdc-migrations/table-defs';
import { keyText, keyValue, storageCast, unavailableLiteral } from './staged-value.ts';

interface MergeView {
  readonly schema: string;
  readonly name: string;
  readonly table: string;
  readonly staging: string;
  readonly columnList: string;
  /** What a new row holds, column by column. */
  readonly columns: readonly { readonly value: string; readonly last: boolean }[];
}

export interface KeyedMergeView extends MergeView {
  readonly soft: boolean;
  readonly keyColumns: readonly { readonly name: string; readonly missing: string }[];
  readonly key: KeyView;
  readonly largeColumns: readonly LargeColumnView[];
  /** Whether the event `picked` can only be merged with the stored row of its key at hand. */
  readonly needsStored: string;
  /** Whether the event `newest` is newer than that row. */
  readonly isNewer: string;
  readonly updates: readonly { readonly assignment: string; readonly last: boolean }[];
}

/** The key as SQL; values of staged events are as the final table would store them. */
interface KeyView {
  readonly columns: string;
  readonly event: string;
  readonly newest: string;
  readonly storedIsPicked: string;
  readonly storedIsNewest: string;
  /** 32 bytes that stand for the key of `newest` in the tombstones. */
  readonly digest: string;
}

/** A column whose value Debezium leaves out when it did not change. */
interface LargeColumnView {
  readonly name: string;
  /** Name of the subquery with the values before the newest events. */
  readonly known: string;
  readonly unavailable: string;
  readonly knownIsNewest: string;
}

export interface KeylessMergeView extends MergeView {
  readonly positionColumns: string;
}

/** View of the merge of a table with a key: the newest event per key wins. */
export function buildKeyedMerge(table: ReplicatedTable, schema: string): KeyedMergeView {
  const key = keyColumnsOf(table);
  const large = buildLargeColumns(table, key);
  const soft = table.deleteMode === 'soft';
  const columns = soft
    ? table.columns
    : table.columns.filter(({ name }) => name !== '__deleted_at');
  const updated = columns.filter((column) => !key.includes(column));
  return {
    ...buildMerge(table, schema, columns, (column) => keyedValue(column, large, soft)),
    soft,
    keyColumns: key.map(({ name }) => ({
      name,
      missing: `missing key column ${quoteIdentifier(name)}`,
    })),
    key: buildKey(key),
    largeColumns: large,
    needsStored: [
      'picked."__is_delete"',
      ...large.map(({ name, unavailable }) => `picked.${quoteIdentifier(name)} = ${unavailable}`),
    ].join(' OR '),
    isNewer:
      '(coalesce((newest."__stored")."__stream_generation", -1), coalesce((newest."__stored")."__kafka_offset", -1))' +
      ' < (newest."__stream_generation", newest."__kafka_offset")',
    updates: updated.map(({ name }, index) => ({
      assignment: `${quoteIdentifier(name)} = excluded.${quoteIdentifier(name)}`,
      last: index === updated.length - 1,
    })),
  };
}

/** View of the merge of a table without a key: inserts are appended once per stream position. */
export function buildKeylessMerge(table: ReplicatedTable, schema: string): KeylessMergeView {
  const columns = table.columns.filter(({ name }) => name !== '__deleted_at');
  return {
    ...buildMerge(table, schema, columns, stagedValue),
    positionColumns: POSITION_COLUMNS.map(quoteIdentifier).join(', '),
  };
}

function buildMerge(
  table: ReplicatedTable,
  schema: string,
  columns: readonly ColumnDefinition[],
  valueOf: (column: ColumnDefinition) => string,
): MergeView {
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

function keyColumnsOf({ key, columns }: ReplicatedTable): readonly ColumnDefinition[] {
  return (key?.columns ?? []).map((name) => columns.find((column) => column.name === name)!);
}

function buildKey(key: readonly ColumnDefinition[]): KeyView {
  const valuesOf = (row: string) =>
    key.map(({ name, type }) => keyValue(`${row}.${quoteIdentifier(name)}`, type)).join(', ');
  const stored = key.map(({ name }) => `stored.${quoteIdentifier(name)}`).join(', ');
  return {
    columns: key.map(({ name }) => quoteIdentifier(name)).join(', '),
    event: valuesOf('event'),
    newest: valuesOf('newest'),
    storedIsPicked: `(${stored}) = (${valuesOf('picked')})`,
    storedIsNewest: `(${stored}) = (${valuesOf('newest')})`,
    digest: digestOf(key),
  };
}

/** Several columns as an array: its text quotes what needs it, so that no two keys have one text. */
function digestOf(key: readonly ColumnDefinition[]): string {
  const texts = key.map(({ name, type }) => keyText(`newest.${quoteIdentifier(name)}`, type));
  const text = texts.length === 1 ? texts[0]! : `ARRAY[${texts.join(', ')}]::text`;
  return `sha256(convert_to(${text}, 'UTF8'))`;
}

function buildLargeColumns(
  table: ReplicatedTable,
  key: readonly ColumnDefinition[],
): readonly LargeColumnView[] {
  return table.columns
    .filter((column) => column.role === 'source' && !key.includes(column))
    .flatMap(({ name, type }) => {
      const unavailable = unavailableLiteral(type);
      return unavailable === undefined ? [] : [{ name, unavailable }];
    })
    .map((column, index) => {
      const known = `known_${index + 1}`;
      const equalities = key.map(({ name, type }) => {
        const [before, after] = [known, 'newest'].map((row) =>
          keyValue(`${row}.${quoteIdentifier(name)}`, type),
        );
        return `${before} = ${after}`;
      });
      return { ...column, known, knownIsNewest: equalities.join(' AND ') };
    });
}

function stagedValue({ name, type, default: initial }: ColumnDefinition): string {
  const value = `newest.${quoteIdentifier(name)}${storageCast(type)}`;
  return initial === undefined ? value : `coalesce(${value}, ${initial})`;
}

/**
 * What the final row holds: the staged value; where that is Debezium's unavailable value, the one known before, else
 * the stored one. A soft delete keeps what is stored.
 */
function keyedValue(
  column: ColumnDefinition,
  large: readonly LargeColumnView[],
  soft: boolean,
): string {
  if (column.name === '__deleted_at') return 'CASE WHEN newest."__is_delete" THEN now() END';
  const stored = `(newest."__stored").${quoteIdentifier(column.name)}`;
  const found = large.find(({ name }) => name === column.name);
  const value = found ? availableValue(column, found, stored) : stagedValue(column);
  if (!soft || column.role === 'metadata') return value;
  return `CASE WHEN newest."__is_delete" THEN ${stored} ELSE ${value} END`;
}

function availableValue(
  { name, type, role }: ColumnDefinition,
  large: LargeColumnView,
  stored: string,
): string {
  const staged = `newest.${quoteIdentifier(name)}`;
  const cast = storageCast(type);
  const relaxed = stagingType({ type, role });
  return (
    `(CASE WHEN ${staged} IS DISTINCT FROM ${large.unavailable} THEN ${staged}` +
    ` WHEN ${large.known}."__kafka_offset" IS NOT NULL THEN ${large.known}.${quoteIdentifier(name)}` +
    ` ELSE ${stored}${relaxed === type ? '' : `::${relaxed}`} END)${cast}`
  );
}
