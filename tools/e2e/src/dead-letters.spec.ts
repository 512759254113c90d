import { quoteQualified } from '@cdc-migrations/sql-text';
import type { Sql } from 'postgres';
import { mergeTable } from './merge-table.ts';
import { type MergeTarget, orderEvent, startMergeTarget, TENANT } from './merge-target.fixture.ts';
import { ORDER_LINJER } from './order-linjer.fixture.ts';
import { readProcessingLog } from './read-processing-log.ts';
import { stageEvents } from './stage-events.ts';

const FINAL = quoteQualified(TENANT, ORDER_LINJER.name);
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
    ['no value where one must be', { Status: null }, /"Status".*not-null.*23502/],
    ['malformed XML', { Dokument: '<a><b></a>' }, /XML.*2200/],
    ['malformed JSON', { Data: '{"a":' }, /json.*22P02/],
    ['no partition', { __kafka_partition: null }, /no stream position/],
    ['no offset', { __kafka_offset: null }, /no stream position/],
  ])(
    'with %s goes to the dead letters, the others of its batch arrive',
    async (_what, bad, reason) => {
      const good = Array.from({ length: GOOD }, (_, n) =>
        orderEvent({ OrderID: String(n + 10), __kafka_offset: String(n + 10) }),
      );
      const event = orderEvent({ Notat: "it's \\ bad", __kafka_offset: '5', ...bad });
      await stageEvents(sink, TENANT, ORDER_LINJER, good.toSpliced(GOOD / 3, 0, event));
      await mergeTable(sink, TENANT, ORDER_LINJER);
      const letters = await deadLetters();
      expect(letters).toEqual([
        {
          reason: expect.stringMatching(reason),
          payload: expect.objectContaining({ OrderID: 1, Notat: "it's \\ bad" }),
        },
      ]);
      for (const [name, value] of Object.entries(bad)) {
        const found = letters[0]?.payload[name] ?? null;
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

  it('is as if it had never been staged: an older good one of its key arrives', async () => {
    await stageEvents(sink, TENANT, ORDER_LINJER, [
      orderEvent({ Status: 'good', __kafka_offset: '1' }),
      orderEvent({ Status: 'bad', Tekst: 'eleven long', __kafka_offset: '2' }),
    ]);
    await mergeTable(sink, TENANT, ORDER_LINJER);
    expect(await owner.unsafe(`SELECT "Status" FROM ${FINAL}`)).toEqual([{ Status: 'good' }]);
    expect(await deadLetters()).toHaveLength(1);
  });

  it('beside a hundred others leaves none of them out', async () => {
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
});
