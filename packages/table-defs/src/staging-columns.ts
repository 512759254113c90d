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
 * Columns of the staging table: those of the final table but `__deleted_at`, and when Kafka took the event; in front
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
 * Type of a staging column: without length or precision, wide enough for any number, text for what is checked on
 * input. `character(4)` gives `bpchar`, whose comparison ignores trailing blanks as that of the final column does.
 */
export function stagingType({ role, type }: Pick<ColumnDefinition, 'role' | 'type'>): string {
  const parsed = parsePgType(type);
  if (role === 'metadata' || !parsed) return type;
  const base = RELAXED[parsed.base] ?? parsed.base;
  return base === 'character'
    ? `bpchar${parsed.array ? '[]' : ''}`
    : formatPgType({ ...parsed, base, facets: [] });
}
