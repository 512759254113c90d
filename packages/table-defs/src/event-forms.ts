import type { CatalogColumn, SourceType } from '@cdc-migrations/catalog';
import type { PipelineSettings } from '@cdc-migrations/config';
import { parsePgType } from './types/canonical-type.ts';

/**
 * Form of a column's values in staging, if PostgreSQL cannot read them directly as the column's type:
 *
 * - `days`, `milliseconds`, `microseconds`, `nanoseconds`: an integer, counted from 1970 or from midnight, or the
 *   length of an interval. `days(9999)`: days for a type whose last year is 9999.
 * - `iso`: text of ISO 8601. `rfc3339`: the same, but a date also has a time, and a time also has a date.
 * - `decimal_text`: text of a number. `decimal_base64(2)`: base64 of a big-endian integer with 2 decimal places.
 *   `decimal_struct`: the same as JSON, `{"scale":2,"value":"MDk="}`.
 * - `base64`, `base64_url`, `hex`: text of bytes. `bits(12)`: base64 of 12 bits as a number, lowest byte first.
 *   `bits(0)`: the same for any number of bits.
 */
export type EventForm =
  | 'days'
  | 'days(9999)'
  | 'milliseconds'
  | 'microseconds'
  | 'nanoseconds'
  | 'iso'
  | 'rfc3339'
  | 'decimal_text'
  | `decimal_base64(${number})`
  | 'decimal_struct'
  | 'base64'
  | 'base64_url'
  | 'hex'
  | `bits(${number})`;

const EVENT_FORM =
  /^(?:days(?:\(9999\))?|(?:milli|micro|nano)seconds|iso|rfc3339|decimal_(?:text|base64\(\d{1,2}\)|struct)|base64|base64_url|hex|bits\(\d+\))$/;

export function isEventForm(value: unknown): value is EventForm {
  return typeof value === 'string' && EVENT_FORM.test(value);
}

/** Complete settings for the values that a pipeline sends. */
export type EventSettings = Required<
  Pick<PipelineSettings, 'writer' | 'time' | 'decimal' | 'binary' | 'interval' | 'unavailable'>
>;

type ValueSettings = Pick<PipelineSettings, 'time' | 'decimal' | 'binary' | 'interval'>;

/** Default settings of Debezium for SQL Server and for PostgreSQL. */
const DEBEZIUM: Required<ValueSettings> = {
  time: 'adaptive',
  decimal: 'precise',
  binary: 'bytes',
  interval: 'numeric',
};

/** Default placeholder of Debezium for an unchanged large value. */
export const UNAVAILABLE = '__debezium_unavailable_value';

/** Returns the settings for a name in `events`. JDBC sinks bind numbers, times and bytes natively, Bento binds text. */
function valuesOf({ events, writer }: PipelineSettings): ValueSettings {
  if (events === undefined) return {};
  if (events === 'bento-sql-raw') {
    return { time: 'rfc3339', decimal: 'string', binary: 'base64', interval: 'string' };
  }
  if (events === 'debezium') return DEBEZIUM;
  // Nanoseconds cannot represent times before 1677 and after 2262, and base64 does not show unchanged large values.
  return writer === undefined || writer === 'bento'
    ? { time: 'isostring', decimal: 'string', binary: 'bytes', interval: 'string' }
    : { time: 'microseconds', decimal: 'precise', binary: 'bytes', interval: 'string' };
}

/**
 * Resolves the settings of a table. The table's own settings precede those of its sink group, and in both a single
 * setting precedes a named preset. The rest are Debezium's defaults. Returns undefined if there are no settings for
 * values.
 */
