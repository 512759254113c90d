import { quoteQualified } from '@cdc-migrations/sql-text';
import type { Sql } from 'postgres';
import { mergeTable, replayDeadLetters } from './merge-table.ts';
import { type MergeTarget, orderEvent, startMergeTarget, TENANT } from './merge-target.fixture.ts';
import { ORDER_LINJER } from './order-linjer.fixture.ts';
import { readProcessingLog } from './read-processing-log.ts';
import { stageEvents } from './stage-events.ts';

const FINAL = quoteQualified(TENANT, ORDER_LINJER.name);
const STAGING = quoteQualified(TENANT, ORDER_LINJER.names.staging);
const GOOD = 200;

describe('a bad event', () => {
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

  const deadLetters = () =>
    owner<{ reason: string; payload: Record<string, unknown> }[]>`
      SELECT reason, payload FROM cdc_management.dead_letter
      WHERE schema_name = ${TENANT} AND table_name = ${ORDER_LINJER.name}`;

  it.each([
    ['a number too large', { Beløp: '12345.67' }, /numeric field overflow.*22003/],
    ['a number out of range', { Antall: '70000' }, /smallint out of range.*22003/],
    ['a text too long', { Tekst: 'eleven long' }, /too long for type.*22001/],
    ['an unknown operation', { __cdc_operation: 'x' }, /unknown operation 'x'/],
    ['no operation', { __cdc_operation: null }, /unknown operation NULL/],
    ['no key', { LinjeNr: null }, /missing key column "LinjeNr"/],
    ['NULL in a NOT NULL column', { Status: null }, /"Status".*not-null.*23502/],
    ['malformed XML', { Dokument: '<a><b></a>' }, /XML.*2200/],
    ['malformed JSON', { Data: '{"a":' }, /json.*22P02/],
    ['no partition', { __kafka_partition: null }, /no stream position/],
    ['no offset', { __kafka_offset: null }, /no stream position/],
    [
      'a source with a long name',
      { __source_table: 'x'.repeat(513) },
      /^the name of the source database or table is longer than 512 bytes/,
    ],
  ])(
    'with %s is moved to the dead letters, and the others of its batch are merged',
    async (_what, bad, reason) => {
      const good = Array.from({ length: GOOD }, (_, n) =>
        orderEvent({ OrderID: String(n + 10), __kafka_offset: String(n + 10) }),
      );
      const event = orderEvent({ Notat: "it's \\ bad", __kafka_offset: '5', ...bad });
      await stageEvents(sink, TENANT, ORDER_LINJER, good.toSpliced(GOOD / 3, 0, event));
      await mergeTable(sink, TENANT, ORDER_LINJER);
      const stored = await deadLetters();
      expect(stored).toEqual([
        {
          reason: expect.stringMatching(reason),
          payload: expect.objectContaining({ OrderID: 1, Notat: "it's \\ bad" }),
        },
      ]);
      for (const [name, value] of Object.entries(bad)) {
        const found = stored[0]?.payload[name] ?? null;
        expect(found === null ? null : String(found)).toBe(value);
      }
      expect(await owner.unsafe(`SELECT count(*)::integer AS n FROM ${FINAL}`)).toEqual([
        { n: GOOD },
      ]);
      expect(await readProcessingLog(owner, TENANT, ORDER_LINJER.name)).toEqual({
        ...{ events: GOOD + 1, merged: GOOD, deleted: 0, stale: 0, dead: 1, wrongRows: 0 },
      });
      const unbounded = await owner`SELECT offsets FROM cdc_management.stream_coverage
      WHERE lower_inf(offsets) OR upper_inf(offsets)`;
      expect(unbounded).toEqual([]);
    },
  );

  it.each([
    ['a negative offset', '-1', '0', 'offset -1 is not between 0 and 9223372036854775743'],
    ['the largest valid offset', '9223372036854775743', '0', null],
    [
      'an offset above the largest valid one',
      '9223372036854775744',
      '0',
      'offset 9223372036854775744 is not between 0 and 9223372036854775743',
    ],
    [
      'the largest bigint as offset',
      '9223372036854775807',
      '0',
      'offset 9223372036854775807 is not between 0 and 9223372036854775743',
    ],
    ['a negative generation', '5', '-1', 'generation -1 is below 0'],
  ])(
    'with %s is moved to the dead letters only if its position is invalid',
    async (_what, offset, generation, reason) => {
      await owner`TRUNCATE cdc_management.staged_floor, cdc_management.staged_stream`;
      const position = { __kafka_offset: offset, __stream_generation: generation };
      await stageEvents(sink, TENANT, ORDER_LINJER, [
        orderEvent({ OrderID: '2', __kafka_offset: '7', __stream_generation: '0' }),
        orderEvent({ OrderID: '1', ...position }),
        orderEvent({ OrderID: '3', Tekst: 'eleven long', ...position }),
      ]);
      await mergeTable(sink, TENANT, ORDER_LINJER);
      const reasons = (await deadLetters()).map((row) => row.reason).sort();
      expect(reasons).toEqual(
        reason === null ? [expect.stringContaining('too long')] : [reason, reason],
      );
      expect(await owner.unsafe(`SELECT "OrderID" AS n FROM ${FINAL} ORDER BY 1`)).toEqual(
        reason === null ? [{ n: 1 }, { n: 2 }] : [{ n: 2 }],
      );
      const positions = await sink`
      SELECT stream_generation AS generation, replay_from::text AS from FROM cdc_management.replay_positions`;
      expect(positions).toEqual([{ generation: 0, from: '8' }]);
    },
  );

  it('too large for jsonb is kept without its largest values, which the reason names', async () => {
    await owner.unsafe(`
      INSERT INTO ${STAGING} ("OrderID", "LinjeNr", "Notat", "Data", "__cdc_operation", "__kafka_partition", "__kafka_offset")
      VALUES (1, 1, repeat('x', 268435456), '{}', 'u', 0, 1)`);
    const alone = 'cdc_management.merge_range(control, 1, 2)';
    await owner.unsafe(`SELECT ${alone} FROM cdc_management.merge_control AS control`);
    const stored = await owner`
      SELECT reason, payload ->> 'Data' AS data, payload -> '__left_out' AS "leftOut", payload ? 'Notat' AS "hasNotat"
      FROM cdc_management.dead_letter`;
    expect(stored).toEqual([
      {
        reason: expect.stringMatching(
          /23502.*; too large for the payload: "Notat" \(268435456 bytes\)$/,
        ),
        ...{ data: '{}', leftOut: { Notat: 268435456 }, hasNotat: false },
      },
    ]);
    const replay = () => replayDeadLetters(owner, TENANT, ORDER_LINJER);
    expect(await replay()).toMatchObject({ replayed: 0 });
    await owner`
      UPDATE cdc_management.dead_letter
      SET payload = payload - '__left_out' || '{"Notat": "mended", "Status": "ny", "_customer_id": "0a827150-1332-5167-993b-68db156438cb"}'`;
    expect(await replay()).toMatchObject({ replayed: 1 });
    expect(await owner.unsafe(`SELECT "Notat" FROM ${FINAL}`)).toEqual([{ Notat: 'mended' }]);
  });

  it('does not hide an older valid event of its key', async () => {
    await stageEvents(sink, TENANT, ORDER_LINJER, [
      orderEvent({ Status: 'good', __kafka_offset: '1' }),
      orderEvent({ Status: 'bad', Tekst: 'eleven long', __kafka_offset: '2' }),
    ]);
    await mergeTable(sink, TENANT, ORDER_LINJER);
    expect(await owner.unsafe(`SELECT "Status" FROM ${FINAL}`)).toEqual([{ Status: 'good' }]);
    expect(await deadLetters()).toHaveLength(1);
  });

  it('among a hundred bad events does not prevent the merge of the valid events', async () => {
    const events = Array.from({ length: 400 }, (_, n) =>
      orderEvent({
        OrderID: String(n),
        Beløp: n % 4 === 0 ? '99999' : '1',
        __kafka_offset: String(n),
      }),
    );
    await stageEvents(sink, TENANT, ORDER_LINJER, events);
    await mergeTable(sink, TENANT, ORDER_LINJER);
    expect(await deadLetters()).toHaveLength(100);
    expect(await owner.unsafe(`SELECT count(*)::integer AS n FROM ${FINAL}`)).toEqual([{ n: 300 }]);
  });

  it('that takes long to find does not prevent the merge of later events in the same pass', async () => {
    await owner.unsafe(`
      CREATE FUNCTION cdc_management.slow_check() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN PERFORM pg_sleep(0.1); RAISE check_violation; END';
      CREATE TRIGGER slow_check BEFORE INSERT ON ${FINAL} FOR EACH ROW WHEN (new."Status" = 'bad')
        EXECUTE FUNCTION cdc_management.slow_check()`);
    try {
      const statuses = ['good', 'bad', 'good', 'good'];
      await stageEvents(
        sink,
        TENANT,
        ORDER_LINJER,
        statuses.map((Status, n) =>
          orderEvent({ Status, OrderID: String(n), __kafka_offset: String(n) }),
        ),
      );
      await mergeTable(sink, TENANT, ORDER_LINJER);
      expect(await owner.unsafe(`SELECT "OrderID" AS n FROM ${FINAL} ORDER BY 1`)).toEqual([
        { n: 0 },
        { n: 2 },
        { n: 3 },
      ]);
      expect(await deadLetters()).toHaveLength(1);
    } finally {
      await owner.unsafe(
        `DROP TRIGGER slow_check ON ${FINAL}; DROP FUNCTION cdc_management.slow_check()`,
      );
    }
  });
});
