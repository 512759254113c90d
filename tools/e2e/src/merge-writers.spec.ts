import { setTimeout as sleep } from 'node:timers/promises';
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
import { logLockWaits, readLockWaits } from './read-lock-waits.ts';

const FINAL = quoteQualified(TENANT, ORDER_LINJER.name);
const STAGING = quoteQualified(TENANT, ORDER_LINJER.names.staging);
const WRITERS = 16;
const STAGED = 100_000;
const LOAD_MS = 5000;
/** Pause between two inserts of a writer under steady load. */
const PAUSE_MS = 20;
const MIB = 1024 * 1024;

describe(`${WRITERS} writers of single rows`, () => {
  let target: MergeTarget;
  let owner: Sql;
  let writers: readonly Sql[];
  let pids: ReadonlySet<number>;
  let next = 1_000_000;
  beforeAll(async () => {
    target = await startMergeTarget();
    owner = target.owner;
    await target.apply(ORDER_LINJER);
    await logLockWaits(target.server, target.database);
    writers = Array.from({ length: WRITERS }, () => target.connectSink());
    const backends = writers.map((writer) => writer`SELECT pg_backend_pid() AS pid`);
    pids = new Set((await Promise.all(backends)).map(([row]) => row!['pid'] as number));
  });
  afterAll(() => target.stop());

  /** Inserts rows one after the other while a condition holds. Returns their number. */
  async function writeWhile(isOn: () => boolean, pauseMs = 0): Promise<number> {
    let sent = 0;
    const write = async (writer: Sql) => {
      while (isOn()) {
        const order = next++;
        await writer.unsafe(renderOrders(order, order));
        sent++;
        if (pauseMs > 0) await sleep(pauseMs);
      }
    };
    await Promise.all(writers.map(write));
    return sent;
  }

  const run = (session: Sql) => session`CALL cdc_management.run_pending_merges()`.simple();
  const countFinal = () => readNumber(owner, `SELECT count(*) AS n FROM ${FINAL}`);
  let logBefore = 0;
  beforeEach(() => (logBefore = target.server.log().length));
  const waits = () =>
    readLockWaits(target.server.log().slice(logBefore)).filter(({ pid }) => pids.has(pid));

  it('are in the server log if they wait for a lock', async () => {
    const holder = target.server.connect({ database: target.database, max: 1 });
    await holder`BEGIN`;
    await holder.unsafe(`LOCK TABLE ${STAGING} IN ACCESS EXCLUSIVE MODE`);
    const writing = writers[0]!.unsafe(renderOrders(0, 0)).then(() => {});
    await sleep(200);
    await holder.end();
    await writing;
    expect(waits()).toEqual([
      {
        pid: expect.any(Number),
        lock: expect.stringMatching(/RowExclusive/),
        ms: expect.any(Number),
      },
    ]);
    await run(target.sink);
  });

  it('do not wait for locks of each other or of a merge', async () => {
    await target.sink.unsafe(renderOrders(1, STAGED));
    let isOn = true;
    const merging = run(target.sink).finally(() => (isOn = false));
    const sent = await writeWhile(() => isOn);
    await merging;
    expect(sent).toBeGreaterThan(WRITERS * 10);
    expect(waits()).toEqual([]);
    await run(target.sink);
    expect(await countFinal()).toBe(1 + STAGED + sent);
  });

  it('do not outpace a runner that merges every second, and staging stays small', async () => {
    const before = await countFinal();
    const end = Date.now() + LOAD_MS;
    let largest = 0;
    const looking = async () => {
      while (Date.now() < end) {
        await run(target.sink);
        largest = Math.max(
          largest,
          await readNumber(owner, `SELECT pg_relation_size('${STAGING}') AS n`),
        );
        await sleep(1000);
      }
    };
    const [sent] = await Promise.all([writeWhile(() => Date.now() < end, PAUSE_MS), looking()]);
    expect((await countFinal()) - before).toBeGreaterThan(sent / 3);
    expect(largest).toBeLessThan(16 * MIB);
    expect(waits()).toEqual([]);
    await run(target.sink);
    expect((await countFinal()) - before).toBe(sent);
  });
});
