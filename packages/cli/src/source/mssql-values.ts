import type { ColumnDefinition } from '@cdc-migrations/table-defs';

// T-SQL of source values, for the readers of rows and of changes.

export type SourceColumn = Pick<ColumnDefinition, 'source' | 'role' | 'exactness'>;

/** Quotes a name in T-SQL: `[Order [1]]]`. */
export function bracket(name: string): string {
  return `[${name.replaceAll(']', ']]')}]`;
}

/**
 * Returns the SQL Server type behind an alias, without its facets. Returns undefined for a column that the source does
 * not have.
 */
export function sourceType({ source, role, exactness }: SourceColumn): string | undefined {
  if (role !== 'source' || !source || exactness === 'unsupported') return undefined;
  return /(?:^|\()([a-z]\w*)(?:\([^()]*\))?\)?$/.exec(source.type)?.[1] ?? source.type;
}

/** Binary types. */
export const BINARY: ReadonlySet<string> = new Set([
  'binary',
  'varbinary',
  'image',
  'timestamp',
  'rowversion',
]);

/**
 * Converts a value to its JSON form. It is text if the driver would not be exact. Binary data is hex here and base64 in
 * the event.
 */
export function convert(value: string, type: string): string {
  const style = CONVERSIONS[type];
  if (BINARY.has(type)) return `CONVERT(varchar(max), CONVERT(varbinary(max), ${value}), 2)`;
  return style === undefined ? value : style.replace('{}', () => value);
}

const CONVERSIONS: Readonly<Record<string, string>> = {
  decimal: 'CONVERT(varchar(50), {})',
  numeric: 'CONVERT(varchar(50), {})',
  money: 'CONVERT(varchar(50), {}, 2)',
  smallmoney: 'CONVERT(varchar(50), {}, 2)',
  date: 'CONVERT(varchar(10), {}, 23)',
  time: 'CONVERT(varchar(16), {}, 121)',
  smalldatetime: 'CONVERT(varchar(30), {}, 126)',
  datetime: 'CONVERT(varchar(30), {}, 126)',
  datetime2: 'CONVERT(varchar(30), {}, 126)',
  datetimeoffset: 'CONVERT(varchar(40), {}, 126)',
  uniqueidentifier: 'CONVERT(varchar(36), {})',
  text: 'CONVERT(varchar(max), {})',
  ntext: 'CONVERT(nvarchar(max), {})',
  xml: 'CONVERT(nvarchar(max), {})',
};
