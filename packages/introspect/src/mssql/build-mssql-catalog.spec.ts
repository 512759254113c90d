import { VIEWS, catalogOf } from './mssql-rows.fixture.ts';
import { buildMssqlCatalog } from './build-mssql-catalog.ts';
import { parseMssqlCatalogRows } from './parse-mssql-catalog-rows.ts';
import { MssqlSelectionError } from './select-mssql-tables.ts';

const COLUMN = { name: 'id', type: 'int', nullable: true };
const TABLE = { columns: [], uniqueIndexes: [], foreignKeys: [] };

/** Builds rows for tables in schema dbo, and for tables of the same names in schema sys. */
function tables(...names: readonly string[]): { readonly 'sys.tables': readonly object[] } {
  const inDbo = names.map((name, index) => ({ object_id: index + 1, name, schema_id: 1 }));
  const inSys = names.map((name, index) => ({ object_id: index + 101, name, schema_id: 4 }));
  return { 'sys.tables': [...inSys, ...inDbo, ...inDbo] };
}

describe('buildMssqlCatalog', () => {
  it('builds a catalog without the row of sys.databases', () => {
    expect(catalogOf({ 'sys.databases': [] })).toStrictEqual({
      database: 'Db',
      schema: 'dbo',
      type: 'mssql',
      pattern: 'db-per-tenant',
      tables: [{ ...TABLE, name: 'T', columns: [COLUMN] }],
    });
  });

  it.each([
    ['an exact name', ['Actor', 'Test'], ['Actor'], ['Actor']],
    ['a name in another case', ['Actor'], ['aCTOR'], ['Actor']],
    ['a name in another case, beyond ASCII', ['Ærlig Øst'], ['ærlig øST'], ['Ærlig Øst']],
    ['each table once', ['Actor'], ['actor', 'Actor', 'ACTOR'], ['Actor']],
    ['the exact name if only case differs', ['actor', 'Actor'], ['Actor'], ['Actor']],
    [
      'tables in the order of their names',
      ['b', 'B', 'a', 'Å'],
      ['Å', 'b', 'a', 'B'],
      ['B', 'a', 'b', 'Å'],
    ],
    ['no table', ['Actor'], [], []],
  ])('selects %s', (_, there, named, expected) => {
    const catalog = catalogOf(tables(...there), named);
    expect(catalog.tables.map(({ name }) => name)).toEqual(expected);
  });

  it('reports every missing table', () => {
    const build = (): unknown => catalogOf(tables('Actor', 'x', 'X'), ['Aktor', 'Actor', 'x', 'Y']);
    expect(build).toThrow(MssqlSelectionError);
    expect(build).toThrow('Db.dbo has no table "Aktor"\nDb.dbo has no table "Y"');
    expect(build).toThrow(
      expect.objectContaining({
        database: 'Db',
        schema: 'dbo',
        hasSchema: true,
        unmatched: [
          { table: 'Aktor', candidates: [] },
          { table: 'Y', candidates: [] },
        ],
      }),
    );
  });

  it('does not choose between tables that differ only in case', () => {
    expect(() => catalogOf(tables('actor', 'Actor'), ['ACTOR'])).toThrow(
      'Db.dbo has several tables "ACTOR": actor, Actor; write one of them',
    );
  });

  it.each([
    ['dbo', 'db', 'dbo'],
    ['DBO', 'DB', 'DBO'],
  ])('compares schema %s and database %s without regard to case', (schema, database, expected) => {
    const selection = { schema, database, pattern: 'db-shared', tables: ['T'] } as const;
    const catalog = buildMssqlCatalog(parseMssqlCatalogRows(VIEWS), selection);
    expect(catalog).toMatchObject({ schema: expected, database, pattern: 'db-shared' });
    expect(catalog.collation).toBe('Danish_Norwegian_CI_AS');
    expect(catalog.tables).toHaveLength(1);
  });

  it('reports a missing schema', () => {
    const selection = {
      schema: 'rpt',
      database: 'Db',
      pattern: 'db-shared',
      tables: ['T', 'U'],
    } as const;
    const build = (): unknown => buildMssqlCatalog(parseMssqlCatalogRows(VIEWS), selection);
    expect(build).toThrow('Db has no schema "rpt" (selected: T, U)');
    expect(build).toThrow(expect.objectContaining({ hasSchema: false }));
  });

  it.each([
    [true, { tracked: true }],
    [1, { tracked: true }],
    [false, {}],
    [null, {}],
    [undefined, {}],
  ])('reads is_tracked_by_cdc %s', (is_tracked_by_cdc, expected) => {
    const [row] = VIEWS['sys.tables'];
    const catalog = catalogOf({ 'sys.tables': [{ ...row, is_tracked_by_cdc }] });
    expect(catalog.tables).toStrictEqual([{ ...TABLE, name: 'T', columns: [COLUMN], ...expected }]);
  });
});
