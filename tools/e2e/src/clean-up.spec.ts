import type { Sql } from 'postgres';
import { mergeTable } from './merge-table.ts';
import {
  type MergeTarget,
  orderEvent,
  readNumber,
  startMergeTarget,
  TENANT,
} from './merge-target.fixture.ts';
import { ORDER_LINJER } from './order-linjer.fixture.ts';
import { stageEvents } from './stage-events.ts';

describe('the cleanup of merge records', () => {
  let target: MergeTarget;
  let owner: Sql;
  let sink: Sql;
  beforeAll(async () => {
    target = await startMergeTarget();
    ({ owner, sink } = target);
    await target.apply(ORDER_LINJER);
  });
  afterAll(() => target.stop());

  const count = (table: string) =>
    readNumber(owner, `SELECT count(*) AS n FROM cdc_management.${table}`);

  /** Inserts 25 rows that are older than the retention, and 5 that are not. */
  const insertTombstones = () => owner`
    INSERT INTO cdc_management.tombstone (table_id, key_digest, stream_generation, kafka_offset, deleted_at)
    SELECT 0, convert_to(n::text, 'UTF8'), 0, n, now() - CASE WHEN n > 25 THEN 20 ELSE 40 END * interval '1 day'
    FROM generate_series(1, 30) AS n`;

  it('deletes at most the given number of old rows per call', async () => {
    await insertTombstones();
    const cleanUp = async () =>
      (await sink<{ done: boolean }[]>`SELECT cdc_management.clean_up(10) AS done`)[0]?.done;
    expect([await cleanUp(), await count('tombstone')]).toEqual([false, 20]);
    expect([await cleanUp(), await count('tombstone')]).toEqual([false, 10]);
    expect([await cleanUp(), await count('tombstone')]).toEqual([true, 5]);
    await owner`TRUNCATE cdc_management.tombstone`;
  });

  it('is completed by a runner, in several transactions', async () => {
    await owner`
      INSERT INTO cdc_management.processing_log (batch_id, schema_name, table_name, events, merged, deleted, stale, dead,
        started_at, finished_at, duration_ms)
      SELECT n, 'a', 'b', 0, 0, 0, 0, 0, now() - interval '1 year', now() - interval '1 year', 0
      FROM generate_series(1, 20001) AS n`;
    await owner`CREATE TABLE public.cleaned_up (transaction xid8, rows bigint)`;
    await owner.unsafe(`
      CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
      BEGIN
        INSERT INTO public.cleaned_up SELECT pg_current_xact_id(), count(*) FROM gone;
        RETURN NULL;
      END $$;
      CREATE TRIGGER note AFTER DELETE ON cdc_management.processing_log REFERENCING OLD TABLE AS gone
      FOR EACH STATEMENT EXECUTE FUNCTION public.note()`);
    await sink`CALL cdc_management.run_pending_merges()`.simple();
    await owner`DROP TRIGGER note ON cdc_management.processing_log`;
    expect(await count('processing_log')).toBe(0);
    expect(
      await owner`SELECT sum(rows)::integer AS rows FROM public.cleaned_up GROUP BY transaction ORDER BY 1`,
    ).toEqual([{ rows: 1 }, { rows: 10_000 }, { rows: 10_000 }]);
  });

  it('skips rows that another session has locked, and deletes them in the next run', async () => {
    await insertTombstones();
    await owner`
      INSERT INTO cdc_management.staged_stream (schema_name, table_name, kafka_partition, stream_generation, first_offset)
      SELECT 'a', 'b', 0, 0, n FROM generate_series(1, 3) AS n`;
    const holder = target.server.connect({ database: target.database, max: 1 });
    await holder`BEGIN`;
    await holder`SELECT FROM cdc_management.tombstone WHERE kafka_offset = 7 FOR UPDATE`;
    await holder`DELETE FROM cdc_management.staged_stream WHERE schema_name = 'a' AND first_offset = 2`;
    await sink`SET lock_timeout = '500ms'`;
    await sink`CALL cdc_management.run_pending_merges()`.simple();
    await sink`RESET lock_timeout`;
    await holder`ROLLBACK`;
    await holder.end();
    const notes = () => owner`
      SELECT first_offset::integer AS at FROM cdc_management.staged_stream WHERE schema_name = 'a' ORDER BY 1`;
    expect([await count('tombstone'), await notes()]).toEqual([6, [{ at: 1 }, { at: 2 }]]);
    await sink`CALL cdc_management.run_pending_merges()`.simple();
    expect([await count('tombstone'), await notes()]).toEqual([5, [{ at: 1 }]]);
    await owner`TRUNCATE cdc_management.tombstone, cdc_management.staged_stream`;
  });

  it('of a schema is refused before the schema is dropped, and complete afterwards', async () => {
    await stageEvents(sink, TENANT, ORDER_LINJER, [
      orderEvent({ __kafka_offset: '1' }),
      orderEvent({ __kafka_offset: '2', OrderID: '2' }),
      orderEvent({ __kafka_offset: '3', OrderID: '2', __cdc_operation: 'd' }),
      orderEvent({ __kafka_offset: '4', __cdc_operation: 'x' }),
    ]);
    await mergeTable(sink, TENANT, ORDER_LINJER);
    await stageEvents(sink, TENANT, ORDER_LINJER, [orderEvent({ __kafka_offset: '9' })]);
    const cleanUp = () => owner`CALL cdc_management.clean_up_schema(${TENANT})`;
    await owner`
      INSERT INTO cdc_management.migration_history (migration_set, category, table_name, schema_name, file, checksum, outcome)
      VALUES ('a', 'tables', ${ORDER_LINJER.name}, ${TENANT}, 'a', 'a', 'applied')`;
    await expect(cleanUp()).rejects.toMatchObject({
      code: '2BP01',
      message: `staging table "${TENANT}"."stg_Order-Linjer" still exists`,
    });
    const tables = await owner<{ name: string }[]>`
      SELECT format('%I WHERE %s', relname, CASE attname WHEN 'table_id' THEN 'table_id > 0'
        ELSE format('schema_name = %L', ${TENANT}::text) END) AS name
      FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
      WHERE relnamespace = 'cdc_management'::regnamespace AND relkind = 'r' AND attname IN ('schema_name', 'table_id')`;
    const kept = async () =>
      (await Promise.all(tables.map(async ({ name }) => [name, await count(name)] as const)))
        .filter(([, rows]) => rows > 0)
        .map(([name]) => name.split(' ')[0])
        .sort();
    expect(await kept()).toEqual(
      expect.arrayContaining(['dead_letter', 'merge_control', 'migration_history', 'tombstone']),
    );
    await owner.unsafe(`DROP SCHEMA "${TENANT}" CASCADE`);
    await cleanUp();
    expect(await kept()).toEqual([]);
    await target.apply(ORDER_LINJER);
    await sink`CALL cdc_management.run_pending_merges()`.simple();
    expect(await count('merge_error')).toBe(0);
  });
});
