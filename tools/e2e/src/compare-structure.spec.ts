import { type PostgresServer, startPostgres } from '@cdc-migrations/postgres-fixture';
import { compareStructure } from './compare-structure.ts';
import { ORDER_LINJER } from './order-linjer.fixture.ts';
import { readStructure } from './read-structure.ts';

const COLUMNS = ORDER_LINJER.columns.map(
  (column) =>
    `"${column.name}" ${column.type} ${column.nullable ? '' : 'NOT NULL'} ` +
    (column.default ? `DEFAULT ${column.default}` : ''),
);
const TABLE = `CREATE SCHEMA t; CREATE TABLE t."Order-Linjer" (${COLUMNS.join(',')},
  CONSTRAINT "pk_Order-Linjer" PRIMARY KEY ("OrderID", "LinjeNr"));
  CREATE INDEX "idx_Order-Linjer_sync_timestamp" ON t."Order-Linjer" ("__sync_timestamp");`;

describe.each([15, 18] as const)('compareStructure on PostgreSQL %i', (major) => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres({ major });
  });
  afterAll(() => server.stop());

  it.each([
    ['', []],
    ['ALTER COLUMN "Beløp" TYPE numeric(6,2)', ['Beløp type: "numeric(6,2)"']],
    ['ALTER COLUMN "Tekst" TYPE varchar', ['Tekst type: "character varying"']],
    ['ALTER COLUMN "Status" DROP NOT NULL', ['Status nullable: true']],
    ['ALTER COLUMN "Antall" SET DEFAULT 0', ['Antall default: "0"']],
    ['ALTER COLUMN __sync_timestamp DROP DEFAULT', ['__sync_timestamp default: null']],
    ['DROP COLUMN "Data"', ['columns: ']],
    ['ADD COLUMN more int', ['columns: ']],
    ['ADD UNIQUE ("Notat")', ['indexes: ']],
    ['DROP CONSTRAINT "pk_Order-Linjer"', ['primary key: null']],
    ['SET UNLOGGED', ['persistence: "unlogged"']],
  ])('reports the differences after "%s"', async (change, expected) => {
    const sql = server.connect({ database: await server.createDatabase(), max: 1 });
    await sql.unsafe(TABLE).simple();
    if (change) await sql.unsafe(`ALTER TABLE t."Order-Linjer" ${change}`);
    const [table] = await readStructure(sql, ['t']);
    const differences = compareStructure(ORDER_LINJER, table!);
    expect(differences).toEqual(
      expected.map((text) => expect.stringContaining(`t.Order-Linjer ${text}`)),
    );
    await sql.end();
  });
});
