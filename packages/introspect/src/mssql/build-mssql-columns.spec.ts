import { VIEWS, catalogOf, columnOf, columnRow } from './mssql-rows.fixture.ts';

describe('facets', () => {
  it.each([
    ['char', { max_length: 11 }, { length: 11 }],
    ['varchar', { max_length: 8000 }, { length: 8000 }],
    ['varchar', { max_length: -1 }, { length: 'max' }],
    ['nchar', { max_length: 6 }, { length: 3 }],
    ['nvarchar', { max_length: 8000 }, { length: 4000 }],
    ['nvarchar', { max_length: 2 }, { length: 1 }],
    ['nvarchar', { max_length: -1 }, { length: 'max' }],
    ['binary', { max_length: 32 }, { length: 32 }],
    ['varbinary', { max_length: 16 }, { length: 16 }],
    ['varbinary', { max_length: -1 }, { length: 'max' }],
    ['decimal', { precision: 38, scale: 0 }, { precision: 38, scale: 0 }],
    ['numeric', { precision: 10, scale: 4 }, { precision: 10, scale: 4 }],
    ['float', { precision: 53 }, { precision: 53 }],
    ['float', { precision: 24 }, { precision: 24 }],
    ['time', { precision: 8, scale: 0 }, { scale: 0 }],
    ['datetime2', { precision: 27, scale: 7 }, { scale: 7 }],
    ['datetimeoffset', { precision: 30, scale: 3 }, { scale: 3 }],
  ])('are read for %s %j', (type, row, facets) => {
    expect(columnOf(type, row)).toStrictEqual({ name: 'c', type, ...facets, nullable: true });
  });

  it.each([
    ...['bit', 'tinyint', 'smallint', 'int', 'bigint', 'real', 'money', 'smallmoney', 'date'],
    ...['smalldatetime', 'datetime', 'text', 'ntext', 'image', 'xml', 'uniqueidentifier'],
    ...['sql_variant', 'hierarchyid', 'geography', 'geometry', 'json', 'constructor'],
  ])('are omitted for %s', (type) => {
    const column = columnOf(type, { max_length: -1, precision: 23, scale: 3 });
    expect(column).toStrictEqual({ name: 'c', type, nullable: true });
  });
});

describe('types', () => {
  it.each([
    ['timestamp', 'rowversion'],
    ['rowversion', 'rowversion'],
    ['NVARCHAR', 'nvarchar'],
  ])('%s is read as %s', (type, expected) => {
    expect(columnOf(type, { max_length: 8 })?.type).toBe(expected);
  });

  const ALIAS = { system_type_id: 231, schema_id: 1, is_user_defined: true };

  it.each([
    ['an alias type', { name: 'Url', ...ALIAS }, 'nvarchar', 'dbo.Url', 'alias'],
    [
      'an alias type with the name of a system type',
      { name: 'int', ...ALIAS },
      'nvarchar',
      'dbo.int',
      'alias',
    ],
    [
      'a CLR type',
      { name: 'date', ...ALIAS, system_type_id: 240, is_assembly_type: true },
      'clr',
      'dbo.date',
      'clr',
    ],
    [
      'an alias type in a schema that is not visible',
      { name: 'Url', ...ALIAS, schema_id: 9 },
      'nvarchar',
      'Url',
      'alias',
    ],
  ])('%s is read', (_, type, base, declaredAs, declaredKind) => {
    const column = columnOf(
      'x',
      { system_type_id: type.system_type_id, max_length: 40 },
      {
        'sys.types': [...VIEWS['sys.types'], { user_type_id: 7777, ...type }],
      },
    );
    const facets = base === 'nvarchar' ? { length: 20 } : {};
    expect(column).toEqual({
      name: 'c',
      type: base,
      ...facets,
      declaredAs,
      declaredKind,
      nullable: true,
    });
  });

  it.each([
    [
      'sysname is read as nvarchar',
      { user_type_id: 256, system_type_id: 231, max_length: 256 },
      'nvarchar',
    ],
    [
      'a system type is identified by its name',
      { user_type_id: 130, system_type_id: 240 },
      'geography',
    ],
    [
      'an alias type that is not visible is read as its base type',
      { user_type_id: 999, system_type_id: 231 },
      'nvarchar',
    ],
    [
      'a type with several possible base types is named by its id',
      { user_type_id: 999, system_type_id: 240 },
      'user_type_id 999',
    ],
    [
      'a type without a known base type is named by its id',
      { user_type_id: 999, system_type_id: 5 },
      'user_type_id 999',
    ],
  ])('%s', (_, row, type) => {
    const columns = { 'sys.columns': [columnRow(row)] };
    expect(catalogOf(columns).tables[0]?.columns[0]?.type).toBe(type);
  });

  it('types are identified by name on a server with other type ids', () => {
    const types = [{ name: 'nvarchar', system_type_id: 1, user_type_id: 2 }];
    const columns = [columnRow({ system_type_id: 1, user_type_id: 2, max_length: 200 })];
    const { tables } = catalogOf({ 'sys.types': types, 'sys.columns': columns });
    expect(tables[0]?.columns[0]).toStrictEqual({
      name: 'c',
      type: 'nvarchar',
      length: 100,
      nullable: true,
    });
  });
});

