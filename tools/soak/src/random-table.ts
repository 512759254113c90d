import type { Partition, Partitioning } from '@cdc-migrations/e2e';
import type { Random } from '@cdc-migrations/event-model';
import { quoteIdentifier } from '@cdc-migrations/sql-text';
import type { ColumnDefinition, ReplicatedTable } from '@cdc-migrations/table-defs';
import { buildTable } from '@cdc-migrations/table-fixture';

/** Types of columns outside the key. Large values may be omitted in events. */
const TYPES = [
  ...['smallint', 'integer', 'bigint', 'numeric(19,4)', 'numeric', 'real', 'double precision'],
  ...['boolean', 'character varying(50)', 'character varying(2000)', 'character(4)', 'text'],
  ...['bytea', 'uuid', 'date', 'time(3) without time zone', 'timestamp(3) without time zone'],
  ...['timestamp with time zone', 'interval', 'json', 'jsonb', 'xml', 'bit(8)', 'inet'],
  ...['int4range', 'tstzrange', 'text[]'],
];

/** Types of key columns. An empty list means a table without a key. */
const KEYS: readonly (readonly string[])[] = [
  ['integer'],
  ['bigint'],
  ['character varying(10)'],
  ['text'],
  ['character(4)'],
  ['uuid'],
  ['bytea'],
  ['smallint', 'character varying(10)'],
  ['uuid', 'date', 'text'],
  ['character(4)', 'bytea'],
  [],
];

/** Names that need quoting. */
const NAMES = [
  'Navn',
  'Antall timer',
  'select',
  'Beløp "kr"',
  'event',
  'newest',
  "o'",
  'a.b',
  '$1',
];
const TABLES = ['Actor', 'Order-Linjer', 'Døv "x"', 'user'];
const MOST_COLUMNS = 8;

/** A NOT NULL column with short values, so that values can be refused. */
export const STATUS = 'Status';
/** A column with two digits after and three before the decimal point. */
export const AMOUNT = 'Amount';

/** Builds a table with random columns and key. `place` keeps the names of a round unique. */
export function buildRandomTable(random: Random, place: number): ReplicatedTable {
  const key = random.pick(KEYS).map((type, index) => column(`Key ${index}`, type, false));
  const deleteMode = key.length > 0 && random.chance(0.4) ? 'soft' : 'hard';
  const count = random.integer(0, MOST_COLUMNS);
  const others = Array.from({ length: count }, (_, index) =>
    column(`${random.pick(NAMES)} ${index}`, random.pick(TYPES), true),
  );
  const columns = random.shuffle([
    ...key,
    column(STATUS, 'character varying(20)', false),
    column(AMOUNT, 'numeric(5,2)', true),
    ...others,
  ]);
  const name = `${random.pick(TABLES)} ${place}`;
  return buildTable({
    set: 'sink_soak.target',
    service: 'soak',
    source: { database: 'Soak', schema: 'dbo', table: name },
    name,
    columns,
    key: key.map((of) => of.name),
    deleteMode,
    staging: random.chance(0.3) ? 'logged' : 'unlogged',
    ...(random.chance(0.25) && { truncate: 'empty' as const }),
  });
}

/** Values of a key column for list partitions, or for the start of ranges. */
const BOUNDS: Readonly<Record<string, string>> = {
  smallint: 'LIST 0, 1',
  integer: 'RANGE 0',
  bigint: 'RANGE 1000',
  'character varying(10)': "LIST 'a', 'A', ''",
  text: "LIST 'a', NULL",
  'character(4)': "LIST 'a', '150'",
};

/** Builds partitions as users may define them: by key, or by offset without a key. */
export function buildRandomPartitioning(
  { key, columns }: ReplicatedTable,
  random: Random,
): Partitioning {
  const names = key?.columns ?? ['__kafka_offset'];
  const name = random.pick(names);
  const partitions = partitionsBy(name, columns.find((of) => of.name === name)!.type, random);
  const other = random.pick(names);
  return random.chance(0.3) ? divideFirst(partitions, hashBy(other, random)) : partitions;
}

function partitionsBy(name: string, type: string, random: Random): Partitioning {
  const [, method, bounds] = /^(LIST|RANGE) (.*)$/.exec(BOUNDS[type] ?? '') ?? [];
  if (bounds === undefined || random.chance(0.4)) return hashBy(name, random);
  const isAttached = random.chance(0.5);
  const [first, second] =
    method === 'LIST'
      ? [`FOR VALUES IN (${bounds})`, 'DEFAULT']
      : [`FOR VALUES FROM (MINVALUE) TO (${bounds})`, `FOR VALUES FROM (${bounds}) TO (MAXVALUE)`];
  return {
    by: `${method} (${quoteIdentifier(name)})`,
    partitions: [
      { bounds: first, isAttached },
      { bounds: second, isAttached: !isAttached },
    ],
  };
}

function hashBy(name: string, random: Random): Partitioning {
  const modulus = random.integer(2, 4);
  const partitions = Array.from({ length: modulus }, (_, remainder): Partition => {
    const bounds = `FOR VALUES WITH (MODULUS ${modulus}, REMAINDER ${remainder})`;
    return { bounds, isAttached: random.chance(0.5) };
  });
  return { by: `HASH (${quoteIdentifier(name)})`, partitions };
}

function divideFirst({ by, partitions }: Partitioning, divided: Partitioning): Partitioning {
  return { by, partitions: partitions.map((one, n) => (n === 0 ? { ...one, divided } : one)) };
}

function column(name: string, type: string, nullable: boolean): ColumnDefinition {
  const source = { name, type: `the type of ${name}` };
  return { name, role: 'source', type, nullable, source, exactness: 'exact' };
}
