import { quoteQualified } from '@cdc-migrations/sql-text';
import type { Sql } from 'postgres';
import {
  type MergeTarget,
  readNumber,
  renderOrders,
  startMergeTarget,
  TENANT,
} from './merge-target.fixture.ts';
import { ORDER_LINJER } from './order-linjer.fixture.ts';

const STAGING = quoteQualified(TENANT, ORDER_LINJER.names.staging);
const TRIGGER = `"${ORDER_LINJER.names.trigger}"`;

describe('an event staged with session_replication_role = replica', () => {
  let target: MergeTarget;
  let replica: Sql;
  beforeAll(async () => {
    target = await startMergeTarget();
    await target.apply(ORDER_LINJER);
    replica = target.server.connect({ database: target.database, max: 1, fetch_types: false });
    await replica`SET session_replication_role = replica`;
  });
  beforeEach(async () => {
    await target.owner.unsafe(
      `TRUNCATE ${STAGING}, cdc_management.pending_merge, cdc_management.staged_floor, cdc_management.staged_stream`,
    );
  });
  afterAll(() => target.stop());

  const readNoted = async () => [
    await readNumber(target.owner, 'SELECT count(*) AS n FROM cdc_management.pending_merge'),
    await readNumber(target.owner, 'SELECT count(*) AS n FROM cdc_management.replay_positions'),
  ];

  it('is recorded like an event of any other session', async () => {
    await replica.unsafe(renderOrders(1, 3));
    expect(await readNoted()).toEqual([1, 3]);
  });

  it.each([
    ['was disabled', `ALTER TABLE ${STAGING} DISABLE TRIGGER ${TRIGGER}`],
    ['was from an earlier version', `ALTER TABLE ${STAGING} ENABLE TRIGGER ${TRIGGER}`],
    ['fired only in replica mode', `ALTER TABLE ${STAGING} ENABLE REPLICA TRIGGER ${TRIGGER}`],
    ['was dropped', `DROP TRIGGER ${TRIGGER} ON ${STAGING}`],
    [
      'was of another table',
      `CREATE OR REPLACE TRIGGER ${TRIGGER} AFTER INSERT ON ${STAGING} REFERENCING NEW TABLE AS staged
       FOR EACH STATEMENT EXECUTE FUNCTION cdc_management.note_staged('Other')`,
    ],
  ])('is recorded after the file is applied again, if the trigger %s', async (_, change) => {
    await target.owner.unsafe(change);
    await target.apply(ORDER_LINJER);
    await replica.unsafe(renderOrders(1, 3));
    expect(await readNoted()).toEqual([1, 3]);
    await target.owner.unsafe(
      `TRUNCATE cdc_management.pending_merge, cdc_management.staged_floor, cdc_management.staged_stream`,
    );
    await target.sink.unsafe(renderOrders(4, 6));
    expect(await readNoted()).toEqual([1, 3]);
  });
});
