import type { SourceType } from '@cdc-migrations/catalog';
import { quoteIdentifier } from '@cdc-migrations/sql-text';
import {
  cutSeconds,
  formatPgType,
  parsePgType,
  secondsOf,
  type ColumnDefinition,
  type MappedColumn,
  type PgType,
  type TypeNoteCode,
} from '@cdc-migrations/table-defs';
import { BINARY, bracket, convert, sourceType } from '../source/mssql-values.ts';

/** A column whose values are compared as text. Equal values have the same text. */
export interface ComparedColumn {
  readonly name: string;
  /** Returns the text in the target, as SQL on a value. */
  readonly text: (value: string) => string;
  /** Type in the target without a length, for values of another type. */
  readonly type: string;
  /** Expression of the text in a PostgreSQL source, or of the text that `spell` converts for SQL Server. */
  readonly source: string;
  /** Converts a text of SQL Server to the target's spelling. */
  readonly spell: (text: string) => string;
}

/** A source column that is not compared. */
export interface SkippedColumn {
  readonly name: string;
  readonly reason: string;
}

export type AnyColumn = ColumnDefinition | MappedColumn;

/** Decides how a column is compared. Returns undefined for a column that does not come from the source. */
export function compareColumn(
  type: SourceType,
  column: AnyColumn,
): ComparedColumn | SkippedColumn | undefined {
  const { name, source, role } = column;
  if (role !== 'source' || !source) return undefined;
  const reason = skipReason(column);
  if (reason !== undefined) return { name, reason };
  return type === 'mssql' ? ofMssql(column, source.name) : ofPostgres(column, source.name);
}

/** Type notes of columns whose stored value does not follow from the source value. */
const SKIPPED: Readonly<Partial<Record<TypeNoteCode, string>>> = {
  'not-carried': 'CDC does not replicate it',
  'interval-as-number': 'Debezium sends intervals as numbers',
  'override-changes': 'an override changes its values',
};

function skipReason(column: AnyColumn): string | undefined {
  const { code } = column;
  if (code === 'interval-as-number' && 'form' in column && column.form === 'iso') return undefined;
  if (code === 'override-narrows' && column.type === 'real') return SKIPPED['override-changes'];
  return code && SKIPPED[code];
}

function ofPostgres(column: AnyColumn, sourceName: string): ComparedColumn | SkippedColumn {
  const { name } = column;
  const parsed = parsePgType(column.type);
  const isText = parsed !== undefined && TEXTS.has(parsed.base);
  const isOther = column.code === 'override' && isText && !TEXT_SOURCE.test(column.source!.type);
  if (!parsed || isOther || cutSeconds(column))
    return { name, reason: `an override gives it the type ${column.type}` };
  const text = textOf(column);
  const cast = roomyType(parsed);
  return {
    name,
    text,
    type: cast,
    source: text(`${quoteIdentifier(sourceName)}::${cast}`),
    spell: (value) => value,
  };
}

/**
 * Returns the type without limits. A cast to a length would cut values that a merge refuses, and a cast to a smaller
 * number would fail.
 */
function roomyType({ base, facets, array }: PgType): string {
  const keepsFacets = !TEXTS.has(base) && base !== 'numeric';
  return formatPgType({ base: ROOMY[base] ?? base, facets: keepsFacets ? facets : [], array });
}

const ROOMY: Readonly<Record<string, string>> = {
  smallint: 'bigint',
  integer: 'bigint',
  character: 'bpchar',
};
const TEXTS: ReadonlySet<string> = new Set(['text', 'character varying', 'character', 'bpchar']);
const TEXT_SOURCE = /char|text|enum|name/;

/** Returns SQL of a text that is the same for equal values: floats by their bits, numbers without trailing zeros. */
function textOf({ type, code }: AnyColumn): (value: string) => string {
  const parsed = parsePgType(type);
  if (parsed && !parsed.array) {
    if (code === 'bits-as-number') return (value) => `ltrim((${value})::text, '0')`;
    const special = SPECIAL[parsed.base];
    if (special) return special;
  }
  return (value) => `(${value})::text`;
}

const SPECIAL: Readonly<Record<string, (value: string) => string>> = {
  numeric: (value) => `trim_scale(${value})::text`,
  real: (value) => `encode(float4send(${value}), 'hex')`,
  'double precision': (value) => `encode(float8send(${value}), 'hex')`,
  bytea: (value) => `encode(${value}, 'hex')`,
  'time with time zone': (value) => `((${value}) AT TIME ZONE 'UTC')::text`,
};

