import type { CatalogColumn, SourceType } from '@cdc-migrations/catalog';
import { constantDefault } from './constant-default.ts';

type Facets = Omit<Partial<CatalogColumn>, 'name' | 'type' | 'default'>;
/** Type of the source with facets, default, final type, and the constant. */
type Row = readonly [
  type: string,
  expression: string,
  final: string,
  constant: string | undefined,
  facets?: Facets,
];

const MSSQL: readonly Row[] = [
  ['bit', '((0))', 'boolean', 'false'],
  ['bit', "('True')", 'boolean', 'true'],
  ['bit', '((2))', 'boolean', 'true'],
  ['bit', "('2')", 'boolean', undefined],
  ['int', '((-1))', 'integer', '-1'],
  ['int', "('7')", 'integer', '7'],
  ['int', '((1.5))', 'integer', undefined],
  ['int', '((1)+(2))', 'integer', undefined],
  ['int', '(NULL)', 'integer', undefined],
  ['int', '(NEXT VALUE FOR [dbo].[s])', 'integer', undefined],
  ['tinyint', '((3))', 'numeric(5,0)', '3'],
  ['int', '((3))', 'text', undefined],
  ['decimal', '((1.50))', 'numeric(5,1)', '1.50', { precision: 5, scale: 1 }],
  ['decimal', '((1.25))', 'numeric(5,1)', undefined, { precision: 5, scale: 1 }],
  ['decimal', '((.5))', 'numeric(5,1)', '.5', { precision: 5, scale: 1 }],
  ['decimal', '((1e2))', 'numeric(5,1)', undefined, { precision: 5, scale: 1 }],
  ['money', '((0.0001))', 'numeric(19,4)', '0.0001'],
  ['money', '($1)', 'numeric(19,4)', undefined],
  ['float', '((1.5e-3))', 'double precision', '1.5e-3'],
  ['nvarchar', "(N'Å''s')", 'character varying(10)', "'Å''s'", { length: 10 }],
  ['nvarchar', "('Å')", 'character varying(10)', undefined, { length: 10 }],
  ['varchar', "(N'Å')", 'character varying(10)', undefined, { length: 10 }],
  ['varchar', "('(a) and (b)')", 'text', "'(a) and (b)'", { length: 20 }],
  ['varchar', "('a')+('b')", 'text', undefined, { length: 20 }],
  ['varchar', '((0))', 'text', "'0'", { length: 20 }],
  ['varchar', '((007))', 'text', undefined, { length: 20 }],
  ['varchar', "('too long')", 'text', undefined, { length: 3 }],
  ['varchar', String.raw`('a\b')`, 'text', String.raw`E'a\\b'`, { length: 3 }],
  ['nvarchar', "('')", 'text', "''", { length: 'max' }],
  ['nvarchar', '(suser_sname())', 'text', undefined, { length: 'max' }],
  ['char', "('a')", 'character(3)', "'a'", { length: 3 }],
  ['char', "('a')", 'text', undefined, { length: 3 }],
  ['char', "('abc')", 'text', "'abc'", { length: 3 }],
  ['date', "('2026-02-01')", 'date', "'2026-02-01'"],
  ['date', "('01.02.2026')", 'date', undefined],
  ['date', '(getdate())', 'date', undefined],
  ['datetime', "('2026-02-01')", 'timestamp(3) without time zone', undefined],
  ['datetime', "('20260201')", 'timestamp(3) without time zone', "'20260201'"],
  [
    'datetime',
    "('2026-02-01T03:04:05')",
    'timestamp(3) without time zone',
    "'2026-02-01T03:04:05'",
  ],
  ['datetime', "('2026-02-01T03:04:05.005')", 'timestamp(3) without time zone', undefined],
  ['smalldatetime', "('2026-02-01T03:04:30')", 'timestamp(0) without time zone', undefined],
  [
    'datetime2',
    "('2026-02-01 03:04:05.5')",
    'timestamp(3) without time zone',
    "'2026-02-01 03:04:05.5'",
    { scale: 3 },
  ],
  [
    'datetime2',
    "('2026-02-01 03:04:05.1234')",
    'timestamp(3) without time zone',
    undefined,
    { scale: 3 },
  ],
  ['datetime2', "('2026-02-01')", 'timestamp(6) without time zone', "'2026-02-01'", { scale: 7 }],
  [
    'datetimeoffset',
    "('2026-02-01 03:04:05 +01:00')",
    'timestamp(6) with time zone',
    "'2026-02-01 03:04:05 +01:00'",
    { scale: 7 },
  ],
  [
    'datetimeoffset',
    "('2026-02-01 03:04:05')",
    'timestamp(6) with time zone',
    undefined,
    { scale: 7 },
  ],
  ['time', "('03:04')", 'time(6) without time zone', "'03:04'", { scale: 7 }],
  [
    'uniqueidentifier',
    "('00000000-0000-0000-0000-00000000000A')",
    'uuid',
    "'00000000-0000-0000-0000-00000000000a'",
  ],
  ['uniqueidentifier', '(newid())', 'uuid', undefined],
  ['varbinary', '(0x0A)', 'bytea', String.raw`E'\\x0a'::bytea`, { length: 4 }],
  ['binary', '(0x0A)', 'bytea', String.raw`E'\\x0a00'::bytea`, { length: 2 }],
  ['varbinary', '((0))', 'bytea', undefined, { length: 4 }],
  ['xml', "('<a/>')", 'xml', undefined],
  ['nvarchar', "(N'constructor')", 'integer', undefined, { length: 20 }],
];

