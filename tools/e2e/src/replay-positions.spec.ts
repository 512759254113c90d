import { createRandom, type Random, chooseSeed } from '@cdc-migrations/event-model';
import { quoteQualified } from '@cdc-migrations/sql-text';
import type { Sql } from 'postgres';
import { mergeTable } from './merge-table.ts';
import { type MergeTarget, readNumber, startMergeTarget, TENANT } from './merge-target.fixture.ts';
import { ORDER_LINJER } from './order-linjer.fixture.ts';

const STAGING = quoteQualified(TENANT, ORDER_LINJER.names.staging);
const FINAL = quoteQualified(TENANT, ORDER_LINJER.name);
const WRITERS = 3;
const STEPS = 400;
const SEEDS = 6;
/** Number of ranges in a coverage with 1,000 gaps. */
const MOST_RANGES = 1001;

/** Offsets of events that one transaction stages. */
type Delivery = readonly number[];

interface Writer {
  readonly sql: Sql;
  /** Delivery of the open transaction. */
  delivery: Delivery | null;
  isStaged: boolean;
}

/** A stream, its sink with several writers, and their state. */
interface Round {
  readonly random: Random;
  readonly writers: readonly Writer[];
  /** Offsets of events that the sink knows as staged. */
  readonly committed: Set<number>;
  /** Deliveries that are not staged yet, or rolled back. */
  readonly waiting: Delivery[];
  /** Deliveries to stage again after a loss, in order, one after the other. */
  replay: Delivery[];
  nextOffset: number;
  /** Position of a pass that merges a batch from time to time. */
  pass: string | null;
}

describe('replay positions of a stream with gaps', () => {
  let target: MergeTarget;
  beforeAll(async () => {
    target = await startMergeTarget();
    await target.apply(ORDER_LINJER);
  });
  afterEach(() => Promise.all(sessions.splice(0).map((sql) => sql.end({ timeout: 0 }))));
  afterAll(() => target.stop());

  const sessions: Sql[] = [];
  const connect = () => {
    const sql = target.connectSink();
    sessions.push(sql);
    return sql;
  };

  const merge = async () => {
    await mergeTable(target.sink, TENANT, ORDER_LINJER);
    const ranges = `SELECT coalesce(max((SELECT count(*) FROM unnest(offsets))), 0) AS n FROM cdc_management.stream_coverage`;
    expect(await readNumber(target.owner, ranges)).toBeLessThanOrEqual(MOST_RANGES);
  };

  /** Runs a batch of a pass. Many events can be staged before its end. */
  const mergeBatch = async (round: Round) => {
    const [step] = await target.sink.begin(
      'isolation level repeatable read',
      (batch) => batch<{ pass: string; done: boolean; failure: string | null }[]>`
        SELECT p_pass::text AS pass, done, failure
        FROM cdc_management.merge_step(${TENANT}, ${ORDER_LINJER.name}, ${round.pass ?? '{}'}::text::jsonb)`,
    );
    expect(step!.failure).toBeNull();
    round.pass = step!.done ? null : step!.pass;
  };

  const readMerged = async () =>
    new Set((await target.owner.unsafe(`SELECT "OrderID" AS n FROM ${FINAL}`)).map(({ n }) => n));

  const readLoss = async () => {
    const rows = await target.sink`SELECT replay_from::integer FROM cdc_management.possible_loss`;
    return rows.length > 0 ? Math.min(...rows.map((row) => row['replay_from'] as number)) : null;
  };

  /** Simulates a crash: open transactions, unlogged data and the replaying process are gone. */
  const crash = async (round: Round) => {
    for (const writer of round.writers) if (writer.delivery) await end(round, writer, 'ROLLBACK');
    await target.owner.unsafe(`TRUNCATE ${STAGING}, cdc_management.crash_canary`);
    const merged = await readMerged();
    const lost = [...round.committed].filter((offset) => !merged.has(offset));
    const from = await readLoss();
    if (lost.length > 0) {
      expect(from).not.toBeNull();
      expect(from).toBeLessThanOrEqual(Math.min(...lost));
    }
    round.replay = from === null ? [] : cut([...round.committed], from);
  };

  /** Ends the replay after a day, or when an operator accepts it because its first offset belongs to no event. */
  const closeLoss = async (round: Round) => {
    const isAtWork = round.writers.some(({ delivery }) => delivery !== null);
    if (round.replay.length > 0 || isAtWork) return;
    await merge();
    if ((await readLoss()) !== null) await target.owner`DELETE FROM cdc_management.staging_loss`;
    await target.owner`UPDATE cdc_management.staging_loss SET begun_at = begun_at - interval '1 day'`;
    await target.sink`SELECT cdc_management.clean_up()`;
  };

  const step = async (round: Round) => {
    const { random } = round;
    const writer = random.pick(round.writers);
    if (random.chance(0.02)) return crash(round);
    if (random.chance(0.2)) return closeLoss(round);
    if (random.chance(0.1)) return merge();
    if (random.chance(0.4)) return mergeBatch(round);
    if (!writer.delivery) return begin(round, writer);
    if (!writer.isStaged) return insert(writer);
    return end(round, writer, random.chance(0.9) ? 'COMMIT' : 'ROLLBACK');
  };

  const first = chooseSeed();
  it.each(Array.from({ length: SEEDS }, (_, n) => first + n))(
    'never skip an event lost in a crash, and advance when no event is in progress, seed %i',
    async (seed) => {
      await target.reset(ORDER_LINJER);
      await target.owner`TRUNCATE cdc_management.staged_floor, cdc_management.staged_stream, cdc_management.staging_loss`;
      const writers = Array.from({ length: WRITERS }, connect);
      const round: Round = {
        random: createRandom(seed),
        writers: writers.map((sql) => ({ sql, delivery: null, isStaged: false })),
        ...{ committed: new Set(), waiting: [], replay: [], nextOffset: 0, pass: null },
      };
      for (let n = 0; n < STEPS; n++) await step(round);
      await crash(round);

      const [writer] = round.writers;
      const finish = async (delivery: Delivery) => {
        await begin(round, writer!, delivery);
        await insert(writer!);
        await end(round, writer!, 'COMMIT');
      };
      while (round.replay.length > 0) await finish(round.replay[0]!);
      for (const delivery of round.waiting.splice(0)) await finish(delivery);
      await closeLoss(round);
      const merged = await readMerged();
      expect([...round.committed].filter((offset) => !merged.has(offset))).toEqual([]);

      const top = round.nextOffset;
      for (let n = 0; n < 4; n++) {
        await finish(produce(round));
        await merge();
      }
      await target.owner`TRUNCATE cdc_management.crash_canary`;
      expect(await readLoss()).toBeGreaterThanOrEqual(top);
    },
    60_000,
  );
});

