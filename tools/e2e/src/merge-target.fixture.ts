import type { ChangeEvent } from '@cdc-migrations/event-model';
import { type PostgresServer, startPostgres } from '@cdc-migrations/postgres-fixture';
import { quoteQualified } from '@cdc-migrations/sql-text';
import type { MigrationSet, ReplicatedTable } from '@cdc-migrations/table-defs';
import type { Sql } from 'postgres';
import { applyFiles } from './apply-files.ts';
import { renderMigrations } from './render-migrations.ts';

export const OWNER = 'migrator';
export const SINK = 'cdc_writer';
export const TENANT = 'kunde-å';

const SET: MigrationSet = {
  name: 'sink_test.target',
  folder: 'migrations',
  sourceGroup: 'test',
  pattern: 'db-per-tenant',
  services: ['test'],
  literalSchemas: [],
};

/** A server with a database of one tenant. Tables can be added. */
export interface MergeTarget {
  readonly server: PostgresServer;
  readonly database: string;
  readonly owner: Sql;
  /** A session of the role that may only insert and merge. */
  readonly sink: Sql;
  /** Opens another session of that role. */
  connectSink(): Sql;
  /** Applies the files of these tables, or of their next versions. */
  apply(...tables: readonly ReplicatedTable[]): Promise<void>;
  /** Empties a table's final and staging table and removes its bookkeeping. */
  reset(table: ReplicatedTable): Promise<void>;
  /** Drops both tables. */
  drop(table: ReplicatedTable): Promise<void>;
  stop(): Promise<void>;
}

export async function startMergeTarget(
  settings: Readonly<Record<string, string>> = {},
  major: 15 | 18 = 15,
): Promise<MergeTarget> {
  return openMergeTarget(await startPostgres({ major, settings }));
}

/** Creates a database of one tenant on an existing server. Stopping the target stops the server. */
export async function openMergeTarget(server: PostgresServer): Promise<MergeTarget> {
  await server.createRole(OWNER);
  await server.createRole(SINK);
  const database = await server.createDatabase({ owner: OWNER });
  const connect = (user: string) =>
    server.connect({ database, user, max: 1, fetch_types: false, onnotice: () => {} });
  const owner = connect(OWNER);
  return {
    server,
    database,
    owner,
    sink: connect(SINK),
    connectSink: () => connect(SINK),
    async apply(...tables) {
      await applyTables(server, database, tables);
    },
    async reset(table) {
      await owner.unsafe(`TRUNCATE ${tablesOf(table)}`);
      await owner`TRUNCATE cdc_management.tombstone, cdc_management.processing_log,
        cdc_management.dead_letter, cdc_management.merge_error, cdc_management.stream_coverage`;
    },
    async drop(table) {
      await owner.unsafe(`DROP TABLE ${tablesOf(table)}`);
    },
    stop: () => server.stop(),
  };
}

/** Applies the files of these tables, or of their next versions, to a database. */
export async function applyTables(
  server: PostgresServer,
  database: string,
  tables: readonly ReplicatedTable[],
): Promise<void> {
  const files = renderMigrations({ set: SET, tables, tenants: [TENANT], role: SINK });
  await applyFiles(server, { database, user: OWNER, tenants: [TENANT] }, files);
}

function tablesOf({ name, names }: ReplicatedTable): string {
  return [name, names.staging].map((table) => quoteQualified(TENANT, table)).join(', ');
}

/** Builds an event of `ORDER_LINJER` with default values. */
export function orderEvent(
  values: Readonly<Record<string, string | null>> & { readonly __kafka_offset: string | null },
): ChangeEvent {
  const operation = values['__cdc_operation'] ?? 'u';
  return {
    kind: ['d', 'DELETE'].includes(operation) ? 'delete' : 'upsert',
    partition: 0,
    offset: Number(values.__kafka_offset),
    values: {
      OrderID: '1',
      LinjeNr: '1',
      Beløp: '1.50',
      Tekst: 'tekst',
      Status: 'ny',
      Notat: null,
      Dokument: null,
      Data: null,
      Antall: '2',
      _customer_id: '0a827150-1332-5167-993b-68db156438cb',
      __sync_timestamp: '2026-01-01T00:00:00Z',
      __source: 'cdc',
      __source_db: 'Test',
      __source_table: 'Order-Linjer',
      __source_ts_ms: '1767225600000',
      __cdc_operation: 'u',
      __kafka_partition: '0',
      __kafka_timestamp: '2026-01-01T00:00:00Z',
      ...values,
    },
  };
}

/** Builds events with the offsets `first` to `last` of a partition, each with its own key. */
export function orderEvents(
  partition: number,
  first: number,
  last: number,
  generation = 0,
): readonly ChangeEvent[] {
  return Array.from({ length: last - first + 1 }, (_, n) =>
    orderEvent({
      OrderID: String(partition * 1_000_000 + first + n),
      __kafka_partition: String(partition),
      __kafka_offset: String(first + n),
      __stream_generation: String(generation),
    }),
  );
}

interface OrderOptions {
  readonly status?: string;
  readonly after?: number;
  /** The staging table of another table with these columns. */
  readonly staging?: string;
}

/**
 * Renders an INSERT of one event per order from `first` to `last` in random order. The offset is the order's number
 * plus `after`.
 */
export function renderOrders(
  first: number,
  last: number,
  { status = 'ny', after = 0, staging = 'stg_Order-Linjer' }: OrderOptions = {},
): string {
  return `INSERT INTO ${quoteQualified(TENANT, staging)} ("OrderID", "LinjeNr", "Status",
      "_customer_id", "__source_db", "__source_table", "__source_ts_ms", "__cdc_operation",
      "__kafka_partition", "__kafka_offset")
    SELECT n, 1, '${status}', '0a827150-1332-5167-993b-68db156438cb', 'Test', 'Order-Linjer',
      1767225600000, 'c', n % 3, n + ${after}
    FROM generate_series(${first}, ${last}) AS n
    ORDER BY random()`;
}

/** Reads the number in a query's column `n`. */
export async function readNumber(sql: Sql, query: string): Promise<number> {
  const [row] = await sql.unsafe<{ n: string | number }[]>(query);
  return Number(row?.n);
}
