import { createRandom, chooseSeed } from '@cdc-migrations/event-model';
import { quoteQualified } from '@cdc-migrations/sql-text';
import type { ReplicatedTable } from '@cdc-migrations/table-defs';
import { mergeTable } from './merge-table.ts';
import { type MergeTarget, orderEvent, startMergeTarget, TENANT } from './merge-target.fixture.ts';
import { orderTable } from './order-linjer.fixture.ts';
import { stageEvents } from './stage-events.ts';

const TABLE: ReplicatedTable = { ...orderTable('ByLsn'), positions: 'lsn', staging: 'logged' };
const OF_KAFKA = orderTable('ByOffset');
const ZERO = '0x00000000000000000000';
const seed = chooseSeed();

/** Renders an LSN: `0x0000002A0000011000A1`. */
const lsnOf = (file: number, block = 1, slot = 1) =>
  `0x${[file.toString(16).padStart(8, '0'), block.toString(16).padStart(8, '0'), slot.toString(16).padStart(4, '0')].join('').toUpperCase()}`;

let target: MergeTarget;
beforeAll(async () => {
  target = await startMergeTarget();
  await target.apply(TABLE, OF_KAFKA);
});
afterAll(() => target.stop());
beforeEach(async () => {
  await target.owner`TRUNCATE cdc_management.change_cursor, cdc_management.staging_loss`;
});

async function positionOf(lsn: string, generation = 0): Promise<readonly [number, bigint]> {
  const [row] = await target.sink<{ generation: string; offset: string }[]>`
    SELECT stream_generation::text AS generation, kafka_offset::text AS offset
    FROM cdc_management.lsn_position(${lsn}, ${generation})`;
  return [Number(row!.generation), BigInt(row!.offset)];
}

describe('the position of an LSN', () => {
  it.each<readonly [lsn: string, generation: number, offset: bigint]>([
    [ZERO, 0, 0n],
    ['0x00000000000000000001', 0, 1n],
    ['0x00000000000000010000', 0, 1n << 16n],
    ['0x00000001000000000000', 0, 1n << 48n],
    ['0x0000002a000001100001', 0, (42n << 48n) | 0x1100001n],
    ['0x00003FFFFFFFFFFFFFFF', 0, (1n << 62n) - 1n],
    ['0x00004000000000000000', 1, 0n],
    ['0x7FFFFFFFFFFFFFFFFFFF', 131_071, (1n << 62n) - 1n],
    ['0xFFFFFFFFFFFFFFFFFFFF', 262_143, (1n << 62n) - 1n],
  ])('is calculated from %s', async (lsn, generation, offset) => {
    expect(await positionOf(lsn)).toEqual([generation, offset]);
    expect(await positionOf(lsn, 5)).toEqual([generation + 5, offset]);
  });

  it('is unique and keeps the order of LSNs', async () => {
    const random = createRandom(seed);
    const lsns = Array.from({ length: 200 }, () =>
      lsnOf(
        random.pick([0, 1, 42, 0x3fff, 0x4000, 0x4001, 0x7fff_ffff, 0xffff_ffff]),
        random.pick([0, 1, 0xffff_ffff, random.integer(0, 1e9)]),
        random.pick([0, 1, 0xffff]),
      ),
    );
    const known = new Map<string, readonly [number, bigint]>();
    for (const lsn of lsns) known.set(lsn, await positionOf(lsn));
    const sorted = [...known].sort(([a], [b]) => (a < b ? -1 : 1));
    sorted.slice(1).forEach(([, [generation, offset]], n) => {
      const [, [before, offsetBefore]] = sorted[n]!;
      expect(generation > before || (generation === before && offset > offsetBefore)).toBe(true);
    });
  });

  it.each([
    null,
    '',
    '0x',
    '42',
    '0x0000002A00000110000',
    '0x0000002A00000110000G',
    '\\x0000002a000001100001',
  ])('is refused for %j', async (lsn) => {
    await expect(target.sink`SELECT cdc_management.lsn_position(${lsn})`).rejects.toThrow(
      /expected an LSN as 0x0000002A000001100001, found/,
    );
  });
});

