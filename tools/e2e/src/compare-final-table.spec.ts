import { buildEventLog, buildFinalRows } from '@cdc-migrations/event-model';
import { type PostgresServer, startPostgres } from '@cdc-migrations/postgres-fixture';
import { compareFinalTable } from './compare-final-table.ts';
import { ORDER_LINJER } from './order-linjer.fixture.ts';
import { renderInsert } from './stage-events.ts';

const COLUMNS = ORDER_LINJER.columns.map(({ name, type }) => `"${name}" ${type}`);
const { rows } = buildFinalRows(
  ORDER_LINJER,
  buildEventLog(ORDER_LINJER, {
    seed: 3,
    events: 300,
    constants: { _customer_id: '0a827150-1332-5167-993b-68db156438cb' },
  }),
);

const FIRST_ROW = 'WHERE ctid = (SELECT min(ctid) FROM t."Order-Linjer")';

describe('compareFinalTable', () => {
  let server: PostgresServer;
  let template: string;
  beforeAll(async () => {
    server = await startPostgres({ major: 15 });
    template = await server.createDatabase();
    const sql = server.connect({ database: template, max: 1 });
    await sql
      .unsafe(`CREATE SCHEMA t; CREATE TABLE t."Order-Linjer" (${COLUMNS.join(',')})`)
      .simple();
    const values = rows.map(({ upsert }) => {
      const rest = Object.fromEntries(
        Object.entries(upsert.values).filter(([name]) => name !== '__kafka_timestamp'),
      );
      return { ...rest, __stream_generation: '0' };
    });
    await sql.unsafe(renderInsert('t."Order-Linjer"', values)).simple();
    await sql.end();
  });
  afterAll(() => server.stop());

  it('finds no difference in an equal table', async () => {
    expect(rows.length).toBeGreaterThan(20);
    const sql = server.connect({ database: await server.createDatabase({ template }), max: 1 });
    expect(await compareFinalTable(sql, 't', ORDER_LINJER, rows)).toEqual([]);
    await sql.end();
  });

  it.each([
    `UPDATE t."Order-Linjer" SET "Status" = "Status" || ' ' ${FIRST_ROW}`,
    `UPDATE t."Order-Linjer" SET "Beløp" = coalesce("Beløp", 0) - 0.01 ${FIRST_ROW}`,
    `UPDATE t."Order-Linjer" SET "Dokument" = '<b/>' ${FIRST_ROW}`,
    `UPDATE t."Order-Linjer" SET "__kafka_offset" = 0 ${FIRST_ROW}`,
    `DELETE FROM t."Order-Linjer" ${FIRST_ROW}`,
    `INSERT INTO t."Order-Linjer" SELECT * FROM t."Order-Linjer" LIMIT 1`,
  ])('finds the difference after %s', async (change) => {
    const database = await server.createDatabase({ template });
    const sql = server.connect({ database, max: 1 });
    await sql.unsafe(change);
    expect(await compareFinalTable(sql, 't', ORDER_LINJER, rows)).not.toEqual([]);
    await sql.end();
  });
});
