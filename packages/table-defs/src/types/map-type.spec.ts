import type { CatalogColumn, SourceType } from '@cdc-migrations/catalog';
import type { TypeOverrides } from '@cdc-migrations/config';
import { canonicalType } from './canonical-type.ts';
import { formatSourceType, mapType } from './map-type.ts';

type Facets = Partial<CatalogColumn>;

const NO_OVERRIDES = { overrides: undefined, table: 'dbo.Actor' };

function column(type: string, facets: Facets = {}): CatalogColumn {
  return { name: 'c', type, nullable: true, ...facets };
}

function map(source: SourceType, type: string, facets: Facets = {}): readonly unknown[] {
  const mapped = mapType(source, column(type, facets), NO_OVERRIDES);
  return [mapped?.type, mapped?.exactness];
}

describe('a type of SQL Server', () => {
  it.each<[string, Facets, string, string]>([
    ['bit', {}, 'boolean', 'exact'],
    ['tinyint', {}, 'smallint', 'exact'],
    ['smallint', {}, 'smallint', 'exact'],
    ['int', {}, 'integer', 'exact'],
    ['bigint', {}, 'bigint', 'exact'],
    ['decimal', { precision: 5, scale: 2 }, 'numeric(5,2)', 'exact'],
    ['decimal', { precision: 38, scale: 38 }, 'numeric(38,38)', 'exact'],
    ['decimal', {}, 'numeric(18,0)', 'exact'],
    ['numeric', { precision: 18, scale: 0 }, 'numeric(18,0)', 'exact'],
    ['money', {}, 'numeric(19,4)', 'exact'],
    ['smallmoney', {}, 'numeric(10,4)', 'exact'],
    ['real', {}, 'real', 'exact'],
    ['float', { precision: 1 }, 'real', 'exact'],
    ['float', { precision: 24 }, 'real', 'exact'],
    ['float', { precision: 25 }, 'double precision', 'exact'],
    ['float', { precision: 53 }, 'double precision', 'exact'],
    ['float', {}, 'double precision', 'exact'],
    ['date', {}, 'date', 'exact'],
    ['time', { scale: 0 }, 'time(0) without time zone', 'exact'],
    ['time', { scale: 6 }, 'time(6) without time zone', 'exact'],
    ['time', { scale: 7 }, 'time(6) without time zone', 'lossy'],
    ['time', {}, 'time(6) without time zone', 'lossy'],
    ['smalldatetime', {}, 'timestamp(0) without time zone', 'exact'],
    ['datetime', {}, 'timestamp(3) without time zone', 'exact'],
    ['datetime2', { scale: 0 }, 'timestamp(0) without time zone', 'exact'],
    ['datetime2', { scale: 6 }, 'timestamp(6) without time zone', 'exact'],
    ['datetime2', { scale: 7 }, 'timestamp(6) without time zone', 'lossy'],
    ['datetimeoffset', { scale: 0 }, 'timestamp(0) with time zone', 'lossy'],
    ['datetimeoffset', { scale: 7 }, 'timestamp(6) with time zone', 'lossy'],
    ['char', { length: 4 }, 'character(4)', 'lossy'],
    ['nchar', { length: 10 }, 'character(10)', 'lossy'],
    ['varchar', { length: 1 }, 'character varying(1)', 'lossy'],
    ['varchar', { length: 8000 }, 'character varying(8000)', 'lossy'],
    ['nvarchar', { length: 4000 }, 'character varying(4000)', 'lossy'],
    ['varchar', { length: 'max' }, 'text', 'lossy'],
    ['nvarchar', { length: 'max' }, 'text', 'lossy'],
    ['text', {}, 'text', 'lossy'],
    ['ntext', {}, 'text', 'lossy'],
    ['sysname', {}, 'character varying(128)', 'lossy'],
    ['binary', { length: 8 }, 'bytea', 'exact'],
    ['varbinary', { length: 50 }, 'bytea', 'exact'],
    ['varbinary', { length: 'max' }, 'bytea', 'lossy'],
    ['image', {}, 'bytea', 'lossy'],
    ['timestamp', {}, 'bytea', 'exact'],
    ['rowversion', {}, 'bytea', 'exact'],
    ['uniqueidentifier', {}, 'uuid', 'exact'],
    ['xml', {}, 'xml', 'lossy'],
    ['json', {}, 'jsonb', 'lossy'],
    ['sql_variant', {}, 'text', 'unsupported'],
    ['hierarchyid', {}, 'text', 'unsupported'],
    ['geometry', {}, 'text', 'unsupported'],
    ['geography', {}, 'text', 'unsupported'],
  ])('%s %j is mapped to %s (%s)', (type, facets, mapped, exactness) => {
    expect(map('mssql', type, facets)).toEqual([mapped, exactness]);
  });

  it.each<[string, Facets]>([
    ['clr', { declaredAs: 'dbo.Point', declaredKind: 'clr' }],
    ['user_type_id 300', {}],
    ['vector', {}],
  ])('%s %j has no counterpart', (type, facets) => {
    expect(map('mssql', type, facets)).toEqual([undefined, undefined]);
  });

  it('that is an alias is mapped like its base type', () => {
    const alias = { declaredAs: 'dbo.Url', declaredKind: 'alias', length: 200 } as const;
    expect(map('mssql', 'varchar', alias)).toEqual(['character varying(200)', 'lossy']);
  });

  it.each<[string, Facets, string]>([
    [
      'char',
      { length: 4 },
      'NUL cannot be stored; padded to the length in characters, but the source pads to the length in bytes',
    ],
    [
      'nchar',
      { length: 4 },
      'NUL and unpaired surrogates cannot be stored; padded to the length in characters, but the source pads to the length in code units',
    ],
    ['varchar', { length: 5 }, 'NUL cannot be stored'],
    ['nvarchar', { length: 5 }, 'NUL and unpaired surrogates cannot be stored'],
    ['sysname', {}, 'NUL and unpaired surrogates cannot be stored'],
    ['varchar', { length: 'max' }, 'NUL cannot be stored; 1 GB at most'],
    ['nvarchar', { length: 'max' }, 'NUL and unpaired surrogates cannot be stored; 1 GB at most'],
    ['text', {}, 'NUL cannot be stored; 1 GB at most'],
    ['ntext', {}, 'NUL and unpaired surrogates cannot be stored; 1 GB at most'],
    ['varbinary', { length: 'max' }, '1 GB at most'],
    ['image', {}, '1 GB at most'],
    ['time', { scale: 7 }, 'fractional digits after the sixth are truncated'],
    ['datetime2', { scale: 7 }, 'fractional digits after the sixth are truncated'],
    ['datetimeoffset', { scale: 3 }, 'the same instant without its original offset'],
    [
      'datetimeoffset',
      { scale: 7 },
      'the same instant without its original offset, and fractional digits after the sixth are truncated',
    ],
    [
      'xml',
      {},
      'values cannot be compared; insignificant white space and declarations may differ; 1 GB at most',
    ],
    [
      'json',
      {},
      'NUL and unpaired surrogates (\\u0000, \\ud800) cannot be stored; key order and duplicate keys are not preserved',
    ],
    ['sql_variant', {}, 'CDC does not replicate this type, so the column stays NULL'],
    ['hierarchyid', {}, 'CDC does not replicate this type, so the column stays NULL'],
    ['geometry', {}, 'CDC does not replicate this type, so the column stays NULL'],
    ['geography', {}, 'CDC does not replicate this type, so the column stays NULL'],
  ])('%s %j is not exact: %s', (type, facets, reason) => {
    expect(mapType('mssql', column(type, facets), NO_OVERRIDES)?.reason).toBe(reason);
  });

  it('rowversion has the advice to ignore it', () => {
    const { reason } = mapType('mssql', column('rowversion'), NO_OVERRIDES)!;
    expect(reason).toBe('changes with every update; consider ignore_columns');
  });
});

