import { setTimeout as sleep } from 'node:timers/promises';
import { mergeTable } from './merge-table.ts';
import { readNumber, renderOrders } from './merge-target.fixture.ts';
import {
  at,
  attempt,
  countRows,
  final,
  merge,
  QUIET_MS,
  renderTo,
  rows,
  stage,
  startNaiveTarget,
  type NaiveTarget,
  type Scenario,
  type Sides,
} from './naive-sides.fixture.ts';
import { ORDER_LINJER } from './order-linjer.fixture.ts';
import { stageEvents } from './stage-events.ts';

const SCENARIOS: readonly Scenario[] = [
  [
    '1: loses none of 5,000 keys in random order over many batches',
    async (side) => {
      await side.sql.unsafe(renderTo(side, renderOrders(1, 5000)));
      await merge(side);
      return countRows(side);
    },
    5000,
  ],
  [
    '1: keeps the newest version of a key if its versions are in different batches',
    async (side) => {
      await side.sql.unsafe(
        renderTo(side, renderOrders(1, 2000, { status: 'newer', after: 10_000 })),
      );
      await side.sql.unsafe(renderTo(side, renderOrders(1, 2000)));
      await merge(side);
      return readNumber(
        side.admin,
        `SELECT count(*) AS n FROM ${final(side)} WHERE "Status" = 'newer'`,
      );
    },
    2000,
  ],
  [
    '3: applies deletes, also those of unknown keys',
    async (side) => {
      await stage(side, at(1), at(2, { OrderID: '2' }));
      await merge(side);
      await stage(
        side,
        at(3, { __cdc_operation: 'd', __source_ts_ms: '1767225600001' }),
        at(4, { OrderID: '3', __cdc_operation: 'DELETE' }),
      );
      await merge(side);
      return rows(side);
    },
    [{ OrderID: 2, Status: 'ny' }],
  ],
  [
    '4: ignores an older event that is replayed',
    async (side) => {
      await stage(side, at(2, { Status: 'newest', __source_ts_ms: '2' }));
      await merge(side);
      await stage(side, at(1, { Status: 'replayed', __source_ts_ms: '1' }));
      await merge(side);
      return rows(side);
    },
    [{ OrderID: 1, Status: 'newest' }],
  ],
  [
    '4: keeps the later of two events with equal timestamps',
    async (side) => {
      await stage(side, at(1, { Status: 'first' }), at(2, { Status: 'second' }));
      await merge(side);
      return rows(side);
    },
    [{ OrderID: 1, Status: 'second' }],
  ],
  [
    '4: does not prefer an event without a timestamp to a newer event',
    async (side) => {
      await stage(
        side,
        at(1, { Status: 'no time', __source_ts_ms: null }),
        at(2, { Status: 'newer' }),
      );
      await merge(side);
      return rows(side);
    },
    [{ OrderID: 1, Status: 'newer' }],
  ],
  [
    '5: stores equal keys of 26 customers as 26 rows',
    async (side) => {
      const events = Array.from({ length: 26 }, (_, n) =>
        at(n, { _customer_id: `00000000-0000-0000-0000-0000000000${n + 10}` }),
      );
      await stageEvents(side.sql, side.schema, side.shared, events);
      await mergeTable(side.sql, side.schema, side.shared);
      return countRows(side, side.shared);
    },
    26,
  ],
  [
    '7: logs the offsets and the number of merged events of each partition',
    async (side) => {
      const events = [1, 2, 3].flatMap((n) => [
        at(n, { OrderID: String(n), __kafka_partition: '0' }),
        at(n + 9, { OrderID: String(n + 9), __kafka_partition: '1' }),
      ]);
      await stage(side, ...events);
      await merge(side);
      return [...(await side.admin.unsafe(side.log))];
    },
    [
      { partition: 0, first_offset: 1, last_offset: 3, merged: 3 },
      { partition: 1, first_offset: 10, last_offset: 12, merged: 3 },
    ],
  ],
  [
    '8: accepts a delete that contains only the key',
    async (side) => {
      await stage(side, at(1));
      await merge(side);
      const empty = { Status: null, Beløp: null, _customer_id: null, __sync_timestamp: null };
      const staged = await attempt(stage(side, at(2, { ...empty, __cdc_operation: 'd' })));
      await merge(side);
      return [staged, await rows(side)];
    },
    ['done', []],
  ],
  [
    '8: reports that a crash has emptied a staging table',
    async (side) => {
      await stage(side, at(1));
      await side.server.kill('SIGKILL');
      await side.server.restart();
      return (await side.countLosses()) > 0;
    },
    true,
  ],
  [
    '9: adds a new column of the final table to the staging table',
    async (side) => {
      const added = { name: 'Ny', role: 'source', type: 'text', nullable: true } as const;
      await side.change([added, ...ORDER_LINJER.columns]);
      const staged = await attempt(stage(side, at(1, { Ny: 'value' })));
      return [staged, await attempt(merge(side)), await rows(side, '"OrderID", "Ny"')];
    },
    ['done', 'done', [{ OrderID: 1, Ny: 'value' }]],
  ],
  [
    '9: accepts events without a column that left the source',
    async (side) => {
      await side.change(ORDER_LINJER.columns.filter(({ name }) => name !== 'Status'));
      const { Status: _left, ...values } = at(1).values;
      const staged = await attempt(stage(side, { ...at(1), values }));
      return [staged, await attempt(merge(side)), (await rows(side)).length];
    },
    ['done', 'done', 1],
  ],
  [
    '10: grants a plain role the privileges to stage and merge',
    async (side) => {
      const plain = side.connectPlain();
      const staged = await attempt(stageEvents(plain, side.schema, ORDER_LINJER, [at(1)]));
      return [staged, await attempt(merge(side, plain)), await countRows(side)];
    },
    ['done', 'done', 1],
  ],
  [
    '11: merges a table named Order-Linjer in a run over all tables',
    async (side) => {
      await stage(side, at(1));
      await sleep(QUIET_MS);
      await side.run(side.sql);
      return countRows(side);
    },
    1,
  ],
];

describe('unlike a naive merge, the generated merge', () => {
  let target: NaiveTarget;
  let sides: Sides;
  beforeAll(async () => {
    target = await startNaiveTarget();
  });
  beforeEach(async () => {
    sides = await target.openSides();
  });
  afterAll(() => target.stop());

  it.each(SCENARIOS)('%s', async (_what, play, expected) => {
    expect(await play(sides.ours)).toEqual(expected);
    expect(await play(sides.naive)).not.toEqual(expected);
  });
});