export function resolveEvents(
  group: PipelineSettings = {},
  table: PipelineSettings = {},
): EventSettings | undefined {
  const writer = table.writer ?? group.writer;
  const said = { ...group, ...table };
  if (!SAYS_FORM.some((key) => said[key] !== undefined)) return undefined;
  const levels = [group, table].map((level) => ({
    ...valuesOf({ ...level, ...(writer && { writer }) }),
    ...level,
  }));
  return Object.assign(
    { writer: 'bento', unavailable: UNAVAILABLE, ...DEBEZIUM },
    ...levels,
  ) as EventSettings;
}

const SAYS_FORM = ['writer', 'events', 'time', 'decimal', 'binary', 'interval'] as const;

/** Base types of times, with the start of their numbers. */
const TIMES: ReadonlySet<string> = new Set([
  'date',
  'time without time zone',
  'time with time zone',
  'timestamp without time zone',
  'timestamp with time zone',
  'interval',
]);
const NUMBERS: ReadonlySet<string> = new Set([
  'numeric',
  'smallint',
  'integer',
  'bigint',
  'real',
  'double precision',
]);

/**
 * Returns the form of a source column's values, or undefined if PostgreSQL reads them directly as the type of the final
 * column.
 */
export function formOf(
  column: CatalogColumn,
  source: SourceType,
  finalType: string,
  settings: EventSettings,
): EventForm | undefined {
  const final = parsePgType(finalType);
  if (!final || final.array || column.array) return undefined;
  const kind = (source === 'mssql' ? mssqlKind : postgresKind)(column);
  if (kind === undefined) return undefined;
  if (kind === 'bytes') return final.base === 'bytea' ? formOfBytes(settings) : undefined;
  if (kind === 'bits') {
    const isNumber = /^bit/.test(final.base) && settings.writer === 'bento';
    return isNumber ? formOfBits(column) : undefined;
  }
  if (kind === 'decimal') {
    return NUMBERS.has(final.base) ? formOfDecimal(column, source, settings) : undefined;
  }
  return TIMES.has(final.base) ? formOfTime(kind, column, source, settings) : undefined;
}

type TimeKind = 'date' | 'time' | 'timestamp' | 'zoned' | 'interval';
type Kind = TimeKind | 'decimal' | 'bytes' | 'bits';

function mssqlKind({ type }: CatalogColumn): Kind | undefined {
  return MSSQL_KINDS.get(type);
}

const MSSQL_KINDS = new Map(
  Object.entries<Kind>({
    date: 'date',
    time: 'time',
    datetime: 'timestamp',
    datetime2: 'timestamp',
    smalldatetime: 'timestamp',
    datetimeoffset: 'zoned',
    decimal: 'decimal',
    numeric: 'decimal',
    money: 'decimal',
    smallmoney: 'decimal',
    binary: 'bytes',
    varbinary: 'bytes',
    image: 'bytes',
    timestamp: 'bytes',
    rowversion: 'bytes',
  }),
);

function postgresKind({ type, declaredKind }: CatalogColumn): Kind | undefined {
  return declaredKind === 'enum' ? undefined : POSTGRES_KINDS.get(type);
}

const POSTGRES_KINDS = new Map(
  Object.entries<Kind>({
    date: 'date',
    'time without time zone': 'time',
    'time with time zone': 'zoned',
    'timestamp without time zone': 'timestamp',
    'timestamp with time zone': 'zoned',
    interval: 'interval',
    numeric: 'decimal',
    money: 'decimal',
    bytea: 'bytes',
    bit: 'bits',
    'bit varying': 'bits',
  }),
);

function formOfBytes({ binary, writer }: EventSettings): EventForm | undefined {
  if (binary === 'bytes') return writer === 'bento' ? 'base64' : undefined;
  return binary === 'base64-url-safe' ? 'base64_url' : binary;
}

/** Returns the form of a bit string. A single bit is true or false. */
function formOfBits({ type, length }: CatalogColumn): EventForm | undefined {
  const bits = type === 'bit' && typeof length === 'number' ? length : 0;
  return type === 'bit' && bits <= 1 ? undefined : `bits(${bits})`;
}

