import { buildTable } from '../../../../tools/table-fixture/src/build-table.ts';
import type {
  ColumnDefinition,
  ExistingTable,
  KeyDefinition,
  ReplicatedTable,
} from '../table-definition.ts';
import { diffTables } from './diff-tables.ts';
import type { TableChange } from './table-change.ts';

type Column = Pick<ColumnDefinition, 'name' | 'type'> & Partial<ColumnDefinition>;

const KEY: KeyDefinition = { columns: ['id'], origin: 'primary key' };
const ID: Column = { name: 'id', type: 'integer', nullable: false };

function table(
  columns: readonly Column[] = [],
  more: Partial<ReplicatedTable> = {},
): ReplicatedTable {
  const all = [ID, ...columns].map((column) => ({
    role: 'source' as const,
    nullable: true,
    ...column,
  }));
  return { ...buildTable({ columns: all }), ...more };
}

/** Describes a change in one line: `free column added: a text`. */
function describeChange(change: TableChange): string {
  const sides = [change.before, change.after].map((side) => {
    if (side === null) return 'nothing';
    if ('origin' in side) return `(${side.columns.join(', ')})`;
    if ('method' in side) return side.partitions.map(({ name }) => name).join(' ');
    if ('columns' in side) return side.name;
    return [side.name, side.type, ...(side.nullable ? [] : ['NOT NULL'])].join(' ');
  });
  const facts = 'facts' in change ? ` ${change.facts.join(', ')}` : '';
  return `${change.class} ${change.kind}:${facts} ${sides.join(' -> ')}`;
}

const describeDiff = (...sides: Parameters<typeof diffTables>) =>
  diffTables(...sides).map(describeChange);

describe('diffTables for columns', () => {
  const a = (type: string, more: Partial<ColumnDefinition> = {}): Column => ({
    name: 'a',
    type,
    ...more,
  });
  const notNull = { nullable: false };

  it.each<[string, readonly Column[], readonly Column[], readonly string[]]>([
    ['no change of equal columns', [a('text')], [a('text')], []],
    ['a new column', [], [a('text')], ['free column added: nothing -> a text']],
    [
      'a new NOT NULL column',
      [],
      [a('text', notNull)],
      ['free column added: nothing -> a text NOT NULL'],
    ],
    [
      'a new column with a constant default',
      [],
      [a('boolean', { default: 'false' })],
      ['free column added: nothing -> a boolean'],
    ],
    [
      'a new column with a different default for each row',
      [],
      [a('uuid', { default: 'gen_random_uuid()' })],
      ['rewrite column added: nothing -> a uuid'],
    ],
    ['a removed column', [a('text')], [], ['informational column removed: a text -> nothing']],
    [
      'a removed NOT NULL column',
      [a('text', notNull)],
      [],
      ['free column removed: a text NOT NULL -> nothing'],
    ],
    [
      'a removed column with a default',
      [a('text', { ...notNull, default: `''` })],
      [],
      ['informational column removed: a text NOT NULL -> nothing'],
    ],
    [
      'a longer text',
      [a('character varying(10)')],
      [a('character varying(20)')],
      ['free type changed: a character varying(10) -> a character varying(20)'],
    ],
    [
      'a wider number',
      [a('integer')],
      [a('bigint')],
      ['rewrite type changed: a integer -> a bigint'],
    ],
    [
      'a shorter text',
      [a('character varying(20)')],
      [a('character varying(10)')],
      ['unsafe type changed: a character varying(20) -> a character varying(10)'],
    ],
    [
      'a type of another family',
      [a('text')],
      [a('integer')],
      ['unsafe type changed: a text -> a integer'],
    ],
    [
      'a column that becomes nullable',
      [a('text', notNull)],
      [a('text')],
      ['free nullability changed: a text NOT NULL -> a text'],
    ],
    [
      'a column that becomes NOT NULL',
      [a('text')],
      [a('text', notNull)],
      ['informational nullability changed: a text -> a text NOT NULL'],
    ],
    [
      'a new default',
      [a('text')],
      [a('text', { default: `''` })],
      ['free default changed: a text -> a text'],
    ],
    [
      'a changed default and a removed default',
      [a('text', { default: `''` }), { name: 'b', type: 'text', default: `''` }],
      [a('text', { default: `'x'` }), { name: 'b', type: 'text' }],
      ['free default changed: a text -> a text', 'free default changed: b text -> b text'],
    ],
    [
      'changes of type, nullability and default at once',
      [a('smallint', notNull)],
      [a('integer', { default: '0' })],
      [
        'rewrite type changed: a smallint NOT NULL -> a integer',
        'free nullability changed: a smallint NOT NULL -> a integer',
        'free default changed: a smallint NOT NULL -> a integer',
      ],
    ],
    [
      'another source type with the same PostgreSQL type',
      [a('text', { source: { name: 'a', type: 'ntext' }, exactness: 'lossy', reason: 'NUL' })],
      [a('text', { source: { name: 'a', type: 'xml' }, exactness: 'exact' })],
      ['informational column redefined: source, exactness, reason a text -> a text'],
    ],
    [
      'an undeclared rename as a new and a removed column',
      [a('text')],
      [{ name: 'b', type: 'text' }],
      ['free column added: nothing -> b text', 'informational column removed: a text -> nothing'],
    ],
    [
      'a declared rename',
      [a('text')],
      [{ name: 'b', type: 'text', formerly: ['a'] }],
      ['free column renamed: a text -> b text'],
    ],
    [
      'a rename from the newest of several earlier names',
      [a('text'), { name: 'b', type: 'text' }],
      [{ name: 'c', type: 'integer', formerly: ['b', 'a'] }],
      [
        'free column renamed: b text -> c integer',
        'unsafe type changed: b text -> c integer',
        'informational column removed: a text -> nothing',
      ],
    ],
    [
      'a rename that has already been applied',
      [{ name: 'b', type: 'text' }],
      [{ name: 'b', type: 'text', formerly: ['a'] }],
      ['informational column redefined: earlier names b text -> b text'],
    ],
    [
      'another order of columns',
      [a('text'), { name: 'b', type: 'text' }],
      [{ name: 'b', type: 'text' }, a('text')],
      ['informational table redefined: order of columns T -> T'],
    ],
  ])('reports %s', (_, before, after, expected) => {
    expect(describeDiff([table(before)], [table(after)])).toEqual(expected);
  });

  it('reports a change of an existing table as informational', () => {
    const { kind: _, names, key, deleteMode, staging, transforms, ...identity } = table();
    const existing = (type: string): ExistingTable => ({
      ...identity,
      kind: 'existing',
      columns: [{ name: 'a', role: 'source', type, nullable: true }],
    });
    expect(describeDiff([existing('text')], [existing('integer')])).toEqual([
      'informational type changed: a text -> a integer',
    ]);
  });
});

