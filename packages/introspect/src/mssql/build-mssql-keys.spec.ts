import { VIEWS, catalogOf, columnRow } from './mssql-rows.fixture.ts';

const COLUMNS = {
  'sys.columns': ['a', 'b', 'c'].map((name, index) => columnRow({ column_id: index + 1, name })),
};
const INDEX = { object_id: 1, index_id: 1, name: 'IX', is_unique: true };

/** Builds key columns of index 1 in the order of the ids. */
function keyColumns(...columnIds: readonly number[]): object[] {
  return columnIds.map((column_id, index) => ({
    object_id: 1,
    index_id: 1,
    column_id,
    key_ordinal: index + 1,
  }));
}

function keysOf(index: object, columns: readonly object[]): object {
  const views = { ...COLUMNS, 'sys.indexes': [index], 'sys.index_columns': columns };
  const { columns: own, name, ...keys } = catalogOf(views).tables[0]!;
  expect([name, own.length]).toEqual(['T', 3]);
  return keys;
}

const NONE = { uniqueIndexes: [], foreignKeys: [] };

describe('the keys of a table', () => {
  it.each([
    [
      'contain a primary key, with columns in the order of their ordinals',
      { ...INDEX, is_primary_key: true },
      [...keyColumns(3, 1)].reverse(),
      { ...NONE, primaryKey: { name: 'IX', columns: ['c', 'a'] } },
    ],
    [
      'contain a primary key without its other flags',
      { ...INDEX, is_unique: null, is_primary_key: 1 },
      keyColumns(1),
      { ...NONE, primaryKey: { name: 'IX', columns: ['a'] } },
    ],
    [
      'contain a unique index',
      INDEX,
      keyColumns(2),
      { ...NONE, uniqueIndexes: [{ name: 'IX', columns: ['b'] }] },
    ],
    [
      'contain a filtered index with its filter',
      { ...INDEX, filter_definition: '([b]>(0))' },
      keyColumns(2),
      { ...NONE, uniqueIndexes: [{ name: 'IX', columns: ['b'], filter: '([b]>(0))' }] },
    ],
    [
      'contain a filtered index whose filter is not visible',
      { ...INDEX, has_filter: true, filter_definition: null },
      keyColumns(2),
      { ...NONE, uniqueIndexes: [{ name: 'IX', columns: ['b'], filter: '(not visible)' }] },
    ],
    [
      'contain a filtered index of a server without has_filter',
      { ...INDEX, has_filter: null, filter_definition: '([b]>(0))' },
      keyColumns(2),
      { ...NONE, uniqueIndexes: [{ name: 'IX', columns: ['b'], filter: '([b]>(0))' }] },
    ],
    [
      'do not contain included columns',
      INDEX,
      [...keyColumns(2), { object_id: 1, index_id: 1, column_id: 3, key_ordinal: 0 }],
      { ...NONE, uniqueIndexes: [{ name: 'IX', columns: ['b'] }] },
    ],
    [
      'do not contain the duplicates of a join',
      INDEX,
      [...keyColumns(2, 3), ...keyColumns(2, 3)],
      { ...NONE, uniqueIndexes: [{ name: 'IX', columns: ['b', 'c'] }] },
    ],
    [
      'do not contain an index that is not unique',
      { ...INDEX, is_unique: false },
      keyColumns(1),
      NONE,
    ],
    ['do not contain a disabled index', { ...INDEX, is_disabled: true }, keyColumns(1), NONE],
    [
      'do not contain a disabled primary key',
      { ...INDEX, is_primary_key: true, is_disabled: true },
      keyColumns(1),
      NONE,
    ],
    [
      'do not contain a hypothetical index',
      { ...INDEX, is_hypothetical: true },
      keyColumns(1),
      NONE,
    ],
    [
      'do not contain a heap',
      { object_id: 1, index_id: 0, name: null, is_unique: false },
      [],
      NONE,
    ],
    ['do not contain an index whose columns are not visible', INDEX, [], NONE],
    ['do not contain an index with a column that is not visible', INDEX, keyColumns(1, 9), NONE],
  ])('%s', (_, index, columns, expected) => {
    expect(keysOf(index, columns)).toStrictEqual(expected);
  });

  it('are sorted by name, without duplicates', () => {
    const indexes = [
      { ...INDEX, index_id: 3, name: 'b' },
      { ...INDEX, index_id: 2, name: 'a' },
      { ...INDEX, index_id: 3, name: 'b' },
    ];
    const columns = [2, 3].map((index_id) => ({
      object_id: 1,
      index_id,
      column_id: 1,
      key_ordinal: 1,
    }));
    const { tables } = catalogOf({
      ...COLUMNS,
      'sys.indexes': indexes,
      'sys.index_columns': columns,
    });
    expect(tables[0]?.uniqueIndexes.map(({ name }) => name)).toEqual(['a', 'b']);
  });
});

describe('foreign keys', () => {
  const TARGET = { object_id: 2, name: 'Target', schema_id: 5 };
  const TARGET_COLUMNS = ['x', 'y'].map((name, index) =>
    columnRow({ object_id: 2, column_id: index + 1, name }),
  );
  const VIEWS_OF_BOTH = {
    'sys.schemas': [...VIEWS['sys.schemas'], { schema_id: 5, name: 'other' }],
    'sys.tables': [...VIEWS['sys.tables'], TARGET],
    'sys.columns': [...COLUMNS['sys.columns'], ...TARGET_COLUMNS],
    'sys.foreign_keys': [
      { object_id: 10, name: 'FK', parent_object_id: 1, referenced_object_id: 2 },
      { object_id: 10, name: 'FK', parent_object_id: 1, referenced_object_id: 2 },
    ],
    'sys.foreign_key_columns': [2, 1, 2].map((id) => ({
      constraint_object_id: 10,
      constraint_column_id: id,
      parent_column_id: 4 - id,
      referenced_column_id: id,
    })),
  };

  it('contain their target, with columns in order of their ids', () => {
    expect(catalogOf(VIEWS_OF_BOTH).tables[0]?.foreignKeys).toStrictEqual([
      {
        name: 'FK',
        columns: ['c', 'b'],
        references: { schema: 'other', table: 'Target', columns: ['x', 'y'] },
      },
    ]);
  });

  it.each([
    ['table', { 'sys.tables': VIEWS['sys.tables'] }],
    ['schema', { 'sys.schemas': VIEWS['sys.schemas'] }],
    ['columns', { 'sys.columns': COLUMNS['sys.columns'] }],
    ['own columns', { 'sys.foreign_key_columns': [] }],
  ])('are omitted if the login cannot see their %s', (_, change) => {
    expect(catalogOf({ ...VIEWS_OF_BOTH, ...change }).tables[0]?.foreignKeys).toEqual([]);
  });
});