/** Builds an event with the position of an LSN. */
async function byLsn(lsn: string, values: Readonly<Record<string, string>> = {}) {
  const [generation, offset] = await positionOf(lsn);
  return orderEvent({
    ...values,
    __stream_generation: String(generation),
    __kafka_offset: String(offset),
  });
}

describe('the cursor of a table', () => {
  const args = (table: ReplicatedTable) => [TENANT, table.name, 'ShopNord', 'Ordre'] as const;

  async function cursor(): Promise<{ read_to: string; problem: string | null }> {
    const [schema, table, database, source] = args(TABLE);
    const [row] = await target.sink<{ read_to: string; problem: string | null }[]>`
      SELECT * FROM cdc_management.changes_after(${schema}, ${table}, ${database}, ${source})`;
    return row!;
  }

  async function note(after: string, readTo: string, lowest = lsnOf(1), events = 1): Promise<void> {
    const [schema, table, database, source] = args(TABLE);
    await target.sink`SELECT cdc_management.note_changes_read(
      ${schema}, ${table}, ${database}, ${source}, ${after}, ${readTo}, ${lowest}, ${events})`;
  }

  it('starts at zero and moves to the end of the staged changes', async () => {
    expect(await cursor()).toEqual({ read_to: ZERO, problem: null });
    await note(ZERO, lsnOf(7));
    expect(await cursor()).toEqual({ read_to: lsnOf(7), problem: null });
    await note(lsnOf(7), lsnOf(8, 2));
    expect(await cursor()).toEqual({ read_to: lsnOf(8, 2), problem: null });
  });

  it('reports at the start that a snapshot is needed, until a user removes the loss', async () => {
    await target.owner`TRUNCATE cdc_management.stream_coverage`;
    const causes = () => target.sink`SELECT cause FROM cdc_management.possible_loss`;
    await note(ZERO, lsnOf(7));
    expect(await causes()).toEqual([{ cause: 'needs snapshot' }]);
    await note(lsnOf(7), lsnOf(9), lsnOf(8));
    expect(await causes()).toEqual([{ cause: 'cleaned up' }]);
    await target.owner`DELETE FROM cdc_management.staging_loss`;
    await note(lsnOf(9), lsnOf(10), lsnOf(8));
    expect(await causes()).toEqual([]);
  });

  it('does not depend on the settings of the session', async () => {
    await note(ZERO, lsnOf(0x2a, 0x110, 1));
    const sink = target.connectSink();
    await sink`SELECT set_config(name, value, false) FROM (VALUES ('standard_conforming_strings', 'off'),
      ('backslash_quote', 'off'), ('bytea_output', 'escape'), ('search_path', 'pg_temp')) AS odd (name, value)`;
    const [schema, table, database, source] = args(TABLE);
    const read = () =>
      sink`SELECT read_to FROM cdc_management.changes_after(${schema}, ${table}, ${database}, ${source})`;
    expect(await read()).toEqual([{ read_to: lsnOf(0x2a, 0x110, 1) }]);
    await sink`SELECT cdc_management.note_changes_read(${schema}, ${table}, ${database}, ${source},
      ${lsnOf(0x2a, 0x110, 1)}, ${lsnOf(0x2b)}, ${lsnOf(1)})`;
    expect(await read()).toEqual([{ read_to: lsnOf(0x2b) }]);
    expect(await sink`SELECT read_to FROM cdc_management.change_progress`).toEqual([
      { read_to: lsnOf(0x2b) },
    ]);
    await sink.end();
  });

  it('is moved by two readers, but never back and never past changes that are not staged', async () => {
    await note(ZERO, lsnOf(7));
    await note(lsnOf(7), lsnOf(12));
    await note(lsnOf(7), lsnOf(9));
    expect((await cursor()).read_to).toBe(lsnOf(12));
    await note(lsnOf(9), lsnOf(14));
    expect((await cursor()).read_to).toBe(lsnOf(14));
    await note(lsnOf(20), lsnOf(21)); // 14 to 20 are not staged.
    expect((await cursor()).read_to).toBe(lsnOf(14));
    await target.owner`DELETE FROM cdc_management.change_cursor`;
    await note(lsnOf(14), lsnOf(15)); // The cursor was removed meanwhile.
    expect((await cursor()).read_to).toBe(ZERO);
  });

  it('is written once a minute if nothing changes', async () => {
    await note(ZERO, lsnOf(7));
    await note(lsnOf(7), lsnOf(8), lsnOf(1), 0);
    expect((await cursor()).read_to).toBe(lsnOf(7));
    await target.owner`UPDATE cdc_management.change_cursor SET read_at = read_at - interval '2 minutes'`;
    await note(lsnOf(7), lsnOf(8), lsnOf(1), 0);
    expect((await cursor()).read_to).toBe(lsnOf(8));
  });

  it('stays at zero if change data capture has just started', async () => {
    await note(ZERO, lsnOf(6), lsnOf(7), 0);
    expect(await cursor()).toEqual({ read_to: ZERO, problem: null });
  });

  it('reports unread changes that the source has removed, until a user removes the loss', async () => {
    await note(ZERO, lsnOf(7));
    await note(lsnOf(7), lsnOf(9), lsnOf(7, 1, 1));
    expect((await cursor()).problem).toBeNull();
    await note(lsnOf(9), lsnOf(12), lsnOf(9, 1, 2));
    expect(await cursor()).toEqual({
      read_to: lsnOf(12),
      problem:
        'changes of Ordre in ShopNord may be lost (cleaned up); see cdc_management.possible_loss',
    });
    const [, offset] = await positionOf(lsnOf(9));
    const loss = await target.sink`
      SELECT table_name, source_db, source_table, replay_from::text, cause FROM cdc_management.possible_loss`;
    expect(loss).toEqual([
      {
        table_name: 'ByLsn',
        source_db: 'ShopNord',
        source_table: 'Ordre',
        replay_from: String(offset),
        cause: 'cleaned up',
      },
    ]);
    const around = [lsnOf(9), lsnOf(10)].map((lsn) =>
      byLsn(lsn, { __source_db: 'ShopNord', __source_table: 'Ordre' }),
    );
    await stageEvents(target.sink, TENANT, TABLE, await Promise.all(around));
    await mergeTable(target.sink, TENANT, TABLE);
    expect((await cursor()).problem).not.toBeNull();
    await target.owner`DELETE FROM cdc_management.staging_loss`;
    await note(lsnOf(12), lsnOf(13), lsnOf(9, 1, 2));
    expect(await cursor()).toEqual({ read_to: lsnOf(13), problem: null });
  });

  it('has no loss after a reload, unless changes were lost since the reload began', async () => {
    const [first, later] = [lsnOf(9, 1, 2), lsnOf(12, 1, 2)];
    const begin = () => target.owner<{ id: string }[]>`
      SELECT (begun).reload_id::text AS id FROM cdc_management.begin_reload(${TENANT}, ${TABLE.name})`;
    const problemOf = async (id: string) => {
      const [row] = await target.owner<{ problem: string | null }[]>`
        SELECT cdc_management.reload_problem(${id}, true) AS problem`;
      return row!.problem;
    };
    await note(ZERO, lsnOf(9));
    await note(lsnOf(9), lsnOf(12), first);
    const [open] = await begin();
    expect(await problemOf(open!.id)).toBeNull();
    await note(lsnOf(12), lsnOf(15), later);
    expect(await problemOf(open!.id)).toContain(
      'may have been lost since the reload began (cleaned up)',
    );
    await target.owner`SELECT cdc_management.end_reload(${open!.id}, 'cancelled')`;
    expect((await cursor()).problem).not.toBeNull();
    const [again] = await begin();
    await target.owner`SELECT cdc_management.end_reload(${again!.id}, 'finished')`;
    expect(await cursor()).toEqual({ read_to: lsnOf(15), problem: null });
  });

  it('reports a restored source and does not move', async () => {
    await note(ZERO, lsnOf(7));
    await note(lsnOf(7), lsnOf(5));
    expect(await cursor()).toMatchObject({
      read_to: lsnOf(7),
      problem: expect.stringContaining('(restored source)'),
    });
  });

  it('restarts if the staging table was dropped, and needs a snapshot if the final table was', async () => {
    await mergeTable(target.sink, TENANT, TABLE);
    await note(ZERO, lsnOf(7));
    await target.owner`DELETE FROM cdc_management.staging_loss`;
    await target.owner.unsafe(`DROP TABLE ${quoteQualified(TENANT, TABLE.names.staging)}`);
    await target.apply(TABLE);
    expect(await cursor()).toEqual({ read_to: ZERO, problem: null });
    await note(ZERO, lsnOf(7));
    await target.owner`DELETE FROM cdc_management.staging_loss`;
    await target.owner.unsafe(`DROP TABLE ${quoteQualified(TENANT, TABLE.name)}`);
    await target.apply(TABLE);
    expect((await cursor()).read_to).toBe(ZERO);
    expect(await target.sink`SELECT cause FROM cdc_management.possible_loss`).toEqual([
      { cause: 'needs snapshot' },
    ]);
  });

  it('is refused if no changes of the source can be read', async () => {
    await expect(note(ZERO, lsnOf(7), ZERO)).rejects.toThrow(
      'no changes to Ordre can be read in ShopNord',
    );
  });

  it('is refused for a table whose positions are offsets', async () => {
    const [schema, table, database, source] = args(OF_KAFKA);
    await expect(
      target.sink`SELECT * FROM cdc_management.changes_after(${schema}, ${table}, ${database}, ${source})`,
    ).rejects.toThrow(/expected positions: lsn for table .*"ByOffset", found Kafka offsets/);
  });

  it('is removed with its table', async () => {
    await note(ZERO, lsnOf(7));
    const other = { ...orderTable('Gone'), positions: 'lsn' as const, staging: 'logged' as const };
    await target.apply(other);
    await target.sink`SELECT cdc_management.note_changes_read(${TENANT}, 'Gone', 'ShopNord', 'Ordre', ${ZERO}, ${lsnOf(7)}, ${lsnOf(1)})`;
    await target.drop(other);
    await target.owner.unsafe(`CALL cdc_management.clean_up_table('${TENANT}', 'Gone')`).simple();
    const rows = await target.owner`SELECT table_name FROM cdc_management.change_cursor`;
    expect(rows).toEqual([{ table_name: 'ByLsn' }]);
  });
});

