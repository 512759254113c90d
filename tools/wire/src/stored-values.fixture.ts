import type { CatalogColumn, SourceType } from '@cdc-migrations/catalog';
import type { PipelineSettings } from '@cdc-migrations/config';
import {
  canonicalType,
  type ColumnDefinition,
  formatSourceType,
  formOf,
  mapType,
  parsePgType,
  resolveEvents,
} from '@cdc-migrations/table-defs';
import type { SentValue } from './sent-value.ts';
import type { PqBind } from './writers.ts';

export type WriterName = 'bento' | 'debezium-jdbc' | 'confluent-jdbc';

/** Settings of a connector, named by the first word of Debezium's properties. */
export interface Modes {
  readonly time: NonNullable<PipelineSettings['time']>;
  readonly decimal: NonNullable<PipelineSettings['decimal']>;
  readonly binary: NonNullable<PipelineSettings['binary']>;
  readonly interval: NonNullable<PipelineSettings['interval']>;
}

/** Combinations that cover every mode of every setting. */
export const MODES: readonly Modes[] = [
  { time: 'adaptive', decimal: 'precise', binary: 'bytes', interval: 'numeric' },
  { time: 'adaptive_time_microseconds', decimal: 'string', binary: 'base64', interval: 'string' },
  { time: 'microseconds', decimal: 'double', binary: 'base64-url-safe', interval: 'numeric' },
  { time: 'nanoseconds', decimal: 'precise', binary: 'hex', interval: 'string' },
  { time: 'connect', decimal: 'string', binary: 'bytes', interval: 'numeric' },
  { time: 'isostring', decimal: 'string', binary: 'bytes', interval: 'string' },
];

/** Returns the mode that applies to a value of the table. */
export function modeOf({ setting, sends }: SentValue, modes: Modes): string {
  if (!setting || 'any' in sends) return 'any';
  return modes[setting.split('.')[0] as keyof Modes];
}

/** Returns the source column of a declaration, or undefined for an unsupported type. */
export function describeColumn(
  { type }: SentValue,
  source: SourceType,
  name: string,
  modes: Modes,
  writer: WriterName,
): ColumnDefinition | undefined {
  const column = source === 'mssql' ? mssqlColumn(type, name) : postgresColumn(type, name);
  const mapped = column && mapType(source, column, { overrides: undefined, table: 'dbo.T' });
  if (!mapped || mapped.exactness === 'unsupported' || column.array) return undefined;
  const form = formOf(column, source, mapped.type, resolveEvents({ writer, ...modes })!);
  return {
    ...{ name, role: 'source', type: mapped.type, nullable: true },
    source: { name, type: formatSourceType(column) },
    ...(form && { form }),
  };
}

function mssqlColumn(type: string, name: string): CatalogColumn {
  const [, base = '', facets = ''] = /^(\w+)(?:\((.*)\))?$/.exec(type)!;
  const numbers = facets === '' ? [] : facets.split(',').map(Number);
  const [first, second] = numbers;
  if (first === undefined) return { name, type: base, nullable: true };
  if (second !== undefined)
    return { name, type: base, precision: first, scale: second, nullable: true };
  return /time/.test(base)
    ? { name, type: base, scale: first, nullable: true }
    : { name, type: base, length: first, nullable: true };
}

function postgresColumn(type: string, name: string): CatalogColumn | undefined {
  const canonical = type === 'money' || type === 'oid' ? type : canonicalType(type);
  if (canonical === undefined) return undefined;
  if (canonical === 'money' || canonical === 'oid')
    return { name, type: canonical, nullable: true };
  const { base, facets, array } = parsePgType(canonical)!;
  const [first, second] = facets;
  return {
    ...{ name, type: base, nullable: true },
    ...(array && { array: 1 }),
    ...(base === 'numeric' && first !== undefined && { precision: first, scale: second ?? 0 }),
    ...(/^(time|interval)/.test(base) && first !== undefined && { scale: first }),
    ...(/^(character|bit)/.test(base) && first !== undefined && { length: first }),
  };
}

/** Binds a JSON value like a pipeline's mapping for lib/pq: objects and lists as JSON. */
export function pqBind(json: string): PqBind {
  const value: unknown = JSON.parse(json);
  if (value === null) return { bind: 'null' };
  if (typeof value === 'string') return { bind: 'string', value };
  if (typeof value === 'boolean') return { bind: 'bool', value: String(value) };
  // json.Number keeps the digits unchanged.
  return typeof value === 'number'
    ? { bind: 'number', value: json }
    : { bind: 'string', value: json };
}

/** Returns the SQL Server connector's schema for a value, in the form of `SCHEMAS_IN_POSTGRES`. */
export function mssqlSchema({ type }: SentValue, { time, decimal, binary }: Modes): string {
  const [, base = '', facets = ''] = /^(\w+)(?:\((.*)\))?$/.exec(type)!;
  const kept = Number(DIGITS[base] ?? facets);
  if (base === 'date')
    return time === 'isostring' ? 'string io.debezium.time.IsoDate' : `int32 ${dateName(time)}`;
  if (base === 'time') return timeSchema('Time', kept, time);
  if (base === 'datetimeoffset') return 'string io.debezium.time.ZonedTimestamp';
  if (/^(small)?datetime2?$/.test(base)) return timeSchema('Timestamp', kept, time);
  if (/^(decimal|numeric|money|smallmoney)$/.test(base)) {
    const scale = base.endsWith('money') ? 4 : Number(facets.split(',')[1] ?? 0);
    if (decimal === 'precise') return `bytes org.apache.kafka.connect.data.Decimal scale=${scale}`;
    return decimal;
  }
  if (/binary$/.test(base)) return binary === 'bytes' ? 'bytes' : 'string';
  return PRIMITIVES[base] ?? 'string';
}

const DIGITS: Readonly<Record<string, number>> = { datetime: 3, smalldatetime: 0 };
const PRIMITIVES: Readonly<Record<string, string>> = {
  ...{ bit: 'boolean', tinyint: 'int16', smallint: 'int16', int: 'int32', bigint: 'int64' },
  ...{ real: 'float', float: 'double' },
};

function dateName(time: Modes['time']): string {
  return time === 'connect' ? 'org.apache.kafka.connect.data.Date' : 'io.debezium.time.Date';
}

function timeSchema(name: 'Time' | 'Timestamp', digits: number, time: Modes['time']): string {
  if (time === 'isostring') return `string io.debezium.time.Iso${name}`;
  if (time === 'connect') return `int64 org.apache.kafka.connect.data.${name}`;
  const isMicro =
    time === 'microseconds' || (time === 'adaptive_time_microseconds' && name === 'Time');
  if (isMicro) return `int64 io.debezium.time.Micro${name}`;
  if (time === 'nanoseconds' || digits > 6) return `int64 io.debezium.time.Nano${name}`;
  return `int64 io.debezium.time.${digits > 3 ? 'Micro' : ''}${name}`;
}
