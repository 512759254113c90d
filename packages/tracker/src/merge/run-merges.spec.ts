import { setTimeout as sleep } from 'node:timers/promises';
import { NoBookkeepingError } from '../history/no-bookkeeping-error.ts';
import type { Sql } from 'postgres';
import { describeLeftOut } from './left-out.ts';
import type { MergeEvent } from './merge-event.ts';
import { UnknownTableError } from './merge-statements.ts';
import type { MergeOptions } from './run-merges.ts';
import {
  ACTOR,
  buildMigrations,
  FRAVER,
  openTarget,
  stage,
  startTarget,
  type Target,
} from '../target.fixture.ts';

let target: Target;
beforeAll(async () => {
  target = await startTarget(15);
  await target.apply(buildMigrations({ tables: [ACTOR, FRAVER] }));
});
afterAll(() => target?.stop());
beforeEach(async () => {
  await target.query(`TRUNCATE blue."Actor", blue."Fraver", avansas."Actor", blue."stg_Actor", blue."stg_Fraver",
    avansas."stg_Actor", cdc_management.pending_merge, cdc_management.dead_letter, cdc_management.merge_error`);
});

/** Stages events of `Fraver`. Keys and offsets run from `first` to `last`. */
const stageFraver = ([first, last]: readonly [number, number], kode = "'kode'") =>
  target.query(`INSERT INTO blue."stg_Fraver" ("FraverId", "Kode", "__source_db", "__source_table",
      "__cdc_operation", "__kafka_partition", "__kafka_offset")
    SELECT n, ${kode}, 'AdOpus', 'Fraver', 'c', 0, n FROM generate_series(${first}, ${last}) AS n`);
const stageActor = (keys: readonly [number, number], schema = 'blue') =>
  target.query(stage({ keys, schema }));

