import { setTimeout as sleep } from 'node:timers/promises';
import { renderOrders } from './merge-target.fixture.ts';
import {
  at,
  attempt,
  countRows,
  merge,
  OTHER,
  QUIET_MS,
  renderTo,
  rows,
  slowDown,
  stage,
  stageOther,
  startNaiveTarget,
  type NaiveTarget,
  type Scenario,
  type Sides,
} from './naive-sides.fixture.ts';
import { ORDER_LINJER } from './order-linjer.fixture.ts';
import { stageEvents } from './stage-events.ts';

const SCENARIOS: readonly Scenario[] = [
  [
    '2: events inserted during the merge are not lost',
    async (side) => {
      await stage(side, at(1));
      await side.second.unsafe('BEGIN');
      await side.second.unsafe(renderTo(side, renderOrders(7, 7)));
      const merging = attempt(merge(side));
      await sleep(300);
      await side.second.unsafe('COMMIT');
      await merging;
      await merge(side);
      return (await rows(side)).length;
    },
    2,
  ],
  [
    '2: a writer and a merge do not deadlock',
    async (side) => {
      await stageOther(side, side.sql, at(1));
      await slowDown(side, OTHER, 0.5);
      await sleep(QUIET_MS);
      const merging = attempt(side.run(side.sql));
      await sleep(200);
      return await Promise.all([merging, attempt(stageOther(side, side.second, at(2)))]);
    },
    ['done', 'done'],
  ],
  [
    '6: two concurrent merges do not deadlock',
    async (side) => {
      await stage(side, at(1));
      await slowDown(side, ORDER_LINJER, 0.5);
      return await Promise.all([attempt(merge(side)), attempt(merge(side, side.second))]);
    },
    ['done', 'done'],
  ],
  [
    '6: steady load does not delay the merge',
    async (side) => {
      for (let n = 0; n < 30; n++) {
        await stageOther(side, side.sql, at(n, { OrderID: String(n) }));
        await side.run(side.second);
        await sleep(20);
      }
      return (await countRows(side, OTHER)) > 10;
    },
    true,
  ],
  [
    '6: an insert does not wait for the merge of another table',
    async (side) => {
      await stageOther(side, side.sql, at(1));
      await slowDown(side, OTHER, 1.5);
      await sleep(QUIET_MS);
      const merging = attempt(side.run(side.sql));
      await sleep(300);
      await side.second`SET lock_timeout = '500ms'`;
      const writing = await attempt(stageEvents(side.second, side.schema, ORDER_LINJER, [at(1)]));
      await merging;
      return writing;
    },
    'done',
  ],
];

describe('a merge in parallel with writers and other merges, in cases where a naive merge fails', () => {
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
