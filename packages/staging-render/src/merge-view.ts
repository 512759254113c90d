import { quoteIdentifier, quoteQualified } from '@cdc-migrations/sql-text';
import {
  POSITION_COLUMNS,
  type ColumnDefinition,
  type ReplicatedTable,
} from '@cdc-migrations/table-defs';
import { keyText, keyValue, stagingType, storageCast, unavailableLiteral } from './staging-type.ts';

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
  readonly key: {
    /** Column list of the key. */
    readonly columns: string;
    /** Key of a staged event, as the final table would store it. */
    readonly event: string;
    readonly eventIsNewest: string;
    readonly storedIsNewest: string;
    /** 32 bytes that stand for the key of `newest` in the tombstones. */
    readonly digest: string;
  };
  readonly largeColumns: readonly LargeColumnView[];
  readonly updates: readonly { readonly assignment: string; readonly last: boolean }[];
}

interface LargeColumnView {
  readonly name: string;
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
  const updated = table.columns.filter((column) => !key.includes(column));
  const same = (left: string, right: string, value = keyValue) =>
    key
      .map(
        ({ name, type }) =>
          `${left}.${quoteIdentifier(name)} = ${value(`${right}.${quoteIdentifier(name)}`, type)}`,
      )
      .join(' AND ');
  const bothStaged = (left: string) =>
    key
      .map(({ name, type }) => {
        const [a, b] = [left, 'newest'].map((row) =>
          keyValue(`${row}.${quoteIdentifier(name)}`, type),
        );
        return `${a} = ${b}`;
      })
      .join(' AND ');
  return {
    ...buildMerge(table, schema, (column) => keyedValue(column, table, schema, large)),
    soft: table.deleteMode === 'soft',
    keyColumns: key.map(({ name }) => ({
      name,
      missing: `missing key column ${quoteIdentifier(name)}`,
    })),
    key: {
      columns: key.map(({ name }) => quoteIdentifier(name)).join(', '),
      event: key
        .map(({ name, type }) => keyValue(`event.${quoteIdentifier(name)}`, type))
        .join(', '),
      eventIsNewest: bothStaged('event'),
      storedIsNewest: same('stored', 'newest'),
      digest: digestOf(key),
    },
    largeColumns: large.map((column) => ({ ...column, knownIsNewest: bothStaged(column.known) })),
    updates: updated.map(({ name }, index) => ({
      assignment: `${quoteIdentifier(name)} = ${name === '__deleted_at' ? 'NULL' : `excluded.${quoteIdentifier(name)}`}`,
      last: index === updated.length - 1,
    })),
  };
}

/** View of the merge of a table without a key: inserts are appended once per stream position. */
export function buildKeylessMerge(table: ReplicatedTable, schema: string): KeylessMergeView {
  return {
    ...buildMerge(table, schema, stagedValue),
    positionColumns: POSITION_COLUMNS.map(quoteIdentifier).join(', '),
  };
}

function buildMerge(
  table: ReplicatedTable,
  schema: string,
  valueOf: (column: ColumnDefinition) => string,
): MergeView {
  const columns = table.columns.filter(({ name }) => name !== '__deleted_at');
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

function buildLargeColumns(table: ReplicatedTable, key: readonly ColumnDefinition[]) {
  return table.columns
    .filter((column) => column.role === 'source' && !key.includes(column))
    .flatMap(({ name, type }) => {
      const unavailable = unavailableLiteral(type);
      return unavailable === undefined ? [] : [{ name, unavailable }];
    })
    .map((column, index) => ({ ...column, known: `known_${index + 1}` }));
}

function stagedValue({ name, type, default: initial }: ColumnDefinition): string {
  const value = `newest.${quoteIdentifier(name)}${storageCast(type)}`;
  return initial === undefined ? value : `coalesce(${value}, ${initial})`;
}

/** The staged value; where it is Debezium's unavailable value, the one known before, else the stored one. */
function keyedValue(
  column: ColumnDefinition,
  table: ReplicatedTable,
  schema: string,
  large: readonly { readonly name: string; readonly known: string; readonly unavailable: string }[],
): string {
  const found = large.find(({ name }) => name === column.name);
  if (!found) return stagedValue(column);
  const name = quoteIdentifier(column.name);
  const [firstKey] = keyColumnsOf(table);
  const stored = keyColumnsOf(table)
    .map(
      (key) =>
        `stored.${quoteIdentifier(key.name)} = ${keyValue(`newest.${quoteIdentifier(key.name)}`, key.type)}`,
    )
    .join(' AND ');
  const cast = storageCast(column.type);
  const storedValue =
    cast || column.type !== stagingType(column)
      ? `stored.${name}::${stagingType(column)}`
      : `stored.${name}`;
  return (
    `(CASE WHEN newest.${name} IS DISTINCT FROM ${found.unavailable} THEN newest.${name}` +
    ` WHEN ${found.known}.${quoteIdentifier(firstKey!.name)} IS NOT NULL THEN ${found.known}.${name}` +
    ` ELSE (SELECT ${storedValue} FROM ${quoteQualified(schema, table.name)} AS stored WHERE ${stored}) END)${cast}`
  );
}

/** Several columns as an array: its text quotes what needs it, so that no two keys have one text. */
function digestOf(key: readonly ColumnDefinition[]): string {
  const texts = key.map(({ name, type }) => keyText(`newest.${quoteIdentifier(name)}`, type));
  const text = texts.length === 1 ? texts[0]! : `ARRAY[${texts.join(', ')}]::text`;
  return `sha256(convert_to(${text}, 'UTF8'))`;
}
