import { setTimeout as sleep } from 'node:timers/promises';
import type { ChangeEvent } from '@cdc-migrations/event-model';
import { quoteIdentifier, quoteQualified } from '@cdc-migrations/sql-text';
import type { ColumnDefinition, ReplicatedTable } from '@cdc-migrations/table-defs';
import type { Sql } from 'postgres';
import { mergeTable } from './merge-table.ts';
import {
  applyTables,
  type MergeTarget,
  orderEvent,
  OWNER,
  readNumber,
  renderOrders,
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
const OTHER = tableNamed('Other');
/** The key of a table that takes rows of several customers. */
const SHARED = tableNamed('Shared', {
  key: { columns: ['_customer_id', 'OrderID', 'LinjeNr'], origin: 'primary key' },
});

/** The naive runner waits until nothing has changed for so long. */
const QUIET_MS = 600;

/** A merge that is put to the test, as the session of a role. */
interface Side {
  readonly schema: string;
  /** Where rows of several customers come together. */
  readonly shared: ReplicatedTable;
  readonly sql: Sql;
  readonly second: Sql;
  /** Merges all tables. */
  run(sql: Sql): Promise<unknown>;
  /** Rows of the log: partition, offsets, rows merged. */
  readonly log: string;
  /** The source has other columns now. */
  change(columns: readonly ColumnDefinition[]): Promise<unknown>;
  /** How many are said to be lost. */
  countLosses(): Promise<number>;
}

const final = ({ schema }: Side, table = ORDER_LINJER) => quoteQualified(schema, table.name);
const stage = ({ sql, schema }: Side, ...events: readonly ChangeEvent[]) =>
  stageEvents(sql, schema, ORDER_LINJER, events);
const stageOther = ({ schema }: Side, sql: Sql, event: ChangeEvent) =>
  stageEvents(sql, schema, OTHER, [event]);
const merge = ({ sql, schema }: Side, session = sql) => mergeTable(session, schema, ORDER_LINJER);
const at = (offset: number, values: Readonly<Record<string, string | null>> = {}) =>
  orderEvent({ ...values, __kafka_offset: String(offset) });
const renderTo = (side: Side, statement: string) =>
  statement.replaceAll(quoteIdentifier(TENANT), quoteIdentifier(side.schema));

/** Errors by their code, in place of results. */
const attempt = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: { code: string }) => error.code,
  );

