import type { JdbcBind } from './writers.ts';

/** Bind of a value in pgjdbc, and the type that the sink casts it to. */
export interface SinkBind {
  readonly bind: JdbcBind;
  readonly cast?: string;
}

export interface SentField {
  /** Schema as in `SCHEMAS_IN_POSTGRES`: `int64 io.debezium.time.MicroTimestamp`. */
  readonly schema: string;
  /** JSON text of the event. */
  readonly json: string;
  /** Type of the target column without length. */
  readonly column: string;
}

/**
 * Binds a value like a JDBC sink of Kafka Connect, according to its documentation and users. The sinks themselves are
 * not run here. Throws if the sink refuses a value.
 */
export type Sink = (field: SentField) => SinkBind;

/**
 * Binds like Confluent's sink: by primitive type, except for Kafka Connect's own logical types. Text is cast if the
 * column is json, jsonb or uuid.
 */
export const bindAsConfluent: Sink = ({ schema, json, column }) => {
  if (json === 'null') return { bind: { bind: 'null' } };
  const { type, name, scale, items } = parseSchema(schema);
  const value = unquote(json);
  if (items) return { bind: bindArray(items, json) };
  switch (name) {
    case 'org.apache.kafka.connect.data.Date':
      return { bind: { bind: 'setDate', value: String(Number(value) * DAY_MS) } };
    case 'org.apache.kafka.connect.data.Time':
      return { bind: { bind: 'setTime', value } };
    case 'org.apache.kafka.connect.data.Timestamp':
      return { bind: { bind: 'setTimestamp', value } };
    case 'org.apache.kafka.connect.data.Decimal':
      return { bind: { bind: 'setBigDecimal', value: decodeDecimal(value, scale) } };
  }
  const bind = bindPrimitive(type, value);
  return type === 'string' && CAST_COLUMNS.has(column) ? { bind, cast: column } : { bind };
};

/**
 * Binds like Debezium's sink: by logical type, with classes of java.time, and with casts for types that PostgreSQL does
 * not accept as text.
 */
export const bindAsDebezium: Sink = ({ schema, json, column }) => {
  if (json === 'null') return { bind: { bind: 'null' } };
  const { type, name, scale, length, items } = parseSchema(schema);
  const value = unquote(json);
  if (items) return { bind: bindArray(items, json, NAMED_ELEMENTS[name ?? '']) };
  switch (name) {
    case 'io.debezium.time.Date':
    case 'org.apache.kafka.connect.data.Date':
      return { bind: { bind: 'LocalDate', value: renderDate(BigInt(value)) } };
    case 'io.debezium.time.Time':
    case 'org.apache.kafka.connect.data.Time':
      return bindTime(BigInt(value) * 1_000_000n);
    case 'io.debezium.time.MicroTime':
      return bindTime(BigInt(value) * 1000n);
    case 'io.debezium.time.NanoTime':
      return bindTime(BigInt(value));
    case 'io.debezium.time.Timestamp':
    case 'org.apache.kafka.connect.data.Timestamp':
      return bindTimestamp(BigInt(value) * 1_000_000n);
    case 'io.debezium.time.MicroTimestamp':
      return bindTimestamp(BigInt(value) * 1000n);
    case 'io.debezium.time.NanoTimestamp':
      return bindTimestamp(BigInt(value));
    case 'io.debezium.time.ZonedTimestamp':
      return /^-?infinity$/.test(value)
        ? { bind: { bind: 'setString', value }, cast: 'timestamptz' }
        : { bind: { bind: 'OffsetDateTime', value } };
    case 'io.debezium.time.ZonedTime':
      return { bind: { bind: 'OffsetTime', value } };
    case 'io.debezium.time.MicroDuration':
      // Whole seconds, because the sink drops the rest.
      return {
        bind: { bind: 'setString', value: `${BigInt(value) / 1_000_000n} seconds` },
        cast: 'interval',
      };
    case 'org.apache.kafka.connect.data.Decimal':
      return { bind: { bind: 'setBigDecimal', value: decodeDecimal(value, scale) } };
    case 'io.debezium.data.VariableScaleDecimal': {
      const parts = JSON.parse(json) as { scale: number; value: string };
      return { bind: { bind: 'setBigDecimal', value: decodeDecimal(parts.value, parts.scale) } };
    }
    case 'io.debezium.data.Bits':
      return { bind: { bind: 'setString', value: renderBits(value, length) }, cast: 'bit varying' };
  }
  const bind = bindPrimitive(type, value);
  const cast = CASTS[name ?? ''] ?? (CAST_COLUMNS.has(column) ? column : undefined);
  if (name === 'io.debezium.data.Enum') return { bind, cast: column };
  return type === 'string' && cast !== undefined ? { bind, cast } : { bind };
};

const DAY_MS = 86_400_000;
const DAY_NS = 86_400_000_000_000n;

/** Column types for which both sinks cast text. */
const CAST_COLUMNS: ReadonlySet<string> = new Set(['json', 'jsonb', 'uuid']);

/** Types that Debezium's sink casts the text of a logical type to. */
const CASTS: Readonly<Record<string, string>> = {
  'io.debezium.data.Uuid': 'uuid',
  'io.debezium.data.Json': 'json',
  'io.debezium.data.Xml': 'xml',
  'io.debezium.data.Ltree': 'ltree',
  'io.debezium.data.Tsvector': 'tsvector',
};

interface ParsedSchema {
  readonly type: string;
  readonly name?: string;
  readonly scale: number;
  readonly length: number;
  /** Element type of an array. `name` is the element's too. */
  readonly items?: string;
}