describe('diffTables for keys', () => {
  const NR: Column = { name: 'nr', type: 'integer', nullable: false };
  const key = (...columns: readonly string[]): Partial<ReplicatedTable> => ({
    key: { columns, origin: 'primary key' },
  });

  it.each<[string, ReplicatedTable, ReplicatedTable, readonly string[]]>([
    [
      'a key with more columns',
      table([NR]),
      table([NR], key('id', 'nr')),
      ['unsafe key changed: (id) -> (id, nr)'],
    ],
    [
      'a key in another order',
      table([NR], key('nr', 'id')),
      table([NR], key('id', 'nr')),
      ['unsafe key changed: (nr, id) -> (id, nr)'],
    ],
    ['a removed key', table(), table([], { key: null }), ['unsafe key changed: (id) -> nothing']],
    ['a new key', table([], { key: null }), table(), ['unsafe key changed: nothing -> (id)']],
    [
      'only the rename of a key column',
      table([NR], key('nr')),
      table([{ ...NR, name: 'no', formerly: ['nr'] }], key('no')),
      ['free column renamed: nr integer NOT NULL -> no integer NOT NULL'],
    ],
    [
      'a key without a removed column',
      table([NR], key('id', 'nr')),
      table(),
      [
        'unsafe key changed: (id, nr) -> (id)',
        'informational column removed: nr integer NOT NULL -> nothing',
      ],
    ],
    [
      'another origin of the key',
      table(),
      table([], { key: { ...KEY, origin: 'key_columns' } }),
      ['informational table redefined: origin of the key T -> T'],
    ],
  ])('reports %s', (_, before, after, expected) => {
    expect(describeDiff([before], [after])).toEqual(expected);
  });
});