function formOfDecimal(
  { type, precision, scale }: CatalogColumn,
  source: SourceType,
  { decimal, writer }: EventSettings,
): EventForm | undefined {
  if (decimal === 'string') return 'decimal_text';
  if (decimal === 'double') return undefined;
  if (writer !== 'bento') return undefined;
  if (/money/.test(type)) return `decimal_base64(${source === 'mssql' ? 4 : 2})`;
  if (source === 'postgres' && precision === undefined) return 'decimal_struct';
  return `decimal_base64(${scale ?? 0})`;
}

function formOfTime(
  kind: TimeKind,
  column: CatalogColumn,
  source: SourceType,
  { time, interval, writer }: EventSettings,
): EventForm | undefined {
  if (kind === 'interval') return interval === 'string' ? 'iso' : 'microseconds';
  if (time === 'rfc3339') return 'rfc3339';
  if (kind === 'zoned' || time === 'isostring') return 'iso';
  if (writer === 'debezium-jdbc' || (writer === 'confluent-jdbc' && time === 'connect')) {
    return undefined;
  }
  if (kind === 'date') return source === 'mssql' ? 'days(9999)' : 'days';
  if (time === 'connect') return 'milliseconds';
  if (time === 'microseconds' || time === 'nanoseconds') return time;
  if (kind === 'time' && time === 'adaptive_time_microseconds') return 'microseconds';
  return unitOf(digitsOf(column));
}

/** Returns the unit that Debezium chooses by the number of fractional digits. */
function unitOf(digits: number): EventForm {
  if (digits <= 3) return 'milliseconds';
  return digits <= 6 ? 'microseconds' : 'nanoseconds';
}

function digitsOf({ type, scale }: CatalogColumn): number {
  if (type === 'datetime') return 3;
  if (type === 'smalldatetime') return 0;
  return scale ?? (type.includes(' ') ? 6 : 7);
}

/** Returns the type of the staging column for a form. */
export function formStaging(form: EventForm): 'bigint' | 'text' {
  return /^days|seconds$/.test(form) ? 'bigint' : 'text';
}

/**
 * Describes the information that the events of a column lose before staging, and how to avoid the loss. Returns
 * undefined if nothing is lost.
 */
export function eventLoss(
  column: CatalogColumn,
  source: SourceType,
  form: EventForm | undefined,
  { time, binary, decimal }: EventSettings,
): string | undefined {
  const kind = (source === 'mssql' ? mssqlKind : postgresKind)(column);
  const isNanos = time === 'nanoseconds' || (time.startsWith('adaptive') && digitsOf(column) > 6);
  if (kind === 'timestamp' && isNanos) {
    return 'Debezium sends NULL for a time before 1677-09-21 or after 2262-04-11, as nanoseconds do not reach further; set time_precision_mode to isostring or microseconds';
  }
  const isLarge = source === 'postgres' || column.length === 'max' || column.type === 'image';
  if (kind === 'bytes' && isLarge && time !== 'rfc3339' && /^base64/.test(binary)) {
    return 'Debezium sends NULL for a large value that did not change; set binary_handling_mode to bytes or hex';
  }
  if (kind === 'decimal' && decimal === 'double') {
    return 'Debezium sends a float, which keeps 15 digits; set decimal_handling_mode to string or precise';
  }
  if (kind === 'decimal' && form === 'decimal_struct') {
    return 'Debezium sends NULL for NaN, infinity, and a value of many digits that did not change; set decimal_handling_mode to string';
  }
  if (kind === 'time' && source === 'postgres' && time === 'isostring') {
    return 'Debezium sends 00:00 for 24:00; set time_precision_mode to microseconds where there are such values';
  }
  return time === 'connect' && /^(time|timestamp)$/.test(kind ?? '') && digitsOf(column) > 3
    ? 'the mode connect cuts the second to three digits; set time_precision_mode to isostring or microseconds'
    : undefined;
}
