import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Sql } from 'postgres';
import {
  type MergeTarget,
  orderEvents,
  readNumber,
  SINK,
  startMergeTarget,
  TENANT,
} from './merge-target.fixture.ts';
import { ORDER_LINJER } from './order-linjer.fixture.ts';
import { stageEvents } from './stage-events.ts';

const NOW = readFileSync(
  join(__dirname, '../../../fixtures/adopus/migrations/infrastructure/cdc-management.sql'),
  'utf8',
).replaceAll('"postgres"', `"${SINK}"`);
const BEFORE = readFileSync(
  join(__dirname, '../data/before-small-statements/cdc-management.sql'),
  'utf8',
);

describe('older infrastructure', () => {
  let target: MergeTarget;
  let owner: Sql;
  beforeAll(async () => {
    target = await startMergeTarget();
    ({ owner } = target);
    await target.apply(ORDER_LINJER);
  });
  afterAll(() => target.stop());

  const apply = (text: string, before = '') =>
    owner.begin((transaction) => transaction.unsafe(before + text).simple());
  const signatures = () =>
    owner`SELECT oid::regprocedure::text AS name FROM pg_proc
      WHERE pronamespace = 'cdc_management'::regnamespace ORDER BY 1`;
  const merge = async (first: number) => {
    await stageEvents(target.sink, TENANT, ORDER_LINJER, orderEvents(0, first, first));
    await target.sink`CALL cdc_management.run_pending_merges()`.simple();
    expect(await owner`SELECT * FROM cdc_management.merge_error`).toEqual([]);
    return readNumber(owner, `SELECT count(*) AS n FROM "${TENANT}"."${ORDER_LINJER.name}"`);
  };

  it('is refused, and changes nothing', async () => {
    const before = await signatures();
    await expect(apply(BEFORE)).rejects.toThrow(
      /these_files_are_older_than_the_database|cannot (change|drop)/,
    );
    expect(await signatures()).toEqual(before);
    expect(await merge(0)).toBe(1);
  });

  it('is refused by its version, and replaces newer objects with cdc.allow_older', async () => {
    await apply(NOW);
    const before = await signatures();
    const newer = `DROP VIEW cdc_management.possible_loss;
      CREATE VIEW cdc_management.possible_loss AS SELECT 1 AS other, cdc_management.merge_range(2);
      DROP FUNCTION cdc_management.setting_problem(text, text) CASCADE;
      CREATE FUNCTION cdc_management.setting_problem(p_other text, p_value text) RETURNS integer LANGUAGE sql RETURN 1;
      CREATE OR REPLACE FUNCTION cdc_management.infrastructure_version() RETURNS integer
        LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp RETURN 1000000;`;
    await apply(
      `CREATE FUNCTION cdc_management.merge_range(p_more integer) RETURNS integer LANGUAGE sql RETURN 1; ${newer}`,
    );
    await expect(apply(NOW)).rejects.toMatchObject({
      code: 'CD005',
      message: expect.stringMatching(
        /^expected a database of version \d+ or older, found version 1000000/,
      ),
    });
    await apply(NOW, `SET LOCAL cdc.allow_older = 'on';\n`);
    expect(await signatures()).toEqual(before);
    expect(await merge(1)).toBe(2);
    await apply(NOW);
  });

  it.each([
    ['processing_log', ['transaction_id']],
    ['merge_error', ['times', 'first_occurred_at']],
    ['merge_control', ['lanes', 'lane_count', 'lane_generation']],
    ['merge_control', ['most_events']],
    ['merge_control', ['facts', 'claims', 'wanted_at', 'wanted_since']],
    ['pending_merge', ['staging']],
  ])('is upgraded if %s has no %s', async (table, columns) => {
    const dropped = columns.map((column) => `DROP COLUMN ${column} CASCADE`).join(', ');
    const before = await signatures();
    await owner.unsafe(`ALTER TABLE cdc_management.${table} ${dropped}`);
    await apply(NOW);
    await target.apply(ORDER_LINJER);
    expect(await signatures()).toEqual(before);
    const merged = await readNumber(
      owner,
      `SELECT count(*) AS n FROM "${TENANT}"."${ORDER_LINJER.name}"`,
    );
    expect(await merge(100 + merged)).toBe(merged + 1);
  });

  it('loses routines and columns whose names have changed', async () => {
    const before = await signatures();
    await owner.unsafe(`
      CREATE FUNCTION cdc_management.bury_event(cdc_management.merge_control, tid, tid, text)
        RETURNS SETOF cdc_management.stream_tally LANGUAGE sql AS 'SELECT NULL::cdc_management.stream_tally';
      CREATE PROCEDURE cdc_management.bury_unconvertible(cdc_management.merge_control, text, text, text) LANGUAGE sql AS '';
      CREATE FUNCTION cdc_management.forget_old(p_limit integer DEFAULT 10000) RETURNS boolean LANGUAGE sql RETURN true;
      CREATE PROCEDURE cdc_management.forget_table(text, text) LANGUAGE sql AS '';
      CREATE PROCEDURE cdc_management.forget_schema(text) LANGUAGE sql AS '';
      CREATE PROCEDURE cdc_management.forget_history(text, text) LANGUAGE sql AS '';
      CREATE PROCEDURE cdc_management.forget_sources(text, text[]) LANGUAGE sql AS '';
      CREATE FUNCTION cdc_management.heirs_of(regclass) RETURNS text LANGUAGE sql RETURN '';
      ALTER VIEW cdc_management.merge_problems RENAME COLUMN solution TO way_out`);
    await apply(NOW);
    expect(await signatures()).toEqual(before);
    expect(await owner`SELECT solution FROM cdc_management.merge_problems`).toEqual([]);
  });

  it('gets the new descriptions of settings and keeps their values', async () => {
    const settings = () =>
      owner`SELECT name, value, description FROM cdc_management.setting ORDER BY name`;
    await owner`UPDATE cdc_management.setting SET value = '17' WHERE name = 'batch_events'`;
    const before = await settings();
    await owner`UPDATE cdc_management.setting SET description = 'of an earlier version'`;
    await apply(NOW);
    expect(await settings()).toEqual(before);
    await owner`ALTER TABLE cdc_management.setting DROP CONSTRAINT setting_value_check`;
    await owner`UPDATE cdc_management.setting SET value = 'invalid', description = 'of an earlier version'`;
    const invalid = await settings();
    await apply(NOW);
    expect(await settings()).toEqual(invalid);
    await owner`TRUNCATE cdc_management.setting`;
    await apply(NOW);
  });

  it('is upgraded if merge_control has its own identity and staging_loss has no cause', async () => {
    await owner.unsafe(`ALTER TABLE cdc_management.merge_control
        ALTER COLUMN table_id ADD GENERATED ALWAYS AS IDENTITY (START WITH 1000);
      ALTER TABLE cdc_management.staging_loss DROP COLUMN cause CASCADE;
      DROP TABLE cdc_management.merged_table CASCADE`);
    const before = await owner`SELECT table_id FROM cdc_management.merge_control`;
    await apply(NOW);
    await target.apply(ORDER_LINJER);
    expect(await owner`SELECT table_id FROM cdc_management.merge_control`).toEqual(before);
    expect(await owner`SELECT * FROM cdc_management.possible_loss`).toEqual([]);
  });
});