describe('a type of PostgreSQL', () => {
  it.each<[string, Facets, string, string]>([
    ['integer', {}, 'integer', 'exact'],
    ['integer', { identity: true }, 'integer', 'exact'],
    ['bigint', { default: "nextval('a_seq'::regclass)" }, 'bigint', 'exact'],
    ['numeric', {}, 'numeric', 'exact'],
    ['numeric', { precision: 10, scale: 2 }, 'numeric(10,2)', 'exact'],
    ['numeric', { precision: 10 }, 'numeric(10,0)', 'exact'],
    ['numeric', { precision: 5, scale: -2 }, 'numeric(5,-2)', 'exact'],
    ['double precision', {}, 'double precision', 'exact'],
    ['character varying', { length: 50 }, 'character varying(50)', 'exact'],
    ['character varying', {}, 'character varying', 'exact'],
    ['character', { length: 4 }, 'character(4)', 'exact'],
    ['character', {}, 'bpchar', 'exact'],
    ['bpchar', { length: 4 }, 'character(4)', 'exact'],
    ['bpchar', {}, 'bpchar', 'exact'],
    ['text', {}, 'text', 'exact'],
    ['timestamp with time zone', {}, 'timestamp with time zone', 'exact'],
    ['timestamp with time zone', { scale: 3 }, 'timestamp(3) with time zone', 'exact'],
    ['time without time zone', { scale: 0 }, 'time(0) without time zone', 'exact'],
    ['interval', { scale: 3 }, 'interval(3)', 'lossy'],
    ['time with time zone', { scale: 3 }, 'time(3) with time zone', 'lossy'],
    ['time with time zone', { array: 1 }, 'time with time zone[]', 'lossy'],
    ['bit', { length: 3 }, 'bit(3)', 'exact'],
    ['bit', {}, 'bit(1)', 'exact'],
    ['bit varying', { length: 8 }, 'bit varying(8)', 'lossy'],
    ['bit varying', { array: 1 }, 'bit varying[]', 'unsupported'],
    ['interval', { array: 1 }, 'interval[]', 'unsupported'],
    ['xml', { array: 1 }, 'xml[]', 'unsupported'],
    ['inet', {}, 'inet', 'exact'],
    ['cidr', {}, 'cidr', 'exact'],
    ['macaddr', {}, 'macaddr', 'exact'],
    ['jsonb', {}, 'jsonb', 'exact'],
    ['tstzrange', {}, 'tstzrange', 'exact'],
    ['text', { array: 1 }, 'text[]', 'exact'],
    ['numeric', { array: 2, precision: 4, scale: 1 }, 'numeric(4,1)[]', 'exact'],
    ['money', {}, 'numeric(19,2)', 'lossy'],
    ['money', { array: 1 }, 'numeric(19,2)[]', 'unsupported'],
    ['mood', { declaredAs: 'public.mood', declaredKind: 'enum' }, 'text', 'widened'],
    ['mood', { declaredAs: 'public.mood', declaredKind: 'enum', array: 1 }, 'text[]', 'widened'],
    [
      'character varying',
      { declaredAs: 'public.email', declaredKind: 'domain', length: 99 },
      'character varying(99)',
      'widened',
    ],
  ])('%s %j is mapped to %s (%s)', (type, facets, mapped, exactness) => {
    expect(map('postgres', type, facets)).toEqual([mapped, exactness]);
  });

  it.each(['hstore', 'point', 'tsvector', 'oid'])('%s has no counterpart', (type) => {
    expect(map('postgres', type)).toEqual([undefined, undefined]);
  });
});