async function countOf(table: string, schema = 'blue'): Promise<number> {
  const [row] = await target.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM ${schema}."${table}"`,
  );
  return row!.n;
}

async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 30_000; !(await isTrue());) {
    if (Date.now() > deadline) throw new Error('it did not happen in 30 s');
    await sleep(20);
  }
}

it('merges in a target with older bookkeeping, and reports its merge problems', async () => {
  await target.query(`ALTER FUNCTION cdc_management.clean_up(integer) RENAME TO forget_old;
    ALTER VIEW cdc_management.merge_problems RENAME COLUMN solution TO way_out;
    ALTER TABLE blue."stg_Fraver" DISABLE TRIGGER ALL`);
  try {
    await stageActor([1, 3]);
    expect((await target.merge()).mergeProblems).toContainEqual({
      ...{ schema: 'blue', table: 'Fraver' },
      problem: 'the trigger of staging table "stg_Fraver" is disabled',
      solution: 'apply its files again: apply --again',
    });
    expect(await countOf('Actor')).toBe(3);
    await watching(async () => {
      await stageActor([4, 5]);
      await until(async () => (await countOf('Actor')) === 5);
    });
  } finally {
    await target.query(`ALTER FUNCTION cdc_management.forget_old(integer) RENAME TO clean_up;
      ALTER VIEW cdc_management.merge_problems RENAME COLUMN way_out TO solution;
      ALTER TABLE blue."stg_Fraver" ENABLE ALWAYS TRIGGER trg_mark_for_merge`);
  }
});

/** Merges endlessly during `work`, then ends the run. */
async function watching(
  work: (events: readonly MergeEvent[]) => Promise<void>,
  options: MergeOptions = {},
) {
  const end = new AbortController();
  const events: MergeEvent[] = [];
  const onEvent = (event: MergeEvent) => void events.push(event);
  const merging = target.merge({ everyMs: 50, jobs: 2, signal: end.signal, onEvent, ...options });
  try {
    await work(events);
  } finally {
    end.abort();
  }
  return { ...(await merging), events };
}

it('a target without bookkeeping is refused', async () => {
  const empty = await openTarget(target.server);
  await expect(empty.merge()).rejects.toThrow(NoBookkeepingError);
});

it('merges nothing if nothing is staged', async () => {
  expect(await target.merge()).toEqual({
    ...{ tables: [], replays: [], heldTables: [], lost: null },
    ...{ lockedStaging: [], mergeProblems: [] },
  });
});

it('merges staged events, counts their outcomes, and reports each table', async () => {
  await stageActor([1, 100]);
  await stageFraver([1, 10]);
  await stageFraver([1, 10]);
  const events: MergeEvent[] = [];
  const { tables } = await target.merge({ onEvent: (event) => events.push(event) });
  const counts = { deleted: 0, dead: 0, failure: null, schema: 'blue' };
  expect(tables).toEqual([
    { ...counts, table: 'Actor', events: 100, merged: 100, stale: 0 },
    { ...counts, table: 'Fraver', events: 20, merged: 10, stale: 10 },
  ]);
  expect(events.filter(({ kind }) => kind === 'table merged')).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ table: 'Actor', merged: 100, durationMs: expect.any(Number) }),
    ]),
  );
  expect([await countOf('Actor'), await countOf('Fraver')]).toEqual([100, 10]);
});

it.each<[string, MergeOptions, readonly number[]]>([
  ['a table', { tables: ['Actor'] }, [5, 5, 0]],
  ['a table of a schema', { tables: ['blue.Actor'] }, [5, 0, 0]],
  ['several tables', { tables: ['avansas.Actor', 'Fraver'] }, [0, 5, 5]],
  ['a schema', { schemas: ['av*'] }, [0, 5, 0]],
  ['a table in a schema', { schemas: ['blue'], tables: ['Fraver'] }, [0, 0, 5]],
])('merges only %s', async (_, selection, expected) => {
  await stageActor([1, 5]);
  await stageActor([1, 5], 'avansas');
  await stageFraver([1, 5]);
  await target.merge(selection);
  expect([
    await countOf('Actor'),
    await countOf('Actor', 'avansas'),
    await countOf('Fraver'),
  ]).toEqual(expected);
});

it.each<[MergeOptions, string]>([
  [{ schemas: ['red'] }, 'no schema red is merged here; known: avansas, blue'],
  [{ tables: ['Actor', 'Actr'] }, 'no table Actr is merged here; known: '],
])('refuses names that select nothing: %j', async (selection, message) => {
  const refused = target.merge(selection);
  await expect(refused).rejects.toThrow(UnknownTableError);
  await expect(refused).rejects.toThrow(message);
});

it('a table that fails does not stop the others', async () => {
  await stageActor([1, 5]);
  await stageFraver([1, 5]);
  await target.query('ALTER TABLE blue."Fraver" RENAME TO away');
  const { tables, lost } = await target.merge();
  await target.query('ALTER TABLE blue.away RENAME TO "Fraver"');
  expect(lost).toBeNull();
  expect(tables).toMatchObject([
    { table: 'Actor', events: 5, merged: 5, failure: null },
    { table: 'Fraver', events: 0, failure: expect.stringMatching(/42P01/) },
  ]);
});

it('replays dead letters: merges valid events, and moves the others to the dead letters again', async () => {
  await stageFraver([1, 10], "CASE WHEN n > 3 THEN repeat('x', 500) ELSE 'kode' END");
  expect((await target.merge()).tables).toMatchObject([{ events: 10, merged: 3, dead: 7 }]);
  const repair = (condition: string) =>
    target.query(`UPDATE cdc_management.dead_letter SET payload = jsonb_set(payload, '{Kode}', '"repaired"')
      WHERE ${condition}`);
  await repair('kafka_offset < 8');
  const { replays, tables } = await target.merge({ replay: true });
  expect(replays).toMatchObject([
    {
      ...{ schema: 'blue', table: 'Fraver', what: 'dead letters', replayed: 7, merged: 4, dead: 3 },
      reasons: [{ reason: expect.stringContaining('too long'), count: 3 }],
    },
  ]);
  expect(tables).toEqual([]);
  expect(await countOf('Fraver')).toBe(7);
  await repair('true');
  expect((await target.merge({ replay: true })).replays).toMatchObject([{ merged: 3, dead: 0 }]);
  expect(await countOf('Fraver')).toBe(10);
});

it('skips a table whose staging table is locked, and reports the holder of the lock', async () => {
  await stageActor([1, 3]);
  await stageFraver([1, 3]);
  const locker = target.connect('other');
  await locker.unsafe('BEGIN; TRUNCATE blue."stg_Actor"').simple();
  const result = await target.merge();
  expect(result.lockedStaging).toEqual([
    {
      schema: 'blue',
      table: 'Actor',
      holder: expect.stringMatching(/^process \d+ \(postgres, other\)/),
    },
  ]);
  expect(describeLeftOut(result)).toEqual([
    expect.objectContaining({ schema: 'blue', table: 'Actor' }),
  ]);
  expect(result.tables).toMatchObject([{ table: 'Fraver', merged: 3 }]);
  await locker.unsafe('ROLLBACK');
  await locker.end();
  expect(await target.merge()).toMatchObject({
    ...{ lockedStaging: [], tables: [{ table: 'Actor', merged: 3 }] },
  });
});

describe('a session that merges a table', () => {
  const CLAIM = `BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT cdc_management.claim_merge('blue', 'Actor', NULL)`;
  let holder: Sql;
  beforeEach(async () => {
    holder = target.connect('other');
    await stageActor([1, 3]);
    await holder.unsafe(CLAIM).simple();
  });
  afterEach(() => holder.end());

  it('delays another merge until it ends', async () => {
    const merging = target.merge();
    await sleep(1500);
    await holder.unsafe('ROLLBACK');
    expect(await merging).toMatchObject({ heldTables: [], tables: [{ merged: 3 }] });
  });

  it('is reported if it prevents another merge', async () => {
    const held = await target.merge();
    expect(held).toMatchObject({
      tables: [],
      heldTables: [
        {
          schema: 'blue',
          table: 'Actor',
          holder: expect.stringMatching(/^process \d+ \(postgres, other\)$/),
        },
      ],
    });
  });
});

describe('an endless run', () => {
  it('merges new events until it is aborted', async () => {
    const { tables, lost } = await watching(async () => {
      await stageActor([1, 50]);
      await until(async () => (await countOf('Actor')) === 50);
      await stageFraver([1, 20]);
      await until(async () => (await countOf('Fraver')) === 20);
    });
    expect(lost).toBeNull();
    expect(tables.map(({ table, merged }) => [table, merged])).toEqual([
      ['Actor', 50],
      ['Fraver', 20],
    ]);
  });

  it('continues after lost connections', async () => {
    const { tables } = await watching(async () => {
      for (let round = 0; round < 5; round++) {
        await stageActor([1 + round * 50, 50 + round * 50]);
        await until(async () => (await countOf('Actor')) === 50 + round * 50);
        await target.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'cdc merge%'`,
        );
      }
      await stageFraver([1, 20]);
      await until(async () => (await countOf('Fraver')) === 20);
    });
    expect(tables).toContainEqual(expect.objectContaining({ table: 'Fraver', merged: 20 }));
  });

  it('continues after a restart of the server, which it reports once', async () => {
    const { events } = await watching(async (events) => {
      const saw = (kind: MergeEvent['kind']) => events.some((event) => event.kind === kind);
      await stageActor([1, 50]);
      await until(async () => (await countOf('Actor')) === 50);
      await target.server.kill('SIGINT');
      await until(() => saw('interrupted'));
      await target.server.restart();
      await stageFraver([1, 20]);
      await until(async () => (await countOf('Fraver')) === 20);
      await until(() => saw('resumed'));
    });
    const kinds = events.map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'interrupted' || kind === 'resumed')).toEqual([
      'interrupted',
      'resumed',
    ]);
  });

  it('retries a failed table, and returns the failure of the last try', async () => {
    await stageFraver([1, 5]);
    await target.query('ALTER TABLE blue."Fraver" RENAME TO away');
    const failures = (events: readonly MergeEvent[]) =>
      events.filter(({ kind }) => kind === 'table failed').length;
    const failing = await watching((events) => until(() => failures(events) > 1));
    expect(failing.tables).toMatchObject([{ failure: expect.stringContaining('42P01') }]);
    const fixed = await watching(async (events) => {
      await until(() => failures(events) > 0);
      await target.query('ALTER TABLE blue.away RENAME TO "Fraver"');
      await until(async () => (await countOf('Fraver')) === 5);
    });
    expect(fixed.tables).toMatchObject([{ merged: 5, failure: null }]);
  });
});
