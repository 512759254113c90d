import { METADATA_COLUMNS, DELETED_AT } from './metadata-columns.ts';
import { buildStagingColumns, cutSeconds, stagingType } from './staging-columns.ts';

describe('the type of a staging column', () => {
  it.each([
    ['smallint', 'bigint'],
    ['integer', 'bigint'],
    ['bigint', 'bigint'],
    ['numeric(5,2)', 'numeric'],
    ['real', 'double precision'],
    ['double precision', 'double precision'],
    ['boolean', 'boolean'],
    ['character(4)', 'bpchar'],
    ['character(4)[]', 'bpchar[]'],
    ['bpchar', 'bpchar'],
    ['character varying(50)', 'text'],
    ['text', 'text'],
    ['bytea', 'bytea'],
    ['uuid', 'uuid'],
    ['date', 'date'],
    ['time(3) without time zone', 'time without time zone'],
    ['timestamp(3) without time zone', 'timestamp without time zone'],
    ['timestamp(0) with time zone', 'timestamp with time zone'],
    ['interval(3)', 'interval'],
    ['xml', 'text'],
    ['json', 'text'],
    ['jsonb', 'text'],
    ['bit(3)', 'bit varying'],
    ['bit varying(8)', 'bit varying'],
    ['inet', 'inet'],
    ['integer[]', 'bigint[]'],
    ['character varying(50)[]', 'text[]'],
  ])('for %s is %s', (type, staging) => {
    expect(stagingType({ role: 'source', type })).toBe(staging);
  });

  it.each([
    ['timestamp(6) without time zone', 'datetime2(7)', 'text'],
    ['timestamp(6) without time zone', 'datetime2(6)', 'timestamp without time zone'],
    ['timestamp(3) without time zone', 'datetime2(7)', 'text'],
    ['timestamp(3) without time zone', 'datetime', 'timestamp without time zone'],
    ['timestamp(0) without time zone', 'datetime', 'timestamp without time zone'],
    ['timestamp(0) without time zone', 'smalldatetime', 'timestamp without time zone'],
    ['timestamp(6) with time zone', 'datetimeoffset(7)', 'text'],
    ['time(6) without time zone', 'dbo.Clock (time(7))', 'text'],
    ['date', 'datetime2(7)', 'date'],
    ['timestamp(0) without time zone', 'nvarchar(30)', 'timestamp without time zone'],
    ['timestamp(3) with time zone', 'timestamp with time zone', 'timestamp with time zone'],
  ])('for %s from %s is %s', (type, source, staging) => {
    expect(stagingType({ role: 'source', type, source: { name: 'a', type: source } })).toBe(
      staging,
    );
  });

  it('for a metadata column is unchanged', () => {
    expect(stagingType({ role: 'metadata', type: 'integer' })).toBe('integer');
  });
});

it('puts position and key first, gives the generation a default, and adds __kafka_timestamp', () => {
  const column = (name: string) =>
    ({ name, role: 'source', type: 'integer', nullable: true }) as const;
  const columns = buildStagingColumns({
    columns: [column('a'), column('b'), column('key'), ...METADATA_COLUMNS, DELETED_AT],
    key: { columns: ['key'], origin: 'primary key' },
  });
  expect(columns.map(({ name }) => name)).toEqual([
    ...['__kafka_offset', '__kafka_partition', '__stream_generation', '__source_ts_ms'],
    ...['__cdc_operation', '__source_db', '__source_table', 'key', 'a', 'b'],
    ...['__sync_timestamp', '__source', '__kafka_timestamp'],
  ]);
  expect(columns.filter((staged) => staged.default !== undefined)).toEqual([
    { name: '__stream_generation', type: 'integer', default: '0' },
  ]);
});

it.each([
  ['timestamp(6) without time zone', 'datetime2(7)', [7, 6, true, false]],
  ['timestamp(0) without time zone', 'datetime', [3, 0, true, false]],
  ['timestamp with time zone', 'datetimeoffset(7)', [7, 6, true, true]],
  ['time(0) without time zone', 'time without time zone', [6, 0, false, false]],
  ['timestamp(3) with time zone', 's.d (timestamp with time zone(4))', [4, 3, false, true]],
  ['timestamp(3) without time zone', 'datetime', undefined],
  ['timestamp without time zone', 'timestamp without time zone', undefined],
  ['timestamp(3) without time zone[]', 'timestamp without time zone[]', undefined],
  ['text', 'datetime2(7)', undefined],
])('truncates seconds for %s from %s: %j', (type, source, expected) => {
  const cut = cutSeconds({ role: 'source', type, source: { name: 'a', type: source } });
  expect(cut && [cut.sent, cut.kept, cut.isMssql, cut.hasOffset]).toEqual(expected);
});
