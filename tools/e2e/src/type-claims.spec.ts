import type { CatalogColumn, SourceType } from '@cdc-migrations/catalog';
import { type PostgresServer, startPostgres } from '@cdc-migrations/postgres-fixture';
import { mapType } from '@cdc-migrations/table-defs';

type Facets = Partial<CatalogColumn>;

function mapped(source: SourceType, type: string, facets: Facets) {
  const column: CatalogColumn = { name: 'c', type, nullable: true, ...facets };
  return mapType(source, column, { overrides: undefined, table: 'dbo.T' })!;
}

const digits = (precision: number, scale: number) =>
  `${'9'.repeat(precision - scale)}${scale > 0 ? `.${'9'.repeat(scale)}` : ''}`;

/** Extreme values of each exact SQL Server type, as PostgreSQL writes them. */
const EXACT: readonly (readonly [string, Facets, readonly string[]])[] = [
  ['bit', {}, ['true', 'false']],
  ['tinyint', {}, ['0', '255']],
  ['smallint', {}, ['-32768', '32767']],
  ['int', {}, ['-2147483648', '2147483647']],
  ['bigint', {}, ['-9223372036854775808', '9223372036854775807']],
  ['decimal', { precision: 38, scale: 10 }, [digits(38, 10), `-${digits(38, 10)}`]],
  ['numeric', { precision: 38, scale: 38 }, [`0.${'9'.repeat(38)}`]],
  ['numeric', { precision: 18, scale: 0 }, [digits(18, 0)]],
  ['money', {}, ['-922337203685477.5808', '922337203685477.5807']],
  ['smallmoney', {}, ['-214748.3648', '214748.3647']],
  ['real', {}, ['3.4028235e+38', '1.1754944e-38', '-1.5']],
  ['float', { precision: 53 }, ['1.7976931348623157e+308', '2.2250738585072014e-308']],
  ['date', {}, ['0001-01-01', '9999-12-31']],
  ['time', { scale: 6 }, ['00:00:00', '23:59:59.999999']],
  ['smalldatetime', {}, ['1900-01-01 00:00:00', '2079-06-06 23:59:00']],
  ['datetime', {}, ['1753-01-01 00:00:00', '9999-12-31 23:59:59.997']],
  ['datetime2', { scale: 6 }, ['0001-01-01 00:00:00', '9999-12-31 23:59:59.999999']],
  ['binary', { length: 3 }, ['\\x00ff5c']],
  ['varbinary', { length: 50 }, ['\\x', '\\x00']],
  ['rowversion', {}, ['\\xffffffffffffffff']],
  ['uniqueidentifier', {}, ['ffffffff-ffff-ffff-ffff-ffffffffffff']],
];

/** Values of lossy types with their result: an SQLSTATE, or another text. */
const LOSSY: readonly (readonly [SourceType, string, Facets, string, string | RegExp])[] = [
  ['mssql', 'char', { length: 4 }, `E'a\\\\000'::bytea`, /22021/],
  ['mssql', 'char', { length: 4 }, `'a'`, 'a   '],
  ['mssql', 'nchar', { length: 4 }, `'\\xeda080'::bytea`, /22021/],
  ['mssql', 'varchar', { length: 9 }, `'\\x6100'::bytea`, /22021/],
  ['mssql', 'nvarchar', { length: 9 }, `'\\xeda080'::bytea`, /22021/],
  ['mssql', 'sysname', {}, `'\\x00'::bytea`, /22021/],
  ['mssql', 'nvarchar', { length: 'max' }, `'\\xedbfbf'::bytea`, /22021/],
  ['mssql', 'ntext', {}, `'\\x00'::bytea`, /22021/],
  ['mssql', 'time', { scale: 7 }, `'23:59:59.9999999'`, '24:00:00'],
  ['mssql', 'datetime2', { scale: 7 }, `'9999-12-31 23:59:59.9999999'`, '10000-01-01 00:00:00'],
  [
    'mssql',
    'datetimeoffset',
    { scale: 3 },
    `'2024-01-01 10:00:00+02:00'`,
    '2024-01-01 08:00:00+00',
  ],
  ['mssql', 'json', {}, `'"\\u0000"'`, /22P05/],
  ['mssql', 'json', {}, `'"\\ud800"'`, /22P02/],
  ['mssql', 'json', {}, `'{ "b": 1, "a": 1, "a": 2 }'`, '{"a": 2, "b": 1}'],
  ['mssql', 'xml', {}, `'<?xml version="1.0"?><a/>'`, '<a/>'],
  ['postgres', 'money', {}, `'1.005'`, '1.01'],
];

describe('the claims about types match PostgreSQL', () => {
  let server: PostgresServer;
  let cast: (literal: string, type: string) => Promise<string>;
  beforeAll(async () => {
    server = await startPostgres({ major: 15 });
    const sql = server.connect({ max: 1 });
    await sql.unsafe(`SET timezone = 'UTC'`);
    cast = async (literal, type) => {
      const text = /::bytea$/.test(literal) ? `convert_from(${literal}, 'UTF8')` : literal;
      const [row] = await sql.unsafe(`SELECT concat(CAST(${text} AS ${type})) AS text`);
      return row!['text'] as string;
    };
  });
  afterAll(() => server.stop());

  it.each(EXACT)('%s %j is exact', async (type, facets, values) => {
    const { type: target, exactness } = mapped('mssql', type, facets);
    expect(exactness).toBe('exact');
    for (const value of values) {
      const shown = target === 'boolean' ? value.charAt(0) : value;
      expect(await cast(`'${value}'`, target)).toBe(shown);
    }
  });

  it.each(LOSSY)('%s %s %j is lossy: %s', async (source, type, facets, value, outcome) => {
    const { type: target, exactness } = mapped(source, type, facets);
    expect(exactness).toBe('lossy');
    const found = await cast(value, target).catch(
      (error: unknown) => `SQLSTATE ${(error as { code: string }).code}`,
    );
    expect(found).toEqual(typeof outcome === 'string' ? outcome : expect.stringMatching(outcome));
  });

  it.each(['xml', 'json'])('%s has no equality operator', async (type) => {
    await expect(cast(`(SELECT '1'::${type} = '1'::${type})`, 'text')).rejects.toMatchObject({
      code: '42883',
    });
  });

  it.each([
    ['interval', '1 month', '30 days'],
    ['numrange', '[1,2)', '[1.0,2)'],
  ])('equal values of %s can have different text', async (type, one, other) => {
    expect(await cast(`('${one}'::${type} = '${other}'::${type})::text`, 'text')).toBe('true');
    expect(await cast(`'${one}'`, type)).not.toBe(await cast(`'${other}'`, type));
  });
});
