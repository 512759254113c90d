import { VIEWS, columnRow } from './mssql-rows.fixture.ts';
import { MssqlRowsError, parseMssqlCatalogRows } from './parse-mssql-catalog-rows.ts';

describe('parseMssqlCatalogRows', () => {
  it('reads values in the types of drivers and of JSON', () => {
    const columns = [
      columnRow({ object_id: '245575929', max_length: '-1', is_nullable: 1, extra: 1 }),
    ];
    const rows = parseMssqlCatalogRows({ ...VIEWS, 'sys.columns': columns, 'sys.objects': [] });
    expect(rows.columns).toStrictEqual([
      {
        object_id: 245575929,
        column_id: 2,
        name: 'c',
        system_type_id: 56,
        user_type_id: 56,
        max_length: -1,
        precision: 10,
        scale: 0,
        collation_name: null,
        is_nullable: true,
        is_identity: false,
        is_computed: false,
        is_column_set: false,
      },
    ]);
    expect(rows.foreign_keys).toEqual([]);
  });

  it.each([
    ['undefined', undefined, ['catalog: expected Object, received undefined']],
    ['a list', [], ['sys.schemas: expected "sys.schemas", received undefined']],
    [
      'columns without rows',
      { ...VIEWS, 'sys.columns': 5 },
      ['sys.columns: expected Array, received 5'],
    ],
    [
      'a row without nullability, another without name',
      {
        ...VIEWS,
        'sys.columns': [columnRow({ is_nullable: null })],
        'sys.tables': [{ object_id: 1, schema_id: 1 }],
      },
      [
        'sys.tables 0 name: expected "name", received undefined',
        'sys.columns 0 is_nullable: expected (boolean | (0 | 1)), received null',
      ],
    ],
    [
      'an id that is not a number',
      { ...VIEWS, 'sys.schemas': [{ schema_id: 'one', name: 'dbo' }] },
      ['sys.schemas 0 schema_id: expected another value, received NaN'],
    ],
  ])('refuses %s', (_, json, problems) => {
    expect(() => parseMssqlCatalogRows(json)).toThrow(MssqlRowsError);
    expect(() => parseMssqlCatalogRows(json)).toThrow(
      expect.objectContaining({ problems: expect.arrayContaining(problems) }),
    );
  });

  it('lists 20 problems in the message, and all in the field', () => {
    const columns = Array.from({ length: 25 }, () => columnRow({ name: '' }));
    let caught: unknown;
    try {
      parseMssqlCatalogRows({ ...VIEWS, 'sys.columns': columns });
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(MssqlRowsError);
    const { problems, message } = caught as MssqlRowsError;
    expect(problems).toHaveLength(25);
    expect(message.split('\n')).toHaveLength(21);
    expect(message).toMatch(/and 5 more$/);
  });
});
