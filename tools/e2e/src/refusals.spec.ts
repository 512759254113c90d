import { quoteQualified } from '@cdc-migrations/sql-text';
import type { Sql } from 'postgres';
import { type MergeTarget, OWNER, startMergeTarget, TENANT } from './merge-target.fixture.ts';
import { ORDER_LINJER, orderTable } from './order-linjer.fixture.ts';

const TABLE = ORDER_LINJER.name;
const FINAL = quoteQualified(TENANT, TABLE);
const LITERALS = `'${TENANT}', '${TABLE}'`;
const RENAMED = `{"staging": "stg_New"}`;

describe('an impossible call is refused with the reason', () => {
  let target: MergeTarget;
  let owner: Sql;
  beforeAll(async () => {
    target = await startMergeTarget();
    ({ owner } = target);
    await target.apply(ORDER_LINJER);
    await owner.unsafe(`CREATE SCHEMA other; CREATE TABLE "${TENANT}"."Other" ()`);
  });
  afterAll(() => target.stop());

  it.each([
    [
      `SELECT cdc_management.cut_seconds('20240101', 3)`,
      'expected an ISO 8601 time (YYYY-MM-DDThh:mm:ss.fffffff), found "20240101"',
    ],
    [`SELECT cdc_management.bits_of('/w==', 4)`, 'expected 4 bits, found 8'],
    [`SELECT cdc_management.open_reload(7)`, 'reload 7 is not open: unknown'],
    [
      `CALL cdc_management.rename_schema('${TENANT}', 'other')`,
      `schema "${TENANT}" cannot be renamed: schema other already exists`,
    ],
    [
      `CALL cdc_management.rename_schema('ghost', 'nothing')`,
      'expected schema ghost or nothing, found neither',
    ],
    [
      `CALL cdc_management.rename_table(${LITERALS}, 'Other', '${RENAMED}')`,
      `table ${FINAL} cannot be renamed: table "Other" already exists`,
    ],
    [
      `CALL cdc_management.rename_table('${TENANT}', 'ghost', 'nothing', '${RENAMED}')`,
      `expected table "${TENANT}".ghost or nothing, found neither`,
    ],
    [
      `BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT cdc_management.wait_for_merges(${LITERALS})`,
      'expected isolation level read committed, found repeatable read',
    ],
    [
      `BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT pg_current_xact_id(); SELECT cdc_management.merge_step(${LITERALS}, '{}')`,
      'expected a transaction without earlier writes, found one with writes',
    ],
  ])('%s', async (statement, message) => {
    await expect(owner.unsafe(statement).simple()).rejects.toMatchObject({ message });
    await owner`ROLLBACK`;
  });

  it('if a view has the name of a final table', async () => {
    const seen = orderTable('Seen');
    await owner.unsafe(`CREATE VIEW ${quoteQualified(TENANT, 'Seen')} AS SELECT 1 AS n`);
    await expect(target.apply(seen)).rejects.toThrow(
      `"${TENANT}"."Seen" is view "${TENANT}"."Seen", expected a table`,
    );
  });

  it('if a table gets more lanes while a reload waits for its merges', async () => {
    const changing = target.server.connect({ database: target.database, user: OWNER, max: 1 });
    await changing`BEGIN`;
    await changing`UPDATE cdc_management.merge_control SET lane_count = lane_count + 1`;
    const waiting = owner.unsafe(`SELECT cdc_management.wait_for_merges(${LITERALS})`);
    const refused = expect(waiting).rejects.toMatchObject({
      message: `the number of merge lanes of ${FINAL} has changed`,
    });
    let isWaiting = false;
    while (!isWaiting) {
      const [row] = await changing<{ n: number }[]>`
        SELECT count(*)::integer AS n FROM pg_locks WHERE NOT granted`;
      isWaiting = row!.n > 0;
    }
    await changing`COMMIT`;
    await refused;
    await changing.end();
  });
});