describe('an override', () => {
  const at = { file: 'overrides.yaml', keys: [] };
  const overrides: TypeOverrides = {
    at,
    types: new Map([
      ['nvarchar', 'text'],
      ['nvarchar(max)', 'jsonb'],
      ['decimal', 'numeric(20,4)'],
      ['dbo.Url', 'varchar(500)'],
    ]),
    tables: new Map([
      [
        'dbo.Actor',
        { types: new Map([['decimal', 'numeric']]), columns: new Map([['Timelonn', 'float8']]) },
      ],
    ]),
  };
  const mapIn = (table: string, facets: Facets & { readonly type: string }) =>
    mapType('mssql', column(facets.type, facets), { overrides, table })?.type;

  it.each<[string, string, Facets & { readonly type: string }, string]>([
    ['by column', 'dbo.Actor', { name: 'Timelonn', type: 'decimal' }, 'double precision'],
    ['by type in the table', 'dbo.Actor', { type: 'decimal' }, 'numeric'],
    ['by type everywhere', 'dbo.Avtale', { type: 'decimal' }, 'numeric(20,4)'],
    ['by type with facets', 'dbo.Actor', { type: 'nvarchar', length: 'max' }, 'jsonb'],
    ['by type without facets', 'dbo.Actor', { type: 'nvarchar', length: 9 }, 'text'],
    [
      'by alias',
      'dbo.Actor',
      { type: 'nvarchar', length: 200, declaredAs: 'dbo.Url', declaredKind: 'alias' },
      'character varying(500)',
    ],
    ['only if one matches', 'dbo.Avtale', { name: 'Timelonn', type: 'money' }, 'numeric(19,4)'],
  ])('is chosen %s', (_which, table, facets, type) => {
    expect(mapIn(table, facets)).toBe(type);
  });

  it.each<[SourceType, string, Facets, string, string, string | undefined]>([
    ['mssql', 'int', {}, 'bigint', 'widened', 'override'],
    ['mssql', 'int', {}, 'integer', 'exact', undefined],
    ['mssql', 'vector', {}, 'text', 'widened', 'override'],
    ['mssql', 'int', {}, 'text', 'widened', 'override'],
    ['mssql', 'int', {}, 'smallint', 'lossy', 'override-narrows'],
    ['mssql', 'decimal', { precision: 12, scale: 2 }, 'numeric(10,2)', 'lossy', 'override-narrows'],
    ['mssql', 'decimal', { precision: 18, scale: 0 }, 'bigint', 'lossy', 'override-narrows'],
    ['mssql', 'decimal', { precision: 12, scale: 2 }, 'numeric(12,1)', 'lossy', 'override-changes'],
    ['mssql', 'decimal', { precision: 12, scale: 2 }, 'bigint', 'lossy', 'override-changes'],
    [
      'mssql',
      'decimal',
      { precision: 12, scale: 2 },
      'double precision',
      'lossy',
      'override-changes',
    ],
    ['postgres', 'numeric', {}, 'numeric(12,2)', 'lossy', 'override-changes'],
    ['mssql', 'float', { precision: 53 }, 'real', 'lossy', 'override-changes'],
    ['mssql', 'varchar', { length: 36 }, 'uuid', 'lossy', 'override-changes'],
    ['mssql', 'varchar', { length: 36 }, 'character varying(20)', 'lossy', 'override-changes'],
    ['mssql', 'varchar', { length: 36 }, 'text', 'lossy', 'text-values'],
    ['mssql', 'char', { length: 4 }, 'character varying(9)', 'lossy', 'text-values'],
    ['mssql', 'varbinary', { length: 8 }, 'text', 'lossy', 'override-changes'],
    ['mssql', 'datetime2', { scale: 3 }, 'timestamp(0)', 'lossy', 'override-changes'],
    ['mssql', 'datetime2', { scale: 3 }, 'timestamp', 'widened', 'override'],
    ['mssql', 'datetime2', { scale: 3 }, 'date', 'lossy', 'override-changes'],
    ['mssql', 'datetime2', { scale: 7 }, 'timestamp', 'lossy', 'second-digits'],
    ['mssql', 'datetime2', { scale: 7 }, 'text', 'widened', 'override'],
    ['mssql', 'datetimeoffset', { scale: 3 }, 'timestamptz', 'lossy', 'no-offset'],
    ['mssql', 'datetimeoffset', { scale: 7 }, 'varchar', 'widened', 'override'],
    ['mssql', 'xml', {}, 'text', 'widened', 'override'],
    ['mssql', 'json', {}, 'text', 'widened', 'override'],
    ['mssql', 'geography', {}, 'text', 'unsupported', 'not-carried'],
    ['mssql', 'geography', {}, 'jsonb', 'unsupported', 'not-carried'],
    ['mssql', 'sql_variant', {}, 'character varying(100)', 'unsupported', 'not-carried'],
    ['postgres', 'interval', { array: 1 }, 'text', 'unsupported', 'not-carried'],
    ['postgres', 'money', {}, 'numeric(19,4)', 'lossy', 'money-text'],
    ['postgres', 'bit varying', { length: 8 }, 'text', 'lossy', 'bits-as-number'],
    ['postgres', 'integer', { array: 1 }, 'text', 'lossy', 'override-changes'],
  ])('%s: of %s %j with %s is %s (%s)', (source, type, facets, override, exactness, code) => {
    const scope = {
      overrides: { at, types: new Map([[type, override]]), tables: new Map() },
      table: 'dbo.Actor',
    };
    const mapped = mapType(source, column(type, facets), scope);
    expect([mapped?.type, mapped?.exactness, mapped?.code]).toEqual([
      canonicalType(override),
      exactness,
      code,
    ]);
  });
});

it.each<[string, Facets, string]>([
  ['nvarchar', { length: 100 }, 'nvarchar(100)'],
  ['nvarchar', { length: 'max' }, 'nvarchar(max)'],
  ['decimal', { precision: 5, scale: 2 }, 'decimal(5,2)'],
  ['datetime2', { scale: 0 }, 'datetime2(0)'],
  ['varchar', { length: 200, declaredAs: 'dbo.Url' }, 'dbo.Url (varchar(200))'],
  ['integer', { array: 2 }, 'integer[][]'],
])('formats %s %j as %s', (type, facets, text) => {
  expect(formatSourceType(column(type, facets))).toBe(text);
});