function ofMssql(column: AnyColumn, sourceName: string): ComparedColumn | SkippedColumn {
  const { name } = column;
  const type = sourceType(column);
  const base = parsePgType(column.type)?.base ?? '';
  const spelled = SPELLED[base];
  if (type === undefined || !spelled?.from.has(type))
    return { name, reason: `values of ${column.source!.type} are not compared as ${column.type}` };
  return {
    name,
    text: textOf(column),
    type: roomyType(parsePgType(column.type)!),
    source: asText(bracket(sourceName), type),
    spell: spelled.spell(column),
  };
}

/** Returns T-SQL of a value as text, like the readers of changes. */
function asText(value: string, type: string): string {
  if (type === 'float') return hexOf(value, 8);
  if (type === 'real') return hexOf(value, 4);
  return WHOLE.has(type) ? `CONVERT(varchar(20), ${value})` : convert(value, type);
}

/** Returns the bits of a float, because its text does not have all digits in every version. */
function hexOf(value: string, bytes: number): string {
  return `CONVERT(varchar(${2 * bytes}), CONVERT(binary(${bytes}), ${value}), 2)`;
}

const WHOLE: ReadonlySet<string> = new Set(['bit', 'tinyint', 'smallint', 'int', 'bigint']);
const NUMBERS: ReadonlySet<string> = new Set([
  ...WHOLE,
  ...['decimal', 'numeric', 'money', 'smallmoney'],
]);
const MSSQL_TEXTS: ReadonlySet<string> = new Set([
  ...['char', 'varchar', 'nchar', 'nvarchar', 'sysname', 'text', 'ntext', 'xml'],
]);
const TIMES: ReadonlySet<string> = new Set(['datetime', 'datetime2', 'smalldatetime']);

interface Spelled {
  readonly from: ReadonlySet<string>;
  readonly spell: (column: AnyColumn) => (text: string) => string;
}

const asIs = (from: ReadonlySet<string>): Spelled => ({ from, spell: () => (text) => text });
const lowerCase = (from: ReadonlySet<string>): Spelled => ({
  from,
  spell: () => (text) => text.toLowerCase(),
});

/** Spelling of SQL Server texts in PostgreSQL, by base type of the target. */
const SPELLED: Readonly<Record<string, Spelled>> = {
  boolean: { from: new Set(['bit']), spell: () => (text) => (text === '1' ? 'true' : 'false') },
  smallint: asIs(WHOLE),
  integer: asIs(WHOLE),
  bigint: asIs(WHOLE),
  numeric: { from: NUMBERS, spell: () => trimZeros },
  real: lowerCase(new Set(['real', 'float'])),
  'double precision': lowerCase(new Set(['float'])),
  date: asIs(new Set(['date'])),
  'time without time zone': {
    from: new Set(['time']),
    spell: (column) => (text) => cut(text, column),
  },
  'timestamp without time zone': {
    from: TIMES,
    spell: (column) => (text) => cut(text.replace('T', ' '), column),
  },
  'timestamp with time zone': {
    from: new Set(['datetimeoffset']),
    spell: (column) => (text) => inUtc(text, column),
  },
  bytea: lowerCase(BINARY),
  uuid: lowerCase(new Set(['uniqueidentifier'])),
  xml: asIs(new Set(['xml'])),
  text: asIs(MSSQL_TEXTS),
  'character varying': asIs(MSSQL_TEXTS),
  // PostgreSQL pads to the length and its text has no trailing blanks.
  character: { from: MSSQL_TEXTS, spell: () => (text) => text.replace(/ +$/, '') },
};

function trimZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/** Cuts fractions of a second to those of the target, without trailing zeros. */
function cut(text: string, column: AnyColumn): string {
  const [whole, digits = ''] = text.split('.');
  const kept = digits.slice(0, secondsOf(column)?.kept ?? digits.length).replace(/0+$/, '');
  return kept === '' ? whole! : `${whole}.${kept}`;
}

const OFFSET_TIME =
  /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(\.\d+)? ?(?:Z|([+-])(\d\d):(\d\d))$/;

/** Converts `2024-01-31T10:11:12.5+02:00` to `2024-01-31 08:11:12.5+00`. */
function inUtc(text: string, column: AnyColumn): string {
  const [, year, month, day, hour, minute, second, digits = '', sign, hours, minutes] =
    OFFSET_TIME.exec(text) ?? [];
  if (year === undefined) return text;
  const offset = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * (sign === '-' ? -1 : 1);
  const time = new Date(0);
  time.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  time.setUTCHours(Number(hour), Number(minute) - offset, Number(second));
  const whole = time.toISOString().slice(0, -5).replace('T', ' ');
  return `${cut(`${whole}${digits}`, column)}+00`;
}