/** Produces the next events of the topic. Up to two of three offsets have no event. */
function produce(round: Round): Delivery {
  const step = round.random.integer(1, 3);
  const first = round.nextOffset + round.random.integer(0, 2);
  const events = round.random.integer(1, 300);
  round.nextOffset = first + events * step;
  return Array.from({ length: events }, (_, n) => first + n * step);
}

function cut(offsets: readonly number[], from: number): Delivery[] {
  const all = offsets.filter((offset) => offset >= from).sort((a, b) => a - b);
  return Array.from({ length: Math.ceil(all.length / 200) }, (_, n) =>
    all.slice(n * 200, (n + 1) * 200),
  );
}

/** Starts a writer with a delivery to replay, if no other writer does that, or with the next events of the topic. */
async function begin(round: Round, writer: Writer, given?: Delivery): Promise<void> {
  const { random, waiting, replay, writers } = round;
  const isReplaying = writers.some(({ delivery }) => delivery !== null && delivery === replay[0]);
  if (given) writer.delivery = given;
  else if (replay.length > 0 && !isReplaying && random.chance(0.7)) writer.delivery = replay[0]!;
  else {
    while (waiting.length < 4) waiting.push(produce(round));
    writer.delivery = waiting.splice(random.integer(0, 3), 1)[0]!;
  }
  writer.isStaged = false;
  const isolation = random.pick(['READ COMMITTED', 'READ COMMITTED', 'REPEATABLE READ']);
  await writer.sql.unsafe(`BEGIN ISOLATION LEVEL ${isolation}; SELECT 1`).simple();
}

async function insert(writer: Writer): Promise<void> {
  await writer.sql
    .unsafe(`INSERT INTO ${STAGING} ("OrderID", "LinjeNr", "Status", "_customer_id", "__cdc_operation",
      "__kafka_partition", "__kafka_offset")
    SELECT n, 1, 'ny', '0a827150-1332-5167-993b-68db156438cb', 'c', 0, n
    FROM unnest('{${writer.delivery!.join()}}'::integer[]) AS n`);
  writer.isStaged = true;
}

async function end(round: Round, writer: Writer, how: 'COMMIT' | 'ROLLBACK'): Promise<void> {
  const delivery = writer.delivery!;
  writer.delivery = null;
  await writer.sql.unsafe(how);
  const isReplay = delivery === round.replay[0];
  if (how === 'COMMIT') {
    for (const offset of delivery) round.committed.add(offset);
    if (isReplay) round.replay.shift();
  } else if (!isReplay) round.waiting.unshift(delivery);
}
