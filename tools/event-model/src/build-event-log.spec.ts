import { spellings, type ReplicatedTable } from '@cdc-migrations/table-defs';
import { buildTable } from '@cdc-migrations/table-fixture';
import { buildEventLog, buildFinalRows, deliverEvents, keyText } from './index.ts';

const ORDERS = buildTable({
  name: 'Order',
  columns: [
    { name: 'Code', role: 'source', type: 'character(4)', nullable: false },
    { name: 'Line', role: 'source', type: 'smallint', nullable: false },
    { name: 'Text', role: 'source', type: 'text', nullable: true },
    { name: '_customer_id', role: 'template', type: 'uuid', nullable: false },
  ],
  key: ['Code', 'Line'],
});
const OPTIONS = { seed: 7, events: 2000, constants: { _customer_id: 'c' } };

describe('buildEventLog', () => {
  const log = buildEventLog(ORDERS, OPTIONS);

  it('returns the same log for the same seed, and another log for another seed', () => {
    expect(buildEventLog(ORDERS, OPTIONS)).toEqual(log);
    expect(buildEventLog(ORDERS, { ...OPTIONS, seed: 8 })).not.toEqual(log);
  });

  it('returns the requested number of events, with rising offsets in three partitions', () => {
    expect(log).toHaveLength(2000);
    for (const partition of [0, 1, 2]) {
      const offsets = log.filter((event) => event.partition === partition).map((e) => e.offset);
      expect(offsets.length).toBeGreaterThan(300);
      expect(offsets).toEqual([...new Set(offsets)].sort((a, b) => a - b));
    }
  });

  it('keeps a key in one partition', () => {
    const partitions = new Map<string | null, Set<number>>();
    for (const { values, partition } of log) {
      const key = keyText(ORDERS, values);
      partitions.set(key, (partitions.get(key) ?? new Set()).add(partition));
    }
    expect([...partitions.values()].filter(({ size }) => size !== 1)).toEqual([]);
  });

  it('has every kind of event', () => {
    const operations = new Set(log.map(({ values }) => values['__cdc_operation']));
    expect([...operations].sort()).toEqual(
      [...spellings('insert', 'update', 'upsert', 'snapshot', 'delete')].sort(),
    );
    expect(log.some(({ kind, values }) => kind === 'delete' && values['Text'] === null)).toBe(true);
    expect(log.every(({ values }) => values['Code'] !== null)).toBe(true);
  });
});

describe('deliverEvents', () => {
  it('delivers every event, some twice, in another order', () => {
    const log = buildEventLog(ORDERS, OPTIONS);
    const batches = deliverEvents(log, { seed: 7, batches: 8 });
    expect(batches).toHaveLength(8);
    expect(new Set(batches.flat()).size).toBe(log.length);
    expect(batches.flat().length).toBeGreaterThan(log.length);
    expect(batches.flat().slice(0, 20)).not.toEqual(log.slice(0, 20));
  });
});

describe('buildFinalRows', () => {
  const at = (offset: number, operation: string, text: string | null) => ({
    kind: /^d/i.test(operation) ? ('delete' as const) : ('upsert' as const),
    partition: 0,
    offset,
    values: { Code: 'a', Line: '1', Text: text, __cdc_operation: operation },
  });

  it('takes the last event of a key, in any order', () => {
    const events = [at(3, 'u', 'third'), at(1, 'c', 'first'), at(2, 'd', null)];
    const { rows } = buildFinalRows(ORDERS, events);
    expect(rows).toEqual([{ deleted: false, upsert: events[0] }]);
  });

  it('has no row for a deleted key', () => {
    expect(buildFinalRows(ORDERS, [at(2, 'd', null), at(1, 'c', 'first')]).rows).toEqual([]);
  });

  it('marks a deleted row of a soft table, and has no row for a key that never existed', () => {
    const soft: ReplicatedTable = { ...ORDERS, deleteMode: 'soft' };
    const [insert, remove] = [at(1, 'c', 'first'), at(2, 'd', null)];
    expect(buildFinalRows(soft, [remove, insert]).rows).toEqual([
      { deleted: true, upsert: insert },
    ]);
    expect(buildFinalRows(soft, [remove]).rows).toEqual([]);
  });

  it('has a row for each insert of a table without a key, and other events are dead', () => {
    const events = [at(1, 'c', 'first'), at(2, 'u', 'second'), at(3, 'r', 'third')];
    const { rows, dead } = buildFinalRows({ ...ORDERS, key: null }, events);
    expect(rows.map(({ upsert }) => upsert)).toEqual([events[0], events[2]]);
    expect(dead).toEqual([events[1]]);
  });
});
