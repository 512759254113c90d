import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type PostgresServer, startPostgres } from '@cdc-migrations/postgres-fixture';
import type { Sql } from 'postgres';

const ROOT = join(__dirname, '../../..');
const BEFORE = join(__dirname, '../data/before-small-statements');
const NOW = join(ROOT, 'fixtures/adopus/migrations');
const CUSTOMER = '0a827150-1332-5167-993b-68db156438cb';

describe.each([15, 18] as const)('a tenant with older files, on PostgreSQL %s', (major) => {
  let server: PostgresServer;
  let sql: Sql;
  beforeAll(async () => {
    server = await startPostgres({ major });
    sql = server.connect({ max: 1, onnotice: () => {}, fetch_types: false });
    await sql`CREATE SCHEMA cdc_management`;
    await sql`CREATE SCHEMA avansas`;
    for (const file of ['cdc-management', 'Actor', 'Actor-staging']) await apply(BEFORE, file);
  });
  afterAll(() => server.stop());

  async function apply(folder: string, file: string): Promise<void> {
    const text = readFileSync(join(folder, `${file}.sql`), 'utf8');
    const body = text.replaceAll('{{SCHEMA}}', 'avansas');
    await sql.begin((transaction) => transaction.unsafe(body).simple());
  }

  let offset = 0;
  async function stage(
    operation: string,
    actno: number,
    note: string | null,
    at = offset++,
  ): Promise<void> {
    await sql`INSERT INTO avansas."stg_Actor" ("__kafka_partition", "__kafka_offset", "__cdc_operation", actno,
      "Notat", "Ansatt", "RowGuid", "Ts", "_customer_id")
      VALUES (0, ${at}, ${operation}, ${actno}, ${note}, true, ${CUSTOMER}, '', ${CUSTOMER})`;
  }
  const merge = () => sql`CALL avansas.sp_merge_actor()`.simple();
  const rows = () =>
    sql`SELECT actno, "Notat" AS note, "__kafka_offset"::int AS at FROM avansas."Actor" ORDER BY actno`;

  it('continues to merge after newer infrastructure is applied, and after newer files follow', async () => {
    await stage('c', 1, 'one');
    await stage('c', 2, 'two');
    await stage('d', 2, null);
    await merge();
    await stage('u', 1, '__debezium_unavailable_value');

    await apply(join(NOW, 'infrastructure'), 'cdc-management');
    await merge();
    expect(await rows()).toEqual([{ actno: 1, note: 'one', at: 3 }]);
    await stage('c', 3, 'three');
    await stage('d', 1, null);
    await sql`CALL cdc_management.run_pending_merges()`.simple();
    expect(await rows()).toEqual([{ actno: 3, note: 'three', at: 4 }]);

    await stage('u', 3, '__debezium_unavailable_value');
    await apply(join(NOW, 'tables'), 'Actor');
    await apply(join(NOW, 'staging'), 'Actor-staging');
    await merge();
    await stage('c', 1, 'deleted long ago', 1);
    await merge();
    expect(await rows()).toEqual([{ actno: 3, note: 'three', at: 6 }]);
    expect(await sql`SELECT * FROM cdc_management.merge_error`).toEqual([]);
    expect(
      await sql`SELECT pg_get_function_identity_arguments(oid) AS arguments FROM pg_proc
        WHERE proname = 'fn_merge_window_actor'`,
    ).toEqual([
      {
        arguments: 'p_from tid, p_to tid, p_generation integer, p_lanes integer, p_lane integer',
      },
    ]);
  });
});