const POSTGRES: readonly Row[] = [
  ['integer', '0', 'integer', '0'],
  ['integer', "'-1'::integer", 'integer', '-1'],
  ['integer', '(- 5)', 'integer', '-5'],
  ['integer', "nextval('s'::regclass)", 'integer', undefined],
  ['numeric', "'NaN'::numeric", 'numeric', undefined],
  ['numeric', '1.25', 'numeric', '1.25'],
  ['boolean', 'true', 'boolean', 'true'],
  ['boolean', 'false', 'boolean', 'false'],
  ['text', "'it''s'::text", 'text', "'it''s'"],
  ['text', "('a'::text || 'b'::text)", 'text', undefined],
  ['text', "E'a\\\\b'::text", 'text', undefined],
  ['text', 'CURRENT_USER', 'text', undefined],
  ['character varying', "('a'::character varying)::text", 'text', undefined, { length: 3 }],
  ['character varying', "'a'::character varying", 'character varying(3)', "'a'", { length: 3 }],
  [
    'text',
    "'open'::app.state",
    'text',
    "'open'",
    { declaredAs: 'app.state', declaredKind: 'enum' },
  ],
  ['date', "'2026-02-01'::date", 'date', "'2026-02-01'"],
  ['date', "('now'::text)::date", 'date', undefined],
  ['date', "'infinity'::date", 'date', undefined],
  ['date', 'CURRENT_DATE', 'date', undefined],
  [
    'timestamp with time zone',
    "'2026-02-01 00:00:00+00'::timestamp with time zone",
    'timestamp with time zone',
    "'2026-02-01 00:00:00+00'",
  ],
  ['timestamp with time zone', 'now()', 'timestamp with time zone', undefined],
  ['jsonb', "'{}'::jsonb", 'jsonb', "'{}'"],
  ['integer', "'{}'::integer[]", 'integer[]', undefined, { array: 1 }],
  ['bytea', String.raw`'\x00'::bytea`, 'bytea', String.raw`E'\\x00'::bytea`],
  ['money', '1.5', 'numeric(19,2)', undefined],
  ['interval', "'01:00:00'::interval", 'interval', undefined],
];

describe('the default of a source column as a constant', () => {
  const rows = (source: SourceType, all: readonly Row[]) =>
    all.map(([type, expression, final, constant, facets = {}]) => ({
      ...{ source, expression, final, constant },
      column: { name: 'c', type, nullable: false, default: expression, ...facets },
    }));

  it.each([...rows('mssql', MSSQL), ...rows('postgres', POSTGRES)])(
    '$source $column.type $expression as $final is $constant',
    ({ source, column, final, constant }) => {
      expect(constantDefault(source, column, final)).toBe(constant);
    },
  );

  it('is undefined without a default', () => {
    const column = { name: 'c', type: 'int', nullable: false };
    expect(constantDefault('mssql', column, 'integer')).toBeUndefined();
  });
});