function parseSchema(schema: string): ParsedSchema {
  const [, items] = /^array of (\w+)/.exec(schema) ?? [];
  const [type = '', name] = schema.replace(/^array of /, '').split(' ');
  const facet = (key: string) => Number(new RegExp(` ${key}=(\\d+)`).exec(schema)?.[1] ?? 0);
  const isNamed = name !== undefined && !name.includes('=');
  return {
    ...{ type, scale: facet('scale'), length: facet('length') },
    ...(isNamed && { name }),
    ...(items !== undefined && { items }),
  };
}

/** Returns a JSON text as its content, and anything else as JSON. */
function unquote(json: string): string {
  return json.startsWith('"') ? (JSON.parse(json) as string) : json;
}

const SETTERS = {
  int8: 'setByte',
  int16: 'setShort',
  int32: 'setInt',
  int64: 'setLong',
  float: 'setFloat',
  double: 'setDouble',
  boolean: 'setBoolean',
  string: 'setString',
  bytes: 'setBytes',
} as const;

function bindPrimitive(type: string, value: string): JdbcBind {
  const setter = SETTERS[type as keyof typeof SETTERS];
  if (setter === undefined) throw new Error(`no ${type}`);
  return { bind: setter, value };
}

/** PostgreSQL element types in the sinks. */
const ELEMENTS: Readonly<Record<string, string>> = {
  ...{ int16: 'int2', int32: 'int4', int64: 'int8', float: 'float4', double: 'float8' },
  ...{ boolean: 'bool', string: 'text' },
};

/** Debezium's sink names element types by their logical type. */
const NAMED_ELEMENTS: Readonly<Record<string, string>> = {
  'io.debezium.data.Uuid': 'uuid',
  'io.debezium.data.Json': 'json',
  'io.debezium.time.Date': 'date',
};

/** Binds an array. Arrays of decimals and of bytes are not supported. */
function bindArray(items: string, json: string, element = ELEMENTS[items]): JdbcBind {
  if (element === undefined) throw new Error(`no arrays of ${items}`);
  const values = JSON.parse(quoteNumbers(json)) as (string | boolean | null)[];
  const texts = values.map((value) => (value === null ? null : String(value)));
  return { bind: 'array', element, value: JSON.stringify(texts) };
}

/** Quotes numbers of an array, so that none is rounded. */
function quoteNumbers(json: string): string {
  return json.startsWith('["') ? json : json.replaceAll(/-?\d[\d.eE+-]*/g, '"$&"');
}

/** Decodes bytes of a big-endian two's complement with `scale` decimal places. */
function decodeDecimal(base64: string, scale: number): string {
  const bytes = Buffer.from(base64, 'base64');
  const unscaled = BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString('hex')}`));
  const sign = unscaled < 0n ? '-' : '';
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
  if (scale === 0) return sign + digits;
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** Renders bits as the sink reads them: little-endian bytes as a signed big-endian number. */
function renderBits(base64: string, length: number): string {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length === 0) throw new Error('Zero length BigInteger');
  const text = BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString('hex')}`)).toString(2);
  return length === 2 ** 31 - 1 ? text : text.padStart(length, '0');
}

function bindTime(nanos: bigint): SinkBind {
  // 24:00 does not exist in java.time.
  if (nanos === DAY_NS) return { bind: { bind: 'setString', value: '24:00:00' }, cast: 'time' };
  return { bind: { bind: 'LocalTime', value: renderTime(nanos) }, cast: 'time' };
}

function bindTimestamp(nanos: bigint): SinkBind {
  const ofDay = ((nanos % DAY_NS) + DAY_NS) % DAY_NS;
  const date = renderDate((nanos - ofDay) / DAY_NS);
  return { bind: { bind: 'LocalDateTime', value: `${date}T${renderTime(ofDay)}` } };
}

function renderTime(nanos: bigint): string {
  const two = (number: bigint) => String(number).padStart(2, '0');
  const seconds = nanos / 1_000_000_000n;
  const fraction = String(nanos % 1_000_000_000n).padStart(9, '0');
  return `${two(seconds / 3600n)}:${two((seconds / 60n) % 60n)}:${two(seconds % 60n)}.${fraction}`;
}

/** Renders days since 1970 as `2024-01-01`, in java.time's format for any year. */
function renderDate(days: bigint): string {
  // Algorithm "days from civil": eras of 400 years, with years that begin in March.
  const shifted = days + 719_468n;
  const era = (shifted >= 0n ? shifted : shifted - 146_096n) / 146_097n;
  const dayOfEra = shifted - era * 146_097n;
  const yearOfEra = (dayOfEra - dayOfEra / 1460n + dayOfEra / 36_524n - dayOfEra / 146_096n) / 365n;
  const dayOfYear = dayOfEra - (365n * yearOfEra + yearOfEra / 4n - yearOfEra / 100n);
  const shiftedMonth = (5n * dayOfYear + 2n) / 153n;
  const day = dayOfYear - (153n * shiftedMonth + 2n) / 5n + 1n;
  const month = shiftedMonth < 10n ? shiftedMonth + 3n : shiftedMonth - 9n;
  const year = yearOfEra + era * 400n + (month <= 2n ? 1n : 0n);
  const sign = year < 0n ? '-' : year > 9999n ? '+' : '';
  const absolute = String(year < 0n ? -year : year).padStart(4, '0');
  return `${sign}${absolute}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
}
