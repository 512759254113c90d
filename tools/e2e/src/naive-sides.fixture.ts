import type { PostgresServer } from '@cdc-migrations/postgres-fixture';
import type { ChangeEvent } from '@cdc-migrations/event-model';
import { quoteIdentifier, quoteQualified } from '@cdc-migrations/sql-text';
import type { ColumnDefinition, ReplicatedTable } from '@cdc-migrations/table-defs';
import type { Sql } from 'postgres';
import { mergeTable } from './merge-table.ts';
import {
  applyTables,
  orderEvent,
  OWNER,
  readNumber,
  SINK,
  startMergeTarget,
  TENANT,
} from './merge-target.fixture.ts';
import { NAIVE, renderNaiveMerge } from './naive-merge.fixture.ts';
import { ORDER_LINJER } from './order-linjer.fixture.ts';
import { stageEvents } from './stage-events.ts';

const tableNamed = (name: string, more: Partial<ReplicatedTable> = {}): ReplicatedTable => ({
  ...ORDER_LINJER,
  name,
  names: {
    ...ORDER_LINJER.names,
    staging: `stg_${name}`,
    mergeProcedure: `sp_merge_${name.toLowerCase()}`,
    mergeWindow: `fn_merge_window_${name.toLowerCase()}`,
    primaryKey: `pk_${name}`,
    syncIndex: `idx_${name}_sync_timestamp`,
    positionIndex: `uq_${name}_stream_position`,
  },
  ...more,
});
export const OTHER = tableNamed('Other');
/** The key of a table with rows of several customers. */
const SHARED = tableNamed('Shared', {
  key: { columns: ['_customer_id', 'OrderID', 'LinjeNr'], origin: 'primary key' },
});

/** Quiet period of the naive runner. */
export const QUIET_MS = 600;

/** A merge under test, as a session of a role. */
export interface Side {
  readonly schema: string;
  /** A table with rows of several customers. */
  readonly shared: ReplicatedTable;
  readonly server: PostgresServer;
  /** A session of the superuser. */
  readonly admin: Sql;
  readonly sql: Sql;
  readonly second: Sql;
  /** Opens a session of a role with only the generated grants. */
  connectPlain(): Sql;
  /** Merges all tables. */
  run(sql: Sql): Promise<unknown>;
  /** Query for the log: partition, offsets, merged rows. */
  readonly log: string;
  /** Changes the columns of the source. */
  change(columns: readonly ColumnDefinition[]): Promise<unknown>;
  /** Counts the events reported as lost. */
  countLosses(): Promise<number>;
}

/** Name of a promise, its test on a side, and the result if the promise holds. */
export type Scenario = readonly [string, (side: Side) => Promise<unknown>, unknown];

export interface Sides {
  readonly ours: Side;
  readonly naive: Side;
}

/** A server with our merge and a naive one for the same tables. */
export interface NaiveTarget {
  /** Creates both in a new database. */
  openSides(): Promise<Sides>;
  stop(): Promise<void>;
}

export async function startNaiveTarget(): Promise<NaiveTarget> {
  const target = await startMergeTarget({ wal_level: 'replica' });
  const { server, database: template } = target;
  const connectTo = (database: string, user?: string) =>
    server.connect({
      ...{ database, max: 1, fetch_types: false, onnotice: () => {} },
      ...(user !== undefined && { user }),
    });
  await target.apply(ORDER_LINJER, OTHER, SHARED);
  const admin = connectTo(template);
  await admin`UPDATE cdc_management.merge_control SET batch_events = 500`;
  await admin.unsafe(renderNaiveMerge([ORDER_LINJER, OTHER], SINK)).simple();
  await admin.end();
  return {
    async openSides() {
      const database = await server.createDatabase({ owner: OWNER, template });
      return openSides(server, database, (user) => connectTo(database, user));
    },
    stop: () => target.stop(),
  };
}

function openSides(
  server: PostgresServer,
  database: string,
  connect: (user?: string) => Sql,
): Sides {
  const admin = connect();
  const both = { server, admin, connectPlain: () => connect(SINK) };
  const ours: Side = {
    ...{ ...both, schema: TENANT, shared: SHARED, sql: connect(SINK), second: connect(SINK) },
    run: (sql) => sql`CALL cdc_management.run_pending_merges()`.simple(),
    log: `SELECT kafka_partition AS partition, first_offset::integer, last_offset::integer, merged::integer
      FROM cdc_management.processing_log WHERE table_name = 'Order-Linjer' ORDER BY 1`,
    change: (columns) => applyTables(server, database, [{ ...ORDER_LINJER, columns }]),
    countLosses: () => readNumber(admin, 'SELECT count(*) AS n FROM cdc_management.possible_loss'),
  };
  const naive: Side = {
    ...{ ...both, schema: NAIVE, shared: ORDER_LINJER, sql: connect(), second: connect() },
    run: (sql) => sql`CALL naive.run()`.simple(),
    log: `SELECT NULL AS partition, first_offset::integer, last_offset::integer, merged::integer FROM naive.log`,
    change: () => admin.unsafe(`ALTER TABLE ${final(naive)} ADD COLUMN IF NOT EXISTS "Ny" text`),
    countLosses: () => Promise.resolve(0),
  };
  return { ours, naive };
}

export const final = ({ schema }: Side, table = ORDER_LINJER) => quoteQualified(schema, table.name);

export const stage = ({ sql, schema }: Side, ...events: readonly ChangeEvent[]) =>
  stageEvents(sql, schema, ORDER_LINJER, events);

export const stageOther = ({ schema }: Side, sql: Sql, event: ChangeEvent) =>
  stageEvents(sql, schema, OTHER, [event]);

export const merge = ({ sql, schema }: Side, session = sql) =>
  mergeTable(session, schema, ORDER_LINJER);

export const at = (offset: number, values: Readonly<Record<string, string | null>> = {}) =>
  orderEvent({ ...values, __kafka_offset: String(offset) });

/** Rewrites a statement for our tenant for the schema of a side. */
export const renderTo = (side: Side, statement: string) =>
  statement.replaceAll(quoteIdentifier(TENANT), quoteIdentifier(side.schema));

/** Returns the result of work, or the code of its error. */
export const attempt = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: { code: string }) => error.code,
  );

export const rows = async (side: Side, columns = '"OrderID", "Status"') => [
  ...(await side.admin.unsafe(`SELECT ${columns} FROM ${final(side)} ORDER BY 1, 2`)),
];

export const countRows = (side: Side, table = ORDER_LINJER) =>
  readNumber(side.admin, `SELECT count(*) AS n FROM ${final(side, table)}`);

/** Slows down inserts into a final table, so that a merge is still running when something else happens. */
export const slowDown = (side: Side, table: ReplicatedTable, seconds: number) =>
  side.admin
    .unsafe(
      `CREATE OR REPLACE FUNCTION public.slow() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN PERFORM pg_sleep(${seconds}) WHERE EXISTS (SELECT FROM inserted); RETURN NULL; END $$;
       CREATE TRIGGER slow AFTER INSERT ON ${final(side, table)} REFERENCING NEW TABLE AS inserted
       FOR EACH STATEMENT EXECUTE FUNCTION public.slow()`,
    )
    .simple();
