import { setTimeout as sleep } from 'node:timers/promises';
import { quoteQualified } from '@cdc-migrations/sql-text';
import type { Sql } from 'postgres';
import { mergeTable } from './merge-table.ts';
import {
  type MergeTarget,
  readNumber,
  renderOrders,
  startMergeTarget,
  TENANT,
} from './merge-target.fixture.ts';
import { ORDER_LINJER, orderTable } from './order-linjer.fixture.ts';
import { readProcessingLog } from './read-processing-log.ts';

const FINAL = quoteQualified(TENANT, ORDER_LINJER.name);
const LOAD_MS = 3000;
/**
 * Pause between two inserts of a writer. It limits the load, so that the test depends on the merge and not on the
 * machine.
 */
const PAUSE_MS = 10;
const ORDERS_PER_INSERT = 50;
/** Minimum number of inserts per writer on a busy machine. */
const FEWEST_INSERTS = 10;
const WRITERS = 3;
const MERGERS = 2;

const OTHER = orderTable('Other');

describe('a merge in parallel with writers', () => {
  let target: MergeTarget;
  let owner: Sql;
  let sessions: readonly Sql[];
  beforeAll(async () => {
    target = await startMergeTarget();
    owner = target.owner;
    await target.apply(ORDER_LINJER, OTHER);
    sessions = Array.from({ length: WRITERS + MERGERS }, () => target.connectSink());
  });
  beforeEach(() => target.reset(ORDER_LINJER));
  afterAll(() => target.stop());

  /**
   * Runs writers for some seconds, each with its own orders. Returns the number of orders, and how many were merged by
   * then.
   */
  async function runLoad(merge: (session: Sql) => Promise<unknown>) {
    const deadline = Date.now() + LOAD_MS;
    let sent = 0;
    let writing = true;
    const write = async (session: Sql, writer: number) => {
      const first = writer * 1_000_000;
      const few = first + FEWEST_INSERTS * ORDERS_PER_INSERT;
      for (let n = first; n < few || Date.now() < deadline; n += ORDERS_PER_INSERT) {
        await session.unsafe(renderOrders(n, n + ORDERS_PER_INSERT - 1));
        sent += ORDERS_PER_INSERT;
        await sleep(PAUSE_MS);
      }
    };
    const keepMerging = async (session: Sql) => {
      while (writing) await merge(session);
    };
    const merging = sessions.slice(WRITERS).map(keepMerging);
    await Promise.all(sessions.slice(0, WRITERS).map(write)).finally(() => (writing = false));
    const meanwhile = await countFinal();
    await Promise.all(merging);
    return { sent, meanwhile };
  }

  const countFinal = () => readNumber(owner, `SELECT count(*) AS n FROM ${FINAL}`);

  it.each([
    ['the procedure', (session: Sql) => mergeTable(session, TENANT, ORDER_LINJER)],
    [
      'run_pending_merges',
      (session: Sql) => session`CALL cdc_management.run_pending_merges()`.simple(),
    ],
  ])(
    'by %s loses no events, and merges most of them while the writers run',
    async (_how, merge) => {
      const { sent, meanwhile } = await runLoad(merge);
      expect(sent).toBeGreaterThan(1000);
      expect(meanwhile).toBeGreaterThan(sent / 2);
      await mergeTable(target.sink, TENANT, ORDER_LINJER);
      expect(await countFinal()).toBe(sent);
      const totals = await readProcessingLog(owner, TENANT, ORDER_LINJER.name);
      expect(totals).toEqual({
        ...{ events: sent, merged: sent, deleted: 0, stale: 0, dead: 0, wrongRows: 0 },
      });
      expect(await owner`SELECT * FROM cdc_management.merge_error`).toEqual([]);
    },
  );

  it('does not block inserts into another table', async () => {
    const [writer, merger] = sessions as [Sql, Sql];
    await writer.unsafe(renderOrders(1, 60_000));
    const started = Date.now();
    let longestMs = 0;
    let running = true;
    const merging = merger`CALL cdc_management.run_pending_merges()`
      .simple()
      .then(() => (running = false));
    let inserted = 0;
    while (running) {
      const before = Date.now();
      await writer.unsafe(renderOrders(++inserted, inserted, { staging: OTHER.names.staging }));
      longestMs = Math.max(longestMs, Date.now() - before);
    }
    await merging;
    expect(Date.now() - started).toBeGreaterThan(200);
    expect(inserted).toBeGreaterThan(20);
    expect(longestMs).toBeLessThan(Math.max(200, (Date.now() - started) / 2));
  });
});
