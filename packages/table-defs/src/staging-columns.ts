import { formStaging } from './event-forms.ts';
import { KAFKA_TIMESTAMP } from './metadata-columns.ts';
import type { ColumnDefinition, ReplicatedTable } from './table-definition.ts';
import { formatPgType, parsePgType } from './types/canonical-type.ts';

/** A column of a staging table; each can be NULL. */
export interface StagingColumn {
  readonly name: string;
  /** As `format_type` spells it. */
  readonly type: string;
  /** SQL expression. */
  readonly default?: string;
  /** Names that it had before, newest first. */
  readonly formerly?: readonly string[];
}

/** What a merge looks at in every event; in front, and of fixed width first, a row gives it up fastest. */
const FIRST = [
  ...['__kafka_offset', '__kafka_partition', '__stream_generation', '__source_ts_ms'],
  ...['__cdc_operation', '__source_db', '__source_table'],
];

/**
 * Builds the columns of the staging table: those of the final table but `__deleted_at`, and when Kafka took the event; in front
 * the position of the event, then the key, then those named in `early`.
 */
export function buildStagingColumns(
  { columns, key }: Pick<ReplicatedTable, 'columns' | 'key'>,
  early: readonly string[] = [],
): readonly StagingColumn[] {
  const front = [...FIRST, ...(key?.columns ?? []), ...early];
  const place = ({ name }: ColumnDefinition) =>
    front.includes(name) ? front.indexOf(name) : front.length;
  const staged = [...columns.filter(({ name }) => name !== '__deleted_at'), KAFKA_TIMESTAMP].sort(
    (a, b) => place(a) - place(b),
  );
  return staged.map((column) => ({
    name: column.name,
    type: stagingType(column),
    ...(column.name === '__stream_generation' && { default: '0' }),
    ...(column.formerly && { formerly: column.formerly }),
  }));
}

/** Base types of a final table whose staging column has another one, without facets, that takes any value. */
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
 * Gives the type of a staging column: without length or precision, wide enough for any number, text for what is checked on
 * input, and for times with more digits of the second than PostgreSQL takes, which would round them. `character(4)`
 * gives `bpchar`, whose comparison ignores trailing blanks as that of the final column does.
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

/** What of a column says how its values are staged. */
export type StagedColumn = Pick<ColumnDefinition, 'role' | 'type' | 'source' | 'form'>;

/** Digits of a second that PostgreSQL takes. */
const SECOND_DIGITS = 6;

/** Times whose last digits are cut off when they are stored. */
export interface CutSeconds {
  /** Digits of the second that the source has. */
  readonly sent: number;
  /** Those that the final column keeps. */
  readonly kept: number;
  /** Whether the source is SQL Server, whose times end before 24:00 and before the year 10000. */
  readonly isMssql: boolean;
  /** Whether the source has an offset with each value. */
  readonly hasOffset: boolean;
}

const KEEPS_SECONDS = /^(?:time|timestamp) /;
/** Source types as definitions spell them, also behind the name of an alias or domain. */
const MSSQL_SECONDS =
  /(?:^|\()(datetime2|datetimeoffset|smalldatetime|datetime|time)(?:\((\d)\))?\)?$/;
const POSTGRES_SECONDS = /(?:^|\()(?:time|timestamp) with(out)? time zone(?:\((\d)\))?\)?$/;
/** Digits of a type of SQL Server that is written without. */
const USUAL_DIGITS: Readonly<Record<string, number>> = { datetime: 3, smalldatetime: 0 };

/** Tells how a column cuts its times; undefined where it keeps all digits that the source has. */
export function cutSeconds(column: StagedColumn): CutSeconds | undefined {
  const seconds = secondsOf(column);
  return seconds && seconds.sent > seconds.kept ? seconds : undefined;
}

/** Counts the digits of the second of a column of times; undefined for all others. */
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
