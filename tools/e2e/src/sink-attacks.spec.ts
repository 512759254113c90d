import {
  describeDebian,
  type PostgresServer,
  startDebianPostgres,
  startPostgres,
} from '@cdc-migrations/postgres-fixture';
import { quoteLiteral, quoteQualified } from '@cdc-migrations/sql-text';
import type { Sql } from 'postgres';
import {
  type MergeTarget,
  openMergeTarget,
  orderEvent,
  readNumber,
  SINK,
  TENANT,
} from './merge-target.fixture.ts';
import { ORDER_LINJER } from './order-linjer.fixture.ts';
import { stageEvents } from './stage-events.ts';

const STAGING = quoteQualified(TENANT, ORDER_LINJER.names.staging);
const [SCHEMA, TABLE] = [TENANT, ORDER_LINJER.name].map(quoteLiteral);

describeDebian('the sink role as an attacker on Debian', () => attack(() => startDebianPostgres()));
describe('the sink role as an attacker on PostgreSQL 18', () =>
  attack(() => startPostgres({ major: 18 })));

/**
 * Describes attacks with the privileges of the sink's role: it may insert, merge, read the views, and (as in many
 * databases) create objects in `public`.
 */
function attack(start: () => Promise<PostgresServer>): void {
  let target: MergeTarget;
  let sink: Sql;
  let owner: Sql;
  beforeAll(async () => {
    target = await openMergeTarget(await start());
    ({ sink, owner } = target);
    await target.apply(ORDER_LINJER);
    const admin = target.server.connect({ database: target.database, max: 1 });
    await admin.unsafe(`GRANT CREATE ON SCHEMA public TO ${SINK}`);
    await admin.end();
    await owner`CREATE SEQUENCE cdc_management.trap`;
    await owner`GRANT ALL ON SEQUENCE cdc_management.trap TO PUBLIC`;
  });
  afterAll(() => target?.stop());
  beforeEach(() => target.reset(ORDER_LINJER));

  const merge = () => sink`CALL cdc_management.run_pending_merges()`.simple();
  const errors = () =>
    owner`SELECT schema_name, table_name, message FROM cdc_management.merge_error`;
  const step = (schema: string, table: string, pass: string) =>
    `SELECT done, failure FROM cdc_management.merge_step(${schema}, ${table}, ${pass})`;
  const inBatch = (query: string) =>
    sink.begin('ISOLATION LEVEL REPEATABLE READ', (transaction) => transaction.unsafe(query));

  it('cannot run code with the privileges of the owner through the name of a view', async () => {
    const used = () => readNumber(owner, 'SELECT last_value AS n FROM cdc_management.batch_id');
    const before = await used();
    // A sequence, because it is not rolled back.
    await sink
      .unsafe(
        `
      CREATE FUNCTION pg_temp.evil() RETURNS timestamptz LANGUAGE plpgsql AS
        $$ BEGIN PERFORM nextval('cdc_management.batch_id'); RETURN now(); END $$;
      CREATE TEMP TABLE one AS SELECT 1 AS x;
      CREATE TEMP VIEW trap AS SELECT x, pg_temp.evil() AS "__sync_timestamp" FROM one`,
      )
      .simple();
    const [{ schema }] = await sink<[{ schema: string }]>`
      SELECT nspname::text AS schema FROM pg_namespace WHERE oid = pg_my_temp_schema()`;
    for (const name of ['trap', 'one']) {
      const found = await sink`SELECT cdc_management.count_unfilled(${schema}, ${name}, 'x') AS n`;
      expect(found).toEqual([{ n: '0' }]);
    }
    expect(await used()).toBe(before);
  });

  it.each([
    ['of an unknown tenant', `'nobody'`, TABLE!, `'{}'`],
    ['of an unknown table', SCHEMA!, `'Nothing'`, `'{}'`],
    ['of a NULL name', SCHEMA!, 'NULL', `'{}'`],
  ])('causes no recorded failure %s', async (_of, schema, table, pass) => {
    const found = await inBatch(step(schema, table, pass));
    expect(found).toEqual([
      { done: true, failure: expect.stringMatching(/ is not merged here \(SQLSTATE 42P01\)$/) },
    ]);
    await inBatch(`SELECT step.* FROM generate_series(1, 3000) AS n,
      LATERAL cdc_management.merge_step('nobody ' || n, ${TABLE}, '{}') AS step`);
    expect(await errors()).toEqual([]);
  });

  it.each([
    ...[
      '[]',
      '1',
      'null',
      '"lane"',
      '{"lane": -1}',
      '{"lane": "x"}',
      '{"lane": 1e9}',
      '{"lane": 0.5}',
    ],
    ...['{"lane": {}}', '{"end": 1}', '{"end": "x"}', '{"block": 0, "blocks": 0, "end": 1}'],
    ...['{"block": -1, "blocks": 1, "end": 1}', '{"block": 1, "blocks": 1, "end": 1}'],
    ...[
      '{"block": 0, "blocks": 9999999999, "end": 1}',
      '{"block": 4294967295, "blocks": 1, "end": 9e9}',
    ],
    ...['{"block": 0, "blocks": 1, "end": 1e400}', '{"attempts": -1}', '{"attempts": "many"}'],
  ])('causes no recorded failure with an invalid pass: %s', async (pass) => {
    await expect(inBatch(step(SCHEMA!, TABLE!, quoteLiteral(pass)))).rejects.toMatchObject({
      code: '22023',
      message: expect.stringMatching(
        /^expected a pass returned by passes_to_begin or merge_step, found /,
      ),
    });
    expect(await errors()).toEqual([]);
  });

  it('causes no recorded failure with a NULL pass or at isolation level read committed', async () => {
    await expect(inBatch(step(SCHEMA!, TABLE!, 'NULL'))).rejects.toMatchObject({ code: '22023' });
    await expect(sink.unsafe(step(SCHEMA!, TABLE!, `'{}'`))).rejects.toMatchObject({
      code: '25000',
      message: 'expected isolation level repeatable read, found read committed',
    });
    expect(await errors()).toEqual([]);
  });

  it('can use a pass at the highest block number without effect on the next merge', async () => {
    await stageEvents(sink, TENANT, ORDER_LINJER, [orderEvent({ __kafka_offset: '1' })]);
    const last = '{"block": 4294967294, "blocks": 4294967295, "end": 4294967295}';
    expect(await inBatch(step(SCHEMA!, TABLE!, quoteLiteral(last)))).toEqual([
      { done: true, failure: null },
    ]);
    await merge();
    expect(await readNumber(owner, `SELECT count(*) AS n FROM ${STAGING}`)).toBe(0);
  });

  it('causes one row for each kind of failure, not for each failure', async () => {
    await owner`INSERT INTO cdc_management.merge_error (schema_name, table_name, sqlstate, message)
      VALUES (${TENANT}, ${ORDER_LINJER.name}, 'XX000', 'another')`;
    await stageEvents(sink, TENANT, ORDER_LINJER, [orderEvent({ __kafka_offset: '1' })]);
    await owner.unsafe(`ALTER TABLE ${quoteQualified(TENANT, ORDER_LINJER.name)} RENAME TO hidden`);
    try {
      for (let n = 0; n < 3; n++) {
        await merge();
        await owner`SELECT cdc_management.note_merge_error(${TENANT}, ${ORDER_LINJER.name}, 'XX000', 'another')`;
      }
    } finally {
      await owner.unsafe(
        `ALTER TABLE ${quoteQualified(TENANT, 'hidden')} RENAME TO "${ORDER_LINJER.name}"`,
      );
    }
    expect(
      await owner`SELECT sqlstate, times::integer FROM cdc_management.merge_error ORDER BY 1`,
    ).toEqual([
      { sqlstate: '42P01', times: 3 },
      { sqlstate: 'XX000', times: 4 },
    ]);
  });

  it('cannot block writers of an empty staging table with shrink_staging', async () => {
    await sink.begin(async (transaction) => {
      await transaction`SELECT cdc_management.shrink_staging(${TENANT}, ${ORDER_LINJER.name})`;
      const other = target.connectSink();
      await stageEvents(other, TENANT, ORDER_LINJER, [orderEvent({ __kafka_offset: '1' })]);
      await other.end();
    });
    expect(await readNumber(owner, `SELECT count(*) AS n FROM ${STAGING}`)).toBe(1);
  });

  it('does not wait in shrink_staging for a staging table that is locked', async () => {
    const holder = await owner.reserve();
    try {
      await holder`BEGIN`;
      await holder.unsafe(`LOCK TABLE ${STAGING} IN ACCESS EXCLUSIVE MODE`);
      await sink`SELECT cdc_management.shrink_staging(${TENANT}, ${ORDER_LINJER.name})`;
    } finally {
      await holder`ROLLBACK`;
      holder.release();
    }
  });

  it('cannot stop others from cleaning up rows older than their retention', async () => {
    const cleanUp = (session: Sql) =>
      session<[{ done: boolean }]>`SELECT cdc_management.clean_up(2) AS done`;
    await owner`INSERT INTO cdc_management.merge_error (schema_name, table_name, sqlstate, message, occurred_at)
      SELECT 'a', 'b', 'XX000', n::text, now() - interval '100 days' FROM generate_series(1, 5) AS n`;
    const other = target.connectSink();
    // Earlier versions used this lock as a claim, and any role can take it.
    await other`SELECT pg_advisory_lock(hashtextextended('cdc forget', 0))`;
    await other.begin(async (transaction) => {
      await transaction`SELECT cdc_management.clean_up(2)`;
      expect(await cleanUp(sink)).toEqual([{ done: false }]);
      expect(await cleanUp(sink)).toEqual([{ done: true }]);
    });
    await other.end();
    expect(await errors()).toEqual([]);
  });

  it('cannot prevent the mark of other writers with an advisory lock', async () => {
    const other = target.connectSink();
    await owner`TRUNCATE cdc_management.pending_merge`;
    await other.unsafe(`SELECT pg_advisory_lock(hashtextextended('cdc mark', oid::bigint))
      FROM pg_class WHERE relname = 'stg_Order-Linjer'`);
    await stageEvents(sink, TENANT, ORDER_LINJER, [orderEvent({ __kafka_offset: '1' })]);
    expect(await readNumber(owner, 'SELECT count(*) AS n FROM cdc_management.pending_merge')).toBe(
      1,
    );
    await other.end();
  });

  it('can mark a table from several sessions, and the table is listed once', async () => {
    await owner`TRUNCATE cdc_management.pending_merge`;
    const others = [target.connectSink(), target.connectSink()];
    for (const [n, one] of others.entries()) {
      await one`BEGIN`;
      await stageEvents(one, TENANT, ORDER_LINJER, [orderEvent({ __kafka_offset: String(n + 1) })]);
    }
    await Promise.all(others.map((one) => one`COMMIT`));
    expect(await readNumber(owner, 'SELECT count(*) AS n FROM cdc_management.pending_merge')).toBe(
      2,
    );
    expect(await sink`SELECT table_name FROM cdc_management.passes_to_begin()`).toHaveLength(1);
    expect(await sink`SELECT table_name FROM cdc_management.merge_status`).toHaveLength(1);
    await merge();
    expect(await readNumber(owner, 'SELECT count(*) AS n FROM cdc_management.pending_merge')).toBe(
      0,
    );
    await Promise.all(others.map((one) => one.end()));
  });

  it.each([
    ['empty', []],
    ['not empty', [orderEvent({ __kafka_offset: '1' })]],
  ])('is reported while it keeps a merge open, of a table that is %s', async (_is, events) => {
    await stageEvents(sink, TENANT, ORDER_LINJER, events);
    const held = () => owner`SELECT locked_by FROM cdc_management.merge_status`;
    const holder = target.connectSink();
    const [{ pid }] = await holder<[{ pid: number }]>`SELECT pg_backend_pid() AS pid`;
    await holder`BEGIN ISOLATION LEVEL REPEATABLE READ`;
    await holder.unsafe(step(SCHEMA!, TABLE!, `'{}'`));
    await stageEvents(sink, TENANT, ORDER_LINJER, [orderEvent({ __kafka_offset: '2' })]);
    await merge();
    expect(await held()).toEqual([{ locked_by: `process ${pid} (${SINK}, postgres.js)` }]);
    await holder`ROLLBACK`;
    expect(await held()).toEqual([{ locked_by: null }]);
    await holder.end();
    await merge();
    expect(await readNumber(owner, `SELECT count(*) AS n FROM ${STAGING}`)).toBe(0);
  });

  it('cannot run code with the privileges of the owner through temporary views and types', async () => {
    await owner`ALTER SEQUENCE cdc_management.trap RESTART`;
    const session = target.connectSink();
    const trap = `CREATE FUNCTION pg_temp.evil() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
      IF current_user <> session_user THEN PERFORM nextval('cdc_management.trap'); END IF; RETURN true; END $$`;
    const catalogs =
      'pg_attribute pg_class pg_database pg_index pg_locks pg_namespace pg_proc pg_stat_activity pg_trigger pg_type';
    const own = [
      'merge_control',
      'pending_merge',
      'staged',
      'staged_stream',
      'stream_coverage',
      'setting',
    ];
    const types = 'bool int4 int8 int8range name oid regclass text tid timestamptz jsonb';
    await session
      .unsafe(
        [
          trap,
          ...[...catalogs.split(' '), ...own].map(
            (name) => `CREATE TEMP VIEW ${name} AS SELECT pg_temp.evil() AS oid`,
          ),
          ...types
            .split(' ')
            .map(
              (name) =>
                `CREATE DOMAIN pg_temp.${name} AS pg_catalog.${name} CHECK (pg_temp.evil())`,
            ),
          'SET search_path = pg_temp, public, pg_catalog',
        ].join(';\n'),
      )
      .simple();
    for (let n = 1; n <= 2; n++) {
      await session.unsafe(
        `INSERT INTO ${STAGING} ("OrderID", "LinjeNr", "_customer_id", "__source_db", "__source_table", "__cdc_operation",
          "__kafka_partition", "__kafka_offset")
        SELECT n, 1, '0a827150-1332-5167-993b-68db156438cb', 'Test', 'x', CASE n WHEN 2 THEN 'x' ELSE 'c' END, 0, n
        FROM generate_series(1, 3) AS n`,
      );
      if (n === 1) await session`CALL cdc_management.run_pending_merges()`.simple();
      else await session.unsafe(`CALL cdc_management.merge_table(${SCHEMA}, ${TABLE})`).simple();
    }
    const views = await owner<{ name: string }[]>`
      SELECT viewname::text AS name FROM pg_catalog.pg_views WHERE schemaname = 'cdc_management'`;
    for (const { name } of views) await session`SELECT * FROM cdc_management.${session(name)}`;
    await session.unsafe(`SELECT cdc_management.shrink_staging(${SCHEMA}, ${TABLE}), cdc_management.clean_up(),
      cdc_management.holds_events(${SCHEMA}, ${TABLE})`);
    await session.end();
    expect(await owner`SELECT is_called FROM cdc_management.trap`).toEqual([{ is_called: false }]);
    expect(await readNumber(owner, `SELECT count(*) AS n FROM ${STAGING}`)).toBe(0);
    expect(await errors()).toEqual([]);
  });

  it.each(['refused_event_id', 'refused_at'])(
    'cannot set %s of a refused event',
    async (column) => {
      const values = column === 'refused_at' ? `'infinity'` : '1';
      await expect(
        sink.unsafe(
          `INSERT INTO cdc_management.refused_event (${column}) OVERRIDING SYSTEM VALUE VALUES (${values})`,
        ),
      ).rejects.toMatchObject({ code: '42501' });
    },
  );

  describe('with its own deferred trigger or constraint', () => {
    const EVIL = `CREATE FUNCTION public.evil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
          IF current_user <> session_user THEN PERFORM nextval('cdc_management.trap'); END IF; RETURN NULL; END $$;
        CREATE FUNCTION public.evil(integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
          IF current_user <> session_user THEN PERFORM nextval('cdc_management.trap'); END IF; RETURN $1; END $$`;
    const TRIGGER = `CREATE CONSTRAINT TRIGGER evil AFTER INSERT ON own DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION public.evil()`;
    const TEMPORARY = `CREATE TEMP TABLE own (n integer); ${TRIGGER}`;
    const MERGE = step(SCHEMA!, TABLE!, `'{}'`);
    beforeAll(() => sink.unsafe(EVIL).simple());
    afterAll(() => sink`DROP ROUTINE public.evil(), public.evil(integer)`);

    it.each([
      ['on a temporary table', TEMPORARY, `INSERT INTO own VALUES (1); ${MERGE}`],
      [
        'on a table in public',
        `CREATE TABLE public.own (n integer); ${TRIGGER}`,
        `INSERT INTO own VALUES (1); ${MERGE}`,
      ],
      [
        'in a statement that also merges',
        TEMPORARY,
        `WITH row AS (INSERT INTO own VALUES (1) RETURNING n) ${MERGE.replace('FROM', 'FROM row CROSS JOIN LATERAL')}`,
      ],
      [
        'in a savepoint',
        TEMPORARY,
        `SAVEPOINT one; INSERT INTO own VALUES (1); RELEASE one; ${MERGE}`,
      ],
      [
        'in a DO block',
        TEMPORARY,
        `DO $$ BEGIN INSERT INTO own VALUES (1); PERFORM * FROM cdc_management.merge_step(${SCHEMA}, ${TABLE}, '{}'); END $$`,
      ],
      [
        'in an exclusion constraint',
        'CREATE TEMP TABLE own (n integer, EXCLUDE USING btree (public.evil(n) WITH =) DEFERRABLE INITIALLY DEFERRED)',
        `INSERT INTO own VALUES (1), (1); DELETE FROM own WHERE ctid = '(0,1)'; ${MERGE}`,
      ],
    ])('%s cannot run code with the privileges of the owner', async (_of, prepare, work) => {
      const session = target.connectSink();
      await owner`ALTER SEQUENCE cdc_management.trap RESTART`;
      await stageEvents(sink, TENANT, ORDER_LINJER, [orderEvent({ __kafka_offset: '1' })]);
      await session.unsafe(prepare).simple();
      await session`BEGIN ISOLATION LEVEL REPEATABLE READ`;
      const attempt = await session
        .unsafe(work)
        .simple()
        .catch((error: unknown) => error);
      await session`ROLLBACK`;
      await session`DROP TABLE own`;
      await session.end();
      expect(await owner`SELECT is_called FROM cdc_management.trap`).toEqual([
        { is_called: false },
      ]);
      expect(attempt).toMatchObject({ code: '25000' });
      expect(await errors()).toEqual([]);
    });
  });
}
