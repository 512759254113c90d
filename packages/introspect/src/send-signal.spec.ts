import { renderSnapshotData, SignalNameError, type SnapshotKind } from './send-signal.ts';

const collections = (
  name: readonly string[],
  kind: SnapshotKind = 'INCREMENTAL',
  type: 'mssql' | 'postgres' = name.length > 2 ? 'mssql' : 'postgres',
): unknown => {
  const data = JSON.parse(renderSnapshotData([{ name }], { type, kind })) as object;
  return (data as { 'data-collections': unknown[] })['data-collections'][0];
};

// tools/wire signals Debezium with tables of these names.
it.each<readonly [name: readonly string[], incremental: string, blocking: string]>([
  [['public', 'roles'], 'public.roles', 'public.roles'],
  [['AdOpus', 'dbo', 'Døv-Aktør'], 'AdOpus.dbo.Døv-Aktør', 'AdOpus.dbo.Døv-Aktør'],
  [['public', 'pri$e'], 'public."pri$e"', 'public\\.pri\\$e'],
  [['public', 'c+d'], 'public."c+d"', 'public\\.c\\+d'],
  [['public', 'e.f'], 'public."e.f"', 'public\\.e\\.f'],
  [['public', 'g(h'], 'public\\.g\\(h', 'public\\.g\\(h'],
  [['public', 'a,b'], 'public."a,b"', 'public\\.a\\,b'],
  [['public', 'a[b]'], 'public\\.a\\[b\\]', 'public\\.a\\[b\\]'],
  [['public', 'a\\b'], 'public\\.a\\\\b', 'public\\.a\\\\b'],
  [['Db', 'dbo', 'Order (old)'], 'Db.dbo."Order (old)"', 'Db\\.dbo\\.Order\\u0020\\(old\\)'],
  [['Db', 'dbo', `a''b"c.d`], `Db.dbo."a''''b""c.d"`, `Db\\.dbo\\.a''b"c\\.d`],
])('renders the name %j as Debezium expects it', (name, incremental, blocking) => {
  expect(collections(name)).toBe(incremental);
  expect(collections(name, 'BLOCKING')).toBe(blocking);
});

it.each<readonly [readonly string[]]>([
  [['public', 'i j']],
  [['public', '"quoted']],
  [['Db', 'dbo', 'a.b(']],
  [['Db', 'dbo', 'a b[']],
])('refuses %j in an incremental snapshot, and accepts it in a blocking one', (name) => {
  expect(() => collections(name)).toThrow(SignalNameError);
  expect(collections(name, 'BLOCKING')).toMatch(/^[^ ]+$/);
});

it('renders a filter as a condition, or as the SELECT of a blocking snapshot', () => {
  const table = { name: ['public', 'Ro$es'], filter: '"id" IN (1)' };
  const data = (kind: SnapshotKind) =>
    JSON.parse(renderSnapshotData([table], { type: 'postgres', kind })) as object;
  expect(data('INCREMENTAL')).toEqual({
    'data-collections': ['public."Ro$es"'],
    type: 'INCREMENTAL',
    'additional-conditions': [
      { 'data-collection': '(?-i)public\\."Ro\\$es"', filter: '"id" IN (1)' },
    ],
  });
  expect(data('BLOCKING')).toEqual({
    'data-collections': ['public\\.Ro\\$es'],
    type: 'BLOCKING',
    'additional-conditions': [
      {
        'data-collection': 'public."Ro$es"',
        filter: 'SELECT * FROM "public"."Ro$es" WHERE "id" IN (1)',
      },
    ],
  });
});
