import { quoteQualified } from '@cdc-migrations/sql-text';
import type { Sql } from 'postgres';
import { mergeTable, replayDeadLetters } from './merge-table.ts';
import { type MergeTarget, orderEvent, startMergeTarget, TENANT } from './merge-target.fixture.ts';
import { ORDER_LINJER } from './order-linjer.fixture.ts';
import { readProcessingLog } from './read-processing-log.ts';
import { stageEvents } from './stage-events.ts';

const FINAL = quoteQualified(TENANT, ORDER_LINJER.name);
const STAGING = quoteQualified(TENANT, ORDER_LINJER.names.staging);

describe('replayed dead letters', () => {
  let target: MergeTarget;
  let sink: Sql;
  let owner: Sql;
  beforeAll(async () => {
    target = await startMergeTarget();
    ({ sink, owner } = target);
    await target.apply(ORDER_LINJER);
  });
  beforeEach(() => target.reset(ORDER_LINJER));
  afterAll(() => target.stop());

  /** Builds events with a text that is too long for the final table, one per offset from `first` on. */
  const tooLong = (first: number, count: number, values: Record<string, string | null> = {}) =>
    Array.from({ length: count }, (_, n) =>
      orderEvent({
        OrderID: String(first + n),
        Tekst: 'eleven long',
        __kafka_offset: String(first + n),
        ...values,
      }),
    );
  const reject = async (events: readonly ReturnType<typeof orderEvent>[]) => {
    await stageEvents(sink, TENANT, ORDER_LINJER, events);
    await mergeTable(sink, TENANT, ORDER_LINJER);
  };
  const replay = (session: Sql = owner) => replayDeadLetters(session, TENANT, ORDER_LINJER);
  const fix = () => owner`UPDATE cdc_management.dead_letter
    SET payload = jsonb_set(payload, '{Tekst}', '"mended"') WHERE (payload ->> 'OrderID')::integer % 2 = 0`;
  const deadLetters = () => owner<{ order: number; reason: string }[]>`
    SELECT (payload ->> 'OrderID')::integer AS order, reason FROM cdc_management.dead_letter ORDER BY 1`;
  const orders = async () =>
    (await owner.unsafe(`SELECT "OrderID" AS n FROM ${FINAL} ORDER BY 1`)).map((row) => row['n']);

  it('are merged if they are fixed, and are otherwise dead letters again, with the reason', async () => {
    await reject(tooLong(1, 10));
    await fix();
    expect(await replay()).toEqual({ replayed: 10, merged: 5, deleted: 0, stale: 0, dead: 5 });
    expect(await orders()).toEqual([2, 4, 6, 8, 10]);
    expect(await deadLetters()).toEqual(
      [1, 3, 5, 7, 9].map((order) => ({ order, reason: expect.stringMatching(/too long.*22001/) })),
    );
    expect(await readProcessingLog(owner, TENANT, ORDER_LINJER.name)).toEqual({
      ...{ events: 20, merged: 5, deleted: 0, stale: 0, dead: 15, wrongRows: 0 },
    });
  });

  it('are stale if a newer event of their key has been merged', async () => {
    await reject([
      ...tooLong(1, 1),
      orderEvent({ OrderID: '1', Status: 'newer', __kafka_offset: '5' }),
      ...tooLong(2, 1),
    ]);
    await reject([orderEvent({ OrderID: '2', __cdc_operation: 'd', __kafka_offset: '6' })]);
    await owner`UPDATE cdc_management.dead_letter SET payload = jsonb_set(payload, '{Tekst}', '"mended"')`;
    expect(await replay()).toEqual({ replayed: 2, merged: 0, deleted: 0, stale: 2, dead: 0 });
    expect(await owner.unsafe(`SELECT "Status" FROM ${FINAL}`)).toEqual([{ Status: 'newer' }]);
    expect(await deadLetters()).toEqual([]);
  });

  it('are replayed once each, and without other staged events', async () => {
    await reject(tooLong(1, 30));
    await stageEvents(sink, TENANT, ORDER_LINJER, tooLong(100, 1, { Tekst: 'good' }));
    const [{ last } = { last: 0 }] = await owner<{ last: number }[]>`
      SELECT max(dead_letter_id)::integer AS last FROM cdc_management.dead_letter`;
    const counts = [];
    for (let more = true; more;) {
      const { replayed } = await replayDeadLetters(owner, TENANT, ORDER_LINJER, { last, limit: 7 });
      counts.push(replayed);
      more = replayed !== 0;
    }
    expect(counts).toEqual([7, 7, 7, 7, 2, 0]);
    expect(await deadLetters()).toHaveLength(30);
    expect(await orders()).toEqual([]);
    await mergeTable(sink, TENANT, ORDER_LINJER);
    expect(await orders()).toEqual([100]);
  });

  it('are dead letters again, each with its reason, if they cannot be staged', async () => {
    await reject(tooLong(1, 5));
    await fix();
    await owner`UPDATE cdc_management.dead_letter SET payload = jsonb_set(payload, '{OrderID}', '"none"')
      WHERE payload ->> 'OrderID' = '3'`;
    expect(await replay()).toEqual({ replayed: 5, merged: 2, deleted: 0, stale: 0, dead: 3 });
    const reasons =
      await owner`SELECT payload ->> 'OrderID' AS order FROM cdc_management.dead_letter
      WHERE reason LIKE 'cannot be staged: invalid input syntax%22P02%'`;
    expect(reasons).toEqual([{ order: 'none' }]);
    expect(await orders()).toEqual([2, 4]);
  });

  it('keep the values of columns that have been renamed since', async () => {
    await reject(tooLong(1, 1, { Status: 'old name', Antall: null }));
    const columns = ORDER_LINJER.columns.map((column) =>
      column.name === 'Status'
        ? { ...column, name: 'Tilstand', formerly: ['Status'] }
        : column.name === 'Antall'
          ? { ...column, name: 'Mengde', formerly: ['Antall'] }
          : column,
    );
    await target.apply({ ...ORDER_LINJER, columns });
    try {
      await owner`UPDATE cdc_management.dead_letter SET payload = jsonb_set(payload, '{Tekst}', '"mended"')`;
      expect(await replay()).toMatchObject({ replayed: 1, merged: 1, dead: 0 });
      expect(await owner.unsafe(`SELECT "Tilstand", "Mengde", "Tekst" FROM ${FINAL}`)).toEqual([
        { Tilstand: 'old name', Mengde: null, Tekst: 'mended' },
      ]);
    } finally {
      await target.drop(ORDER_LINJER);
      await target.apply(ORDER_LINJER);
    }
  });

  it('are kept if the session ends before its commit, and are then replayed once', async () => {
    await reject(tooLong(1, 10));
    await fix();
    const victim = target.server.connect({ database: target.database, user: 'migrator', max: 1 });
    const [{ pid } = { pid: 0 }] = await victim<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`;
    await victim`BEGIN ISOLATION LEVEL REPEATABLE READ`.simple();
    const [{ replayed } = { replayed: 0 }] = await victim<
      { replayed: number }[]
    >`SELECT replayed::integer
      FROM cdc_management.replay_dead_letters(${TENANT}, ${ORDER_LINJER.name}, 1000000)`;
    expect(replayed).toBe(10);
    await expect(replay()).rejects.toMatchObject({
      code: '55P03',
      message: expect.stringContaining('another session is merging'),
    });
    const admin = target.server.connect({ database: target.database, max: 1 });
    await admin`SELECT pg_terminate_backend(${pid})`;
    expect(await deadLetters()).toHaveLength(10);
    await Promise.allSettled([replay(), replay(admin)]);
    await replay();
    expect(await orders()).toEqual([2, 4, 6, 8, 10]);
    expect(await deadLetters()).toHaveLength(5);
    expect(await owner.unsafe(`SELECT count(*)::integer AS n FROM ${STAGING}`)).toEqual([{ n: 0 }]);
  });

  it('cannot be replayed by the role of the sink', async () => {
    await expect(
      sink`SELECT * FROM cdc_management.replay_dead_letters(${TENANT}, ${ORDER_LINJER.name}, 1)`,
    ).rejects.toMatchObject({ code: '42501' });
  });
});