it('a table with Kafka offsets can change to LSNs, which count as newer', async () => {
  const before = orderTable('Moved');
  const after = { ...before, positions: 'lsn' as const, staging: 'logged' as const };
  await target.apply(before);
  const offsets = Array.from({ length: 20 }, (_, n) =>
    orderEvent({ OrderID: String(n % 5), Tekst: 'Kafka', __kafka_offset: String(n * 3) }),
  );
  await stageEvents(target.sink, TENANT, before, offsets.slice(0, 15));
  await mergeTable(target.sink, TENANT, before);
  await stageEvents(target.sink, TENANT, before, offsets.slice(15)); // They are staged while it moves.
  await target.apply(after);
  const changes = [
    await byLsn(lsnOf(42, 7), { OrderID: '0', Tekst: 'LSN' }),
    await byLsn(lsnOf(42, 7), { OrderID: '1', Tekst: 'LSN' }),
    await byLsn(lsnOf(42, 9), { OrderID: '2', __cdc_operation: 'd' }),
    await byLsn(lsnOf(0x4000, 1), { OrderID: '3', Tekst: 'LSN' }),
  ];
  for (const events of [changes, offsets, changes]) {
    await stageEvents(target.sink, TENANT, after, events);
    await mergeTable(target.sink, TENANT, after);
  }
  const rows = await target.owner.unsafe(
    `SELECT "OrderID" AS id, "Tekst" AS text FROM ${quoteQualified(TENANT, 'Moved')} ORDER BY 1`,
  );
  expect(rows).toEqual([
    { id: 0, text: 'LSN' },
    { id: 1, text: 'LSN' },
    { id: 3, text: 'LSN' },
    { id: 4, text: 'Kafka' },
  ]);
  const [noted] =
    await target.owner`SELECT (SELECT count(*)::int FROM cdc_management.unseen_offsets WHERE table_name = 'Moved') AS gaps,
    (SELECT count(*)::int FROM cdc_management.replay_positions WHERE table_name = 'Moved') AS replays,
    (SELECT count(*)::int FROM cdc_management.dead_letter WHERE table_name = 'Moved') AS dead`;
  expect(noted).toEqual({ gaps: 0, replays: 0, dead: 0 });
});
