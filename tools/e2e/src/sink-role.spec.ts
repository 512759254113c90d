import { quoteQualified } from '@cdc-migrations/sql-text';
import type { Sql } from 'postgres';
import { mergeTable } from './merge-table.ts';
import {
  type MergeTarget,
  orderEvent,
  readNumber,
  SINK,
  startMergeTarget,
  TENANT,
} from './merge-target.fixture.ts';
import { ORDER_LINJER } from './order-linjer.fixture.ts';
import { stageEvents } from './stage-events.ts';

const FINAL = quoteQualified(TENANT, ORDER_LINJER.name);
const STAGING = quoteQualified(TENANT, ORDER_LINJER.names.staging);
const WINDOW = quoteQualified(TENANT, ORDER_LINJER.names.mergeWindow);

describe('the role of the sink', () => {
  let target: MergeTarget;
  let sink: Sql;
  let owner: Sql;
  beforeAll(async () => {
    target = await startMergeTarget();
    ({ sink, owner } = target);
    await target.apply(ORDER_LINJER);
  });
  afterAll(() => target.stop());

  it('inserts, merges in both ways and reads the views', async () => {
    await stageEvents(sink, TENANT, ORDER_LINJER, [orderEvent({ __kafka_offset: '1' })]);
    await mergeTable(sink, TENANT, ORDER_LINJER);
    await stageEvents(sink, TENANT, ORDER_LINJER, [
      orderEvent({ OrderID: '2', __kafka_offset: '2' }),
    ]);
    await sink`CALL cdc_management.run_pending_merges()`.simple();
    expect(await readNumber(owner, `SELECT count(*) AS n FROM ${FINAL}`)).toBe(2);
    const views = await owner<{ name: string }[]>`
      SELECT viewname::text AS name FROM pg_views WHERE schemaname = 'cdc_management'`;
    expect(views.length).toBeGreaterThan(5);
    for (const { name } of views) await sink`SELECT * FROM cdc_management.${sink(name)}`;
  });

  it('has only these privileges on relations', async () => {
    const found = await owner<{ relation: string; right: string }[]>`
      SELECT relation.relname::text AS relation, "right"
      FROM pg_class AS relation
      JOIN pg_namespace AS schema ON schema.oid = relation.relnamespace,
        unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS "right"
      WHERE schema.nspname IN (${TENANT}, 'cdc_management') AND relation.relkind IN ('r', 'p', 'f', 'm', 'v')
        AND relation.relkind <> 'v' -- views are read, and that is tested above
        AND (has_table_privilege(${SINK}, relation.oid, "right")
          OR "right" IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES')
            AND has_any_column_privilege(${SINK}, relation.oid, "right"))`;
    expect([...found].sort((a, b) => a.relation.localeCompare(b.relation))).toEqual([
      { relation: 'refused_event', right: 'INSERT' },
      { relation: ORDER_LINJER.names.staging, right: 'INSERT' },
    ]);
  });

  it('can only read views, and cannot use sequences or create objects', async () => {
    const [rights] = await owner`
      SELECT (SELECT string_agg(DISTINCT "right", ' ') FROM pg_class AS view,
          unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRIGGER']) AS "right"
        WHERE view.relnamespace = 'cdc_management'::regnamespace AND view.relkind = 'v'
          AND has_table_privilege(${SINK}, view.oid, "right")) AS views,
        (SELECT count(*)::integer FROM pg_class AS sequence
         WHERE sequence.relkind = 'S' AND (has_sequence_privilege(${SINK}, sequence.oid, 'USAGE')
           OR has_sequence_privilege(${SINK}, sequence.oid, 'SELECT'))) AS sequences,
        (SELECT count(*)::integer FROM pg_namespace AS schema
         WHERE schema.nspname !~ '^pg_temp' AND has_schema_privilege(${SINK}, schema.oid, 'CREATE')) AS schemas,
        has_database_privilege(${SINK}, current_database(), 'CREATE') AS database,
        (SELECT count(*)::integer FROM pg_auth_members WHERE member = ${SINK}::regrole) AS memberships`;
    expect(rights).toEqual({
      ...{ views: 'SELECT', sequences: 0, schemas: 0, database: false, memberships: 0 },
    });
  });

  it('can execute only these routines', async () => {
    const found = await owner<{ name: string }[]>`
      SELECT routine.proname::text AS name FROM pg_proc AS routine
      JOIN pg_namespace AS schema ON schema.oid = routine.pronamespace
      WHERE schema.nspname IN (${TENANT}, 'cdc_management') AND has_function_privilege(${SINK}, routine.oid, 'EXECUTE')
      ORDER BY routine.proname COLLATE "C"`;
    expect(found.map(({ name }) => name)).toEqual([
      'changes_after',
      'clean_up',
      'count_unfilled',
      'holds_events',
      'lanes_of',
      'loss_cause',
      'lsn_position',
      'merge_step',
      'merge_table',
      'note_changes_read',
      'parse_lsn',
      'passes_to_begin',
      'read_marks',
      'run_pending_merges',
      'setting_of',
      'shrink_staging',
      'size_of_staging',
      ORDER_LINJER.names.mergeProcedure,
      'tables_to_merge',
    ]);
  });

  it.each([
    ['read a final table', `SELECT FROM ${FINAL}`],
    ['insert into a final table', `INSERT INTO ${FINAL} DEFAULT VALUES`],
    ['update a final table', `UPDATE ${FINAL} SET "Status" = 'x'`],
    ['delete from a final table', `DELETE FROM ${FINAL}`],
    ['truncate a final table', `TRUNCATE ${FINAL}`],
    ['read a staging table', `SELECT FROM ${STAGING}`],
    ['read inserted rows', `INSERT INTO ${STAGING} DEFAULT VALUES RETURNING "OrderID"`],
    ['copy a staging table', `COPY ${STAGING} TO STDOUT`],
    ['update a staging table', `UPDATE ${STAGING} SET "OrderID" = 1`],
    ['delete from a staging table', `DELETE FROM ${STAGING}`],
    ['truncate a staging table', `TRUNCATE ${STAGING}`],
    ['alter a staging table', `ALTER TABLE ${STAGING} ADD COLUMN own integer`],
    ['disable the triggers of a staging table', `ALTER TABLE ${STAGING} DISABLE TRIGGER ALL`],
    ['drop a staging table', `DROP TABLE ${STAGING}`],
    ['lock a staging table', `DO $$ BEGIN LOCK TABLE ${STAGING} IN ACCESS EXCLUSIVE MODE; END $$`],
    ['drop a merge procedure', `DROP PROCEDURE ${quoteQualified(TENANT, 'sp_merge_order-linjer')}`],
    ['call the window function', `SELECT ${WINDOW}('(0,0)', '(1,0)', NULL, NULL, NULL)`],
    ['create a table', `CREATE TABLE "${TENANT}".own (n integer)`],
    ['create a table in public', 'CREATE TABLE public.own (n integer)'],
    ['create a function', `CREATE FUNCTION cdc_management.own() RETURNS integer RETURN 1`],
    ['read dead letters', 'SELECT FROM cdc_management.dead_letter'],
    ['delete dead letters', 'DELETE FROM cdc_management.dead_letter'],
    ['replay dead letters', `SELECT cdc_management.replay_dead_letters('a', 'b', 1)`],
    ['change the processing log', 'DELETE FROM cdc_management.processing_log'],
    ['delete a recorded loss', 'DELETE FROM cdc_management.staging_loss'],
    ['change settings', `UPDATE cdc_management.setting SET value = '1'`],
    ['change the registrations for merges', 'DELETE FROM cdc_management.merge_control'],
    ['change the migration history', 'DELETE FROM cdc_management.migration_history'],
    ['change the structure of a table', `CALL cdc_management.converge_table('a', 'b', '[]', NULL)`],
    ['become the owner', 'SET ROLE migrator'],
  ])('cannot %s', async (_what, statement) => {
    await expect(sink.unsafe(statement).simple()).rejects.toMatchObject({ code: '42501' });
  });
});
