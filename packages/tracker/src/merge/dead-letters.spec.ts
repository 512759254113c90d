import {
  discardDeadLetters,
  groupDeadLetters,
  readDeadLetters,
  type DeadLetterFilter,
} from './dead-letters.ts';
import { ACTOR, buildMigrations, stage, startTarget, type Target } from '../target.fixture.ts';

const NO_POSITION = 'no stream position: partition and offset are needed';
const AT = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);

let target: Target;
beforeAll(async () => {
  target = await startTarget(15);
  await target.apply(buildMigrations({ tables: [ACTOR], tenants: ['blue'] }), {
    tenants: ['blue'],
  });
  await target.query(stage({ keys: [1, 2], name: `repeat('x', 100 + 100 * n)` }));
  await target.query(stage({ keys: [7, 7], name: "'no offset'" }).replace('7 + n - 7', 'NULL'));
  await target.merge();
  await target.query(`INSERT INTO cdc_management.refused_event (schema_name, table_name, topic, kafka_partition, kafka_offset, value, error)
    VALUES ('blue', 'Actor', 'adopus.Actor', 0, 9, '\\x7b7d', 'invalid byte sequence'), (NULL, NULL, NULL, NULL, NULL, NULL, NULL)`);
  await target.save();
});
afterAll(() => target?.stop());

// The dead letters have the numbers 2 to 4: the batch of all events, which failed, took the first number.
const groups = (filter: DeadLetterFilter) =>
  target.withSession((session) => groupDeadLetters(session, filter));
const entries = (filter: DeadLetterFilter, limit = 100) =>
  target.withSession((session) => readDeadLetters(session, filter, limit));
const discard = (filter: DeadLetterFilter) =>
  target.withSession((session) => discardDeadLetters(session, filter));
const idsOf = async (filter: DeadLetterFilter = {}) =>
  (await entries(filter)).map(({ id }) => id).sort();

it('groups dead letters and refused events by table and reason', async () => {
  const of = { schema: 'blue', table: 'Actor', firstAt: AT, lastAt: AT };
  expect(await groups({ schemas: ['blue'] })).toEqual(
    expect.arrayContaining([
      { ...of, kind: 'dead letter', reason: NO_POSITION, count: 1, firstId: '4', lastId: '4' },
      {
        ...{ ...of, kind: 'refused event', reason: 'invalid byte sequence', count: 1 },
        ...{ firstId: 'r1', lastId: 'r1' },
      },
      {
        ...{ ...of, kind: 'dead letter', reason: expect.stringContaining('value too long') },
        ...{ count: 2, firstId: '2', lastId: '3' },
      },
    ]),
  );
});

it.each<[DeadLetterFilter, readonly string[]]>([
  [{}, ['2', '3', '4', 'r1', 'r2']],
  [{ reason: 'TOO LONG' }, ['2', '3']],
  [{ reason: '%' }, []],
  [{ tables: ['Actor'] }, ['2', '3', '4', 'r1']],
  [{ tables: ['blue.Actor'], reason: 'position' }, ['4']],
  [{ tables: ['Region'] }, []],
  [{ schemas: ['bl*'] }, ['2', '3', '4', 'r1']],
  [{ ids: ['3', '4'] }, ['3', '4']],
  [{ ids: ['r1'] }, ['r1']],
  [{ ids: ['2', 'r2'] }, ['2', 'r2']],
  [{ ids: ['2', '3'], reason: 'position' }, []],
])('the filter %j selects %j', async (filter, expected) => {
  expect(await idsOf(filter)).toEqual(expected);
  const counts = (await groups(filter)).map(({ count }) => count);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(expected.length);
});

it('reads complete events, up to a limit', async () => {
  expect([...(await entries({ reason: 'position' }))]).toEqual([
    {
      ...{
        kind: 'dead letter',
        id: '4',
        schema: 'blue',
        table: 'Actor',
        reason: NO_POSITION,
        at: AT,
      },
      position: { generation: 0, partition: 0, offset: null },
      event: expect.objectContaining({ Navn: 'no offset', actno: 7 }),
    },
  ]);
  expect([...(await entries({ reason: 'byte sequence' }))]).toEqual([
    expect.objectContaining({
      ...{ kind: 'refused event', id: 'r1' },
      position: { generation: null, partition: 0, offset: '9' },
      event: { topic: 'adopus.Actor', key: null, value: '7b7d' },
    }),
  ]);
  expect(await entries({}, 2)).toHaveLength(2);
});

describe('changes', () => {
  beforeEach(() => target.reset());

  it('replays refused events first, then dead letters, and counts the reasons of new dead letters', async () => {
    await target.query('ALTER TABLE blue."Actor" ALTER COLUMN "Navn" TYPE varchar(250)');
    const { replays } = await target.merge({ replay: true });
    expect(replays).toMatchObject([
      { what: 'refused events', replayed: 1 },
      {
        ...{ what: 'dead letters', replayed: 3, merged: 1, dead: 2 },
        reasons: expect.arrayContaining([
          { reason: expect.stringMatching(/Navn.*value too long/), count: 1 },
          { reason: NO_POSITION, count: 1 },
        ]),
      },
    ]);
  });

  it.each<[DeadLetterFilter, readonly string[]]>([
    [{ reason: 'too long' }, ['4', 'r1', 'r2']],
    [{ tables: ['Actor'] }, ['r2']],
    [{ ids: ['r1'] }, ['2', '3', '4', 'r2']],
    [{ ids: ['4', 'r2'] }, ['2', '3', 'r1']],
    [{ reason: 'no such reason' }, ['2', '3', '4', 'r1', 'r2']],
  ])('discards %j and leaves %j', async (filter, left) => {
    const discarded = await discard(filter);
    expect(discarded.reduce((sum, { count }) => sum + count, 0)).toBe(5 - left.length);
    expect(await idsOf()).toEqual(left);
  });

  it('discards no refused event that has the same number as a dead letter', async () => {
    await target.query(`TRUNCATE cdc_management.refused_event;
      INSERT INTO cdc_management.refused_event (refused_event_id, schema_name, table_name, error)
        OVERRIDING SYSTEM VALUE SELECT dead_letter_id, 'blue', 'Actor', 'same id' FROM cdc_management.dead_letter`);
    await discard({ ids: ['4'] });
    expect(await idsOf()).toEqual(['2', '3', 'r2', 'r3', 'r4']);
  });
});

it.each([["1'; DROP TABLE x"], ['r'], ['-1'], ['\\']])('treats the id %j as text', async (id) => {
  expect(await idsOf({ ids: [id] })).toEqual([]);
});