describe('columns', () => {
  const KEY = { object_id: 1, column_id: 2 };

  it.each([
    ['identity by the column', { is_identity: true }, {}, { identity: true }],
    ['identity by its view', {}, { 'sys.identity_columns': [KEY] }, { identity: true }],
    ['not null as 0', { is_nullable: 0 }, {}, { nullable: false }],
    ['not null as false', { is_nullable: false }, {}, { nullable: false }],
    [
      'computed',
      { is_computed: true },
      { 'sys.computed_columns': [{ ...KEY, definition: '(len([Notat]))' }] },
      { computed: '(len([Notat]))' },
    ],
    [
      'computed, with a hidden expression',
      { is_computed: 1 },
      { 'sys.computed_columns': [{ ...KEY, definition: null }] },
      { computed: '(not visible)' },
    ],
    [
      'computed, without a row in its view',
      { is_computed: true },
      {},
      { computed: '(not visible)' },
    ],
    ['a column set', { is_column_set: true }, {}, { computed: '(column set)' }],
    [
      'default',
      {},
      {
        'sys.default_constraints': [
          { parent_object_id: 1, parent_column_id: 2, definition: '((0))' },
        ],
      },
      { default: '((0))' },
    ],
    [
      'no default if it belongs to another column',
      {},
      {
        'sys.default_constraints': [
          { parent_object_id: 2, parent_column_id: 2, definition: '((0))' },
        ],
      },
      {},
    ],
    [
      'no default if it is hidden',
      {},
      {
        'sys.default_constraints': [{ parent_object_id: 1, parent_column_id: 2, definition: null }],
      },
      {},
    ],
    [
      'no collation if it is that of the database',
      { collation_name: 'Danish_Norwegian_CI_AS' },
      {},
      {},
    ],
    [
      'another collation',
      { collation_name: 'Latin1_General_CI_AS' },
      {},
      { collation: 'Latin1_General_CI_AS' },
    ],
    [
      'a collation if that of the database is unknown',
      { collation_name: 'Danish_Norwegian_CI_AS' },
      { 'sys.databases': [] },
      { collation: 'Danish_Norwegian_CI_AS' },
    ],
  ])('are read with %s', (_, row, changes, expected) => {
    expect(columnOf('int', row, changes)).toStrictEqual({
      name: 'c',
      type: 'int',
      nullable: true,
      ...expected,
    });
  });

  it('are read in the order of column_id, without duplicates', () => {
    const columns = [3, 1, 2, 3, 1].map((id) => columnRow({ column_id: id, name: `c${id}` }));
    const { tables } = catalogOf({ 'sys.columns': columns });
    expect(tables[0]?.columns.map(({ name }) => name)).toEqual(['c1', 'c2', 'c3']);
  });
});