describe('what goes wrong with a naive merge, and not here', () => {
  let target: MergeTarget;
  let database: string;
  let admin: Sql;
  let ours: Side;
  let naive: Side;
  const connect = (user: string) =>
    target.server.connect({ user, database, max: 1, fetch_types: false, onnotice: () => {} });
  const connectAdmin = (to = database) =>
    target.server.connect({ database: to, max: 1, fetch_types: false, onnotice: () => {} });

  beforeAll(async () => {
    target = await startMergeTarget({ wal_level: 'replica' });
    await target.apply(ORDER_LINJER, OTHER, SHARED);
    const template = connectAdmin(target.database);
    await template`UPDATE cdc_management.merge_control SET batch_events = 500`;
    await template.unsafe(renderNaiveMerge([ORDER_LINJER, OTHER], SINK)).simple();
    await template.end();
  });
  beforeEach(async () => {
    database = await target.server.createDatabase({ owner: OWNER, template: target.database });
    admin = connectAdmin();
    ours = {
      ...{ schema: TENANT, shared: SHARED, sql: connect(SINK), second: connect(SINK) },
      run: (sql) => sql`CALL cdc_management.run_pending_merges()`.simple(),
      log: `SELECT kafka_partition AS partition, first_offset::integer, last_offset::integer, merged::integer
        FROM cdc_management.processing_log WHERE table_name = 'Order-Linjer' ORDER BY 1`,
      change: (columns) => applyTables(target.server, database, [{ ...ORDER_LINJER, columns }]),
      countLosses: () =>
        readNumber(admin, 'SELECT count(*) AS n FROM cdc_management.possible_loss'),
    };
    naive = {
      ...{ schema: NAIVE, shared: ORDER_LINJER, sql: connectAdmin(), second: connectAdmin() },
      run: (sql) => sql`CALL naive.run()`.simple(),
      log: `SELECT NULL AS partition, first_offset::integer, last_offset::integer, merged::integer FROM naive.log`,
      change: () => admin.unsafe(`ALTER TABLE ${final(naive)} ADD COLUMN IF NOT EXISTS "Ny" text`),
      countLosses: () => Promise.resolve(0),
    };
  });
  afterAll(() => target.stop());

  const rows = async (side: Side, columns = '"OrderID", "Status"') => [
    ...(await admin.unsafe(`SELECT ${columns} FROM ${final(side)} ORDER BY 1, 2`)),
  ];
  const countRows = (side: Side, table = ORDER_LINJER) =>
    readNumber(admin, `SELECT count(*) AS n FROM ${final(side, table)}`);

  /** Inserts into a final table take that long, so that a merge still runs when something else happens. */
  const slowDown = (side: Side, table: ReplicatedTable, seconds: number) =>
    admin
      .unsafe(
        `CREATE OR REPLACE FUNCTION public.slow() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN PERFORM pg_sleep(${seconds}); RETURN NULL; END $$;
         CREATE TRIGGER slow AFTER INSERT ON ${final(side, table)}
         FOR EACH STATEMENT EXECUTE FUNCTION public.slow()`,
      )
      .simple();

  const SCENARIOS: readonly [string, (side: Side) => Promise<unknown>, unknown][] = [
    [
      '1: of 5,000 keys in random order over many batches, none is lost',
      async (side) => {
        await side.sql.unsafe(renderTo(side, renderOrders(1, 5000)));
        await merge(side);
        return countRows(side);
      },
      5000,
    ],
    [
      '1: of several versions of a key in different batches, the newest stays',
      async (side) => {
        await side.sql.unsafe(
          renderTo(side, renderOrders(1, 2000, { status: 'newer', after: 10_000 })),
        );
        await side.sql.unsafe(renderTo(side, renderOrders(1, 2000)));
        await merge(side);
        return readNumber(
          admin,
          `SELECT count(*) AS n FROM ${final(side)} WHERE "Status" = 'newer'`,
        );
      },
      2000,
    ],
    [
      '2: what is inserted during the merge is not lost',
      async (side) => {
        await stage(side, at(1));
        await side.second.unsafe('BEGIN');
        await side.second.unsafe(renderTo(side, renderOrders(7, 7)));
        const merging = attempt(merge(side));
        await sleep(300);
        await side.second.unsafe('COMMIT');
        await merging;
        await merge(side);
        return (await rows(side)).length;
      },
      2,
    ],
    [
      '2: a writer and a merge do not deadlock',
      async (side) => {
        await stageOther(side, side.sql, at(1));
        await slowDown(side, OTHER, 0.5);
        await sleep(QUIET_MS);
        const merging = attempt(side.run(side.sql));
        await sleep(200);
        return await Promise.all([merging, attempt(stageOther(side, side.second, at(2)))]);
      },
      ['done', 'done'],
    ],
    [
      '3: deletes delete, also those of unknown keys',
      async (side) => {
        await stage(side, at(1), at(2, { OrderID: '2' }));
        await merge(side);
        await stage(
          side,
          at(3, { __cdc_operation: 'd', __source_ts_ms: '1767225600001' }),
          at(4, { OrderID: '3', __cdc_operation: 'DELETE' }),
        );
        await merge(side);
        return rows(side);
      },
      [{ OrderID: 2, Status: 'ny' }],
    ],
    [
      '4: an older event that is replayed changes nothing',
      async (side) => {
        await stage(side, at(2, { Status: 'newest', __source_ts_ms: '2' }));
        await merge(side);
        await stage(side, at(1, { Status: 'replayed', __source_ts_ms: '1' }));
        await merge(side);
        return rows(side);
      },
      [{ OrderID: 1, Status: 'newest' }],
    ],
    [
      '4: of equal time stamps the later event wins',
      async (side) => {
        await stage(side, at(1, { Status: 'first' }), at(2, { Status: 'second' }));
        await merge(side);
        return rows(side);
      },
      [{ OrderID: 1, Status: 'second' }],
    ],
    [
      '4: no time stamp does not beat a newer event',
      async (side) => {
        await stage(
          side,
          at(1, { Status: 'no time', __source_ts_ms: null }),
          at(2, { Status: 'newer' }),
        );
        await merge(side);
        return rows(side);
      },
      [{ OrderID: 1, Status: 'newer' }],
    ],
    [
      '5: equal keys of 26 customers are 26 rows',
      async (side) => {
        const events = Array.from({ length: 26 }, (_, n) =>
          at(n, { _customer_id: `00000000-0000-0000-0000-0000000000${n + 10}` }),
        );
        await stageEvents(side.sql, side.schema, side.shared, events);
        await mergeTable(side.sql, side.schema, side.shared);
        return countRows(side, side.shared);
      },
      26,
    ],
    [
      '6: two merges at once do not deadlock',
      async (side) => {
        await stage(side, at(1));
        await slowDown(side, ORDER_LINJER, 0.5);
        return await Promise.all([attempt(merge(side)), attempt(merge(side, side.second))]);
      },
      ['done', 'done'],
    ],
    [
      '6: steady load does not keep the merge waiting',
      async (side) => {
        for (let n = 0; n < 30; n++) {
          await stageOther(side, side.sql, at(n, { OrderID: String(n) }));
          await side.run(side.second);
          await sleep(20);
        }
        return (await countRows(side, OTHER)) > 10;
      },
      true,
    ],
    [
      '6: an insert does not wait for the merge of another table',
      async (side) => {
        await stageOther(side, side.sql, at(1));
        await slowDown(side, OTHER, 1.5);
        await sleep(QUIET_MS);
        const merging = attempt(side.run(side.sql));
        await sleep(300);
        await side.second`SET lock_timeout = '500ms'`;
        const writing = await attempt(stageEvents(side.second, side.schema, ORDER_LINJER, [at(1)]));
        await merging;
        return writing;
      },
      'done',
    ],
    [
      '7: the log has each partition, its offsets, and what was merged',
      async (side) => {
        const events = [1, 2, 3].flatMap((n) => [
          at(n, { OrderID: String(n), __kafka_partition: '0' }),
          at(n + 9, { OrderID: String(n + 9), __kafka_partition: '1' }),
        ]);
        await stage(side, ...events);
        await merge(side);
        return [...(await admin.unsafe(side.log))];
      },
      [
        { partition: 0, first_offset: 1, last_offset: 3, merged: 3 },
        { partition: 1, first_offset: 10, last_offset: 12, merged: 3 },
      ],
    ],
    [
      '8: a delete that carries nothing but the key is taken',
      async (side) => {
        await stage(side, at(1));
        await merge(side);
        const empty = { Status: null, Beløp: null, _customer_id: null, __sync_timestamp: null };
        const staged = await attempt(stage(side, at(2, { ...empty, __cdc_operation: 'd' })));
        await merge(side);
        return [staged, await rows(side)];
      },
      ['done', []],
    ],
    [
      '8: when a crash has emptied staging, it is said',
      async (side) => {
        await stage(side, at(1));
        await target.server.kill('SIGKILL');
        await target.server.restart();
        return (await side.countLosses()) > 0;
      },
      true,
    ],
    [
      '9: a new column of the final table is one of staging',
      async (side) => {
        const added = { name: 'Ny', role: 'source', type: 'text', nullable: true } as const;
        await side.change([added, ...ORDER_LINJER.columns]);
        const staged = await attempt(stage(side, at(1, { Ny: 'value' })));
        return [staged, await attempt(merge(side)), await rows(side, '"OrderID", "Ny"')];
      },
      ['done', 'done', [{ OrderID: 1, Ny: 'value' }]],
    ],
    [
      '9: events without a column that left the source are taken',
      async (side) => {
        await side.change(ORDER_LINJER.columns.filter(({ name }) => name !== 'Status'));
        const { Status: _left, ...values } = at(1).values;
        const staged = await attempt(stage(side, { ...at(1), values }));
        return [staged, await attempt(merge(side)), (await rows(side)).length];
      },
      ['done', 'done', 1],
    ],
    [
      '10: the generated grants suffice for a plain role',
      async (side) => {
        const plain = connect(SINK);
        const staged = await attempt(stageEvents(plain, side.schema, ORDER_LINJER, [at(1)]));
        return [staged, await attempt(merge(side, plain)), await countRows(side)];
      },
      ['done', 'done', 1],
    ],
    [
      '11: a table named Order-Linjer is merged with all others',
      async (side) => {
        await stage(side, at(1));
        await sleep(QUIET_MS);
        await side.run(side.sql);
        return countRows(side);
      },
      1,
    ],
  ];

  const itLong = process.env['CDC_LONG_TESTS'] ? it : it.skip;

  itLong(
    '7: durations over a minute are whole',
    async () => {
      const merges = [ours, naive].map(async (side) => {
        await stage(side, at(1));
        await slowDown(side, ORDER_LINJER, 61);
        await merge(side);
      });
      await Promise.all(merges);
      const read = (log: string) => readNumber(admin, `SELECT max(duration_ms) AS n FROM ${log}`);
      expect(await read('cdc_management.processing_log')).toBeGreaterThan(61_000);
      expect(await read('naive.log')).toBeLessThan(61_000);
    },
    300_000,
  );

  it.each(SCENARIOS)('%s', async (_what, play, expected) => {
    expect(await play(ours)).toEqual(expected);
    expect(await play(naive)).not.toEqual(expected);
  });
});
