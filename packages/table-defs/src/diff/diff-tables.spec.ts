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

describe('the columns of a table', () => {
  const a = (type: string, more: Partial<ColumnDefinition> = {}): Column => ({
    name: 'a',
    type,
    ...more,
  });
  const notNull = { nullable: false };

  it.each<[string, readonly Column[], readonly Column[], readonly string[]]>([
    ['stay', [a('text')], [a('text')], []],
    ['a new one', [], [a('text')], ['free column added: nothing -> a text']],
    [
      'a new one that is NOT NULL',
      [],
      [a('text', notNull)],
      ['free column added: nothing -> a text NOT NULL'],
    ],
    [
      'a new one with a constant',
      [],
      [a('boolean', { default: 'false' })],
      ['free column added: nothing -> a boolean'],
    ],
    [
      'a new one with a value for each row',
      [],
      [a('uuid', { default: 'gen_random_uuid()' })],
      ['rewrite column added: nothing -> a uuid'],
    ],
    ['one that left', [a('text')], [], ['informational column removed: a text -> nothing']],
    [
      'one that left and was NOT NULL',
      [a('text', notNull)],
      [],
      ['free column removed: a text NOT NULL -> nothing'],
    ],
    [
      'one that left and has a default',
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
    ['another family', [a('text')], [a('integer')], ['unsafe type changed: a text -> a integer']],
    [
      'one that can be NULL now',
      [a('text', notNull)],
      [a('text')],
      ['free nullability changed: a text NOT NULL -> a text'],
    ],
    [
      'one that cannot be NULL now',
      [a('text')],
      [a('text', notNull)],
      ['informational nullability changed: a text -> a text NOT NULL'],
    ],
    [
      'a default that comes',
      [a('text')],
      [a('text', { default: `''` })],
      ['free default changed: a text -> a text'],
    ],
    [
      'a default that is another, or goes',
      [a('text', { default: `''` }), { name: 'b', type: 'text', default: `''` }],
      [a('text', { default: `'x'` }), { name: 'b', type: 'text' }],
      ['free default changed: a text -> a text', 'free default changed: b text -> b text'],
    ],
    [
      'all of it at once',
      [a('smallint', notNull)],
      [a('integer', { default: '0' })],
      [
        'rewrite type changed: a smallint NOT NULL -> a integer',
        'free nullability changed: a smallint NOT NULL -> a integer',
        'free default changed: a smallint NOT NULL -> a integer',
      ],
    ],
    [
      'another type of the source that is the same here',
      [a('text', { source: { name: 'a', type: 'ntext' }, exactness: 'lossy', reason: 'NUL' })],
      [a('text', { source: { name: 'a', type: 'xml' }, exactness: 'exact' })],
      ['informational column redefined: source, exactness, reason a text -> a text'],
    ],
    [
      'another name without a word of it',
      [a('text')],
      [{ name: 'b', type: 'text' }],
      ['free column added: nothing -> b text', 'informational column removed: a text -> nothing'],
    ],
    [
      'another name as configured',
      [a('text')],
      [{ name: 'b', type: 'text', formerly: ['a'] }],
      ['free column renamed: a text -> b text'],
    ],
    [
      'the newest of its earlier names',
      [a('text'), { name: 'b', type: 'text' }],
      [{ name: 'c', type: 'integer', formerly: ['b', 'a'] }],
      [
        'free column renamed: b text -> c integer',
        'unsafe type changed: b text -> c integer',
        'informational column removed: a text -> nothing',
      ],
    ],
    [
      'a rename that was carried out',
      [{ name: 'b', type: 'text' }],
      [{ name: 'b', type: 'text', formerly: ['a'] }],
      ['informational column redefined: earlier names b text -> b text'],
    ],
    [
      'another order',
      [a('text'), { name: 'b', type: 'text' }],
      [{ name: 'b', type: 'text' }, a('text')],
      ['informational table redefined: order of columns T -> T'],
    ],
  ])('%s', (_what, before, after, expected) => {
    expect(describeDiff([table(before)], [table(after)])).toEqual(expected);
  });

  it('are informational where the table exists already', () => {
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

describe('the key', () => {
  const NR: Column = { name: 'nr', type: 'integer', nullable: false };
  const key = (...columns: readonly string[]): Partial<ReplicatedTable> => ({
    key: { columns, origin: 'primary key' },
  });

  it.each<[string, ReplicatedTable, ReplicatedTable, readonly string[]]>([
    [
      'of more columns',
      table([NR]),
      table([NR], key('id', 'nr')),
      ['unsafe key changed: (id) -> (id, nr)'],
    ],
    [
      'in another order',
      table([NR], key('nr', 'id')),
      table([NR], key('id', 'nr')),
      ['unsafe key changed: (nr, id) -> (id, nr)'],
    ],
    ['that goes', table(), table([], { key: null }), ['unsafe key changed: (id) -> nothing']],
    ['that comes', table([], { key: null }), table(), ['unsafe key changed: nothing -> (id)']],
    [
      'of a column with another name',
      table([NR], key('nr')),
      table([{ ...NR, name: 'no', formerly: ['nr'] }], key('no')),
      ['free column renamed: nr integer NOT NULL -> no integer NOT NULL'],
    ],
    [
      'of a column that left',
      table([NR], key('id', 'nr')),
      table(),
      [
        'unsafe key changed: (id, nr) -> (id)',
        'informational column removed: nr integer NOT NULL -> nothing',
      ],
    ],
    [
      'from elsewhere',
      table(),
      table([], { key: { ...KEY, origin: 'key_columns' } }),
      ['informational table redefined: origin of the key T -> T'],
    ],
  ])('%s', (_what, before, after, expected) => {
    expect(describeDiff([before], [after])).toEqual(expected);
  });
});

describe('tables', () => {
  const named = (name: string) => table([], { name });
  const existing = (name: string): ExistingTable => ({
    ...named(name),
    kind: 'existing',
    columns: [],
  });

  it('come and go', () => {
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
  ])('of another %s are other tables', (_what, more) => {
    expect(diffTables([table()], [table([], more)]).map(({ kind }) => kind)).toEqual([
      'table added',
      'table removed',
    ]);
  });

  it('that are no longer made, only checked, are others', () => {
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
  ])('with another %s', (fact, more) => {
    expect(describeDiff([table()], [table([], more)])).toEqual([
      `informational table redefined: ${fact} T -> T`,
    ]);
  });

  it('of none are no changes', () => {
    expect(diffTables([], [])).toEqual([]);
  });
});

describe('the partitions of a table', () => {
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
    ['come to a table', {}, by(['id'], LOW), 'unsafe partitions changed: nothing -> low'],
    ['leave a table', by(['id'], LOW), {}, 'informational partitions changed: low -> nothing'],
    ['are added', by(['id']), by(['id'], LOW), 'free partitions changed:  -> low'],
    ['are left out', by(['id'], LOW), by(['id']), 'informational partitions changed: low -> '],
    [
      'get other bounds',
      by(['id'], LOW),
      by(['id'], ['low', 'TO (2)']),
      'unsafe partitions changed: low -> low',
    ],
    ['are by another column', by(['id']), by(['a']), 'unsafe partitions changed:  -> '],
  ] as const)('%s', (_, before, after, expected) => {
    const a = { name: 'a', type: 'text' };
    expect(describeDiff([table([a], before)], [table([a], after)])).toEqual([expected]);
  });
  it('are the same by a column with another name', () => {
    const [before, after] = [
      { name: 'a', type: 'text' },
      { name: 'b', type: 'text', formerly: ['a'] },
    ];
    expect(
      describeDiff([table([before], by(['a'], LOW))], [table([after], by(['b'], LOW))]),
    ).toEqual([expect.stringContaining('column renamed')]);
  });
  it.each([
    ['and was', by(['a'], LOW), by(['a'], LOW)],
    ['and was not', {}, by(['a'], LOW)],
    ['no more', by(['a'], LOW), {}],
  ])('let no type of their column change: in the partition key %s', (_, before, after) => {
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
