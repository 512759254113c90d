import { formStaging } from './event-forms.ts';
import { KAFKA_TIMESTAMP } from './metadata-columns.ts';
import type { ColumnDefinition, ReplicatedTable } from './table-definition.ts';
import { formatPgType, parsePgType } from './types/canonical-type.ts';

/** A column of a staging table. All of them are nullable. */
export interface StagingColumn {
  readonly name: string;
  /** As printed by `format_type`. */
  readonly type: string;
  /** SQL expression. */
  readonly default?: string;
  /** Earlier names, newest first. */
  readonly formerly?: readonly string[];
}

/**
 * Columns that a merge reads from every event. They come first, fixed width before variable width, because a row is
 * read fastest from its start.
 */
const FIRST = [
  ...['__kafka_offset', '__kafka_partition', '__stream_generation', '__source_ts_ms'],
  ...['__cdc_operation', '__source_db', '__source_table'],
];

/**
 * Builds the columns of the staging table: those of the final table without `__deleted_at`, and the time when Kafka
 * received the event. The event's position comes first, then the key, then the columns in `early`.
 */
export function buildStagingColumns(
  { columns, key }: Pick<ReplicatedTable, 'columns' | 'key'>,
  early: readonly string[] = [],
): readonly StagingColumn[] {
  const front = [...FIRST, ...(key?.columns ?? []), ...early];
  const mapping = ({ name }: ColumnDefinition) =>
    front.includes(name) ? front.indexOf(name) : front.length;
  const staged = [...columns.filter(({ name }) => name !== '__deleted_at'), KAFKA_TIMESTAMP].sort(
    (a, b) => mapping(a) - mapping(b),
  );
  return staged.map((column) => ({
    name: column.name,
    type: stagingType(column),
    ...(column.name === '__stream_generation' && { default: '0' }),
    ...(column.formerly && { formerly: column.formerly }),
  }));
}

/** Base types with a wider staging type that accepts any value, without facets. */
const RELAXED: Readonly<Record<string, string>> = {
  smallint: 'bigint',
  integer: 'bigint',
  real: 'double precision',
  'character varying': 'text',
  bit: 'bit varying',
  xml: 'text',
  json: 'text',
  jsonb: 'text',
};

/**
 * Returns the type of a staging column. It has no length or precision, is wide enough for any number, and is text for
 * types that check their input. It is also text for times with more fractional digits than PostgreSQL keeps, because
 * PostgreSQL would round them. `character(4)` becomes `bpchar`, which ignores trailing blanks in comparisons like the
 * final column.
 */
export function stagingType(column: StagedColumn): string {
  const { role, type, form } = column;
  if (form) return formStaging(form);
  const parsed = parsePgType(type);
  if (role === 'metadata' || !parsed) return type;
  const cut = cutSeconds(column);
  if (cut && cut.sent > SECOND_DIGITS) return 'text';
  const base = RELAXED[parsed.base] ?? parsed.base;
  return base === 'character'
    ? `bpchar${parsed.array ? '[]' : ''}`
    : formatPgType({ ...parsed, base, facets: [] });
}

/** Properties of a column that determine its staging type. */
export type StagedColumn = Pick<ColumnDefinition, 'role' | 'type' | 'source' | 'form'>;

/** Fractional digits of seconds in PostgreSQL. */
const SECOND_DIGITS = 6;

/** Truncation of fractional seconds in a column. */
export interface CutSeconds {
  /** Fractional digits at the source. */
  readonly sent: number;
  /** Fractional digits in the final column. */
  readonly kept: number;
  /** True for SQL Server, whose times end before 24:00 and before the year 10000. */
  readonly isMssql: boolean;
  /** True if values have a time zone offset at the source. */
  readonly hasOffset: boolean;
}

const KEEPS_SECONDS = /^(?:time|timestamp) /;
/** Source types as spelled in definitions, also behind the name of an alias or domain. */
const MSSQL_SECONDS =
  /(?:^|\()(datetime2|datetimeoffset|smalldatetime|datetime|time)(?:\((\d)\))?\)?$/;
const POSTGRES_SECONDS = /(?:^|\()(?:time|timestamp) with(out)? time zone(?:\((\d)\))?\)?$/;
/** Fractional digits of SQL Server types that are spelled without digits. */
const USUAL_DIGITS: Readonly<Record<string, number>> = { datetime: 3, smalldatetime: 0 };

/** Returns the truncation of a column's times, or undefined if the column keeps all digits of the source. */
export function cutSeconds(column: StagedColumn): CutSeconds | undefined {
  const seconds = secondsOf(column);
  return seconds && seconds.sent > seconds.kept ? seconds : undefined;
}

/** Counts the fractional digits of a time column. Returns undefined for other columns. */
export function secondsOf({ role, type, source }: StagedColumn): CutSeconds | undefined {
  const parsed = parsePgType(type);
  if (role !== 'source' || !source || !parsed || parsed.array) return undefined;
  if (!KEEPS_SECONDS.test(parsed.base)) return undefined;
  const [kept = SECOND_DIGITS] = parsed.facets;
  const [, mssql, digits] = MSSQL_SECONDS.exec(source.type) ?? [];
  const postgres = POSTGRES_SECONDS.exec(source.type);
  const usual = mssql === undefined ? SECOND_DIGITS : (USUAL_DIGITS[mssql] ?? 7);
  const sent = Number(digits ?? postgres?.[2] ?? usual);
  if (!(mssql || postgres)) return undefined;
  const hasOffset = mssql === undefined ? !postgres![1] : mssql === 'datetimeoffset';
  return { sent, kept, isMssql: mssql !== undefined, hasOffset };
}