describe('diffTables for tables', () => {
  const named = (name: string) => table([], { name });
  const existing = (name: string): ExistingTable => ({
    ...named(name),
    kind: 'existing',
    columns: [],
  });

  it('reports new and removed tables', () => {
    expect(
      describeDiff(
        [named('A'), named('B'), existing('E')],
        [named('C'), named('B'), existing('F')],
      ),
    ).toEqual([
      'free table added: nothing -> C',
      'informational table added: nothing -> F',
      'informational table removed: A -> nothing',
      'informational table removed: E -> nothing',
    ]);
  });

  it.each<[string, Partial<ReplicatedTable>]>([
    ['service', { service: 'other' }],
    ['set', { set: 'sink_asma.other' }],
    ['schema', { schema: { scope: 'literal', name: 'public' } }],
  ])('treats a table with another %s as a different table', (_, more) => {
    expect(diffTables([table()], [table([], more)]).map(({ kind }) => kind)).toEqual([
      'table added',
      'table removed',
    ]);
  });

  it('treats a replicated table that becomes an existing table as a different table', () => {
    expect(diffTables([table()], [existing('T')]).map(({ kind }) => kind)).toEqual([
      'table added',
      'table removed',
    ]);
  });

  it.each<[string, Partial<ReplicatedTable>]>([
    ['source', { source: { database: 'AdOpusTest', schema: 'dbo', table: 'U' } }],
    ['names', { names: { ...table().names, trigger: 'trg' } }],
    ['delete_mode', { deleteMode: 'soft' }],
    ['staging', { staging: 'logged' }],
    ['unavailable_value_placeholder', { unavailable: '-' }],
    ['truncate', { truncate: 'empty' }],
    ['transforms', { transforms: ['file://a.blobl'] }],
  ])('reports a change of %s as informational', (fact, more) => {
    expect(describeDiff([table()], [table([], more)])).toEqual([
      `informational table redefined: ${fact} T -> T`,
    ]);
  });

  it('reports no changes without tables', () => {
    expect(diffTables([], [])).toEqual([]);
  });
});

describe('diffTables for partitions', () => {
  const by = (
    columns: readonly string[],
    ...partitions: readonly (readonly [string, string])[]
  ): Partial<ReplicatedTable> => ({
    partitionBy: {
      ...{ method: 'range', columns },
      partitions: partitions.map(([name, bounds]) => ({ name, bounds })),
    },
  });
  const LOW = ['low', 'TO (1)'] as const;
  it.each([
    [
      'partitions of a table that had none',
      {},
      by(['id'], LOW),
      'unsafe partitions changed: nothing -> low',
    ],
    [
      'a table that is no longer partitioned',
      by(['id'], LOW),
      {},
      'informational partitions changed: low -> nothing',
    ],
    ['a new partition', by(['id']), by(['id'], LOW), 'free partitions changed:  -> low'],
    [
      'a removed partition',
      by(['id'], LOW),
      by(['id']),
      'informational partitions changed: low -> ',
    ],
    [
      'other bounds of a partition',
      by(['id'], LOW),
      by(['id'], ['low', 'TO (2)']),
      'unsafe partitions changed: low -> low',
    ],
    ['partitions by another column', by(['id']), by(['a']), 'unsafe partitions changed:  -> '],
  ] as const)('reports %s', (_, before, after, expected) => {
    const a = { name: 'a', type: 'text' };
    expect(describeDiff([table([a], before)], [table([a], after)])).toEqual([expected]);
  });
  it('reports only the rename of the partition column', () => {
    const [before, after] = [
      { name: 'a', type: 'text' },
      { name: 'b', type: 'text', formerly: ['a'] },
    ];
    expect(
      describeDiff([table([before], by(['a'], LOW))], [table([after], by(['b'], LOW))]),
    ).toEqual([expect.stringContaining('column renamed')]);
  });
  it.each([
    ['in the partition key', by(['a'], LOW), by(['a'], LOW)],
    ['that is added to the partition key', {}, by(['a'], LOW)],
    ['that is removed from the partition key', by(['a'], LOW), {}],
  ])('reports a type change as unsafe for a column %s', (_, before, after) => {
    const [old, wide] = [
      { name: 'a', type: 'integer' },
      { name: 'a', type: 'bigint' },
    ];
    expect(describeDiff([table([old], before)], [table([wide], after)])).toContain(
      'unsafe type changed: a integer -> a bigint',
    );
    expect(describeDiff([table([old], by(['id']))], [table([wide], by(['id']))])).toEqual([
      'rewrite type changed: a integer -> a bigint',
    ]);
  });
});
