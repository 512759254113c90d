import { canonicalType, parsePgType } from './canonical-type.ts';

describe('canonicalType', () => {
  it.each([
    ['int', 'integer'],
    ['INT4', 'integer'],
    ['int2', 'smallint'],
    ['int8', 'bigint'],
    ['bool', 'boolean'],
    ['varchar(50)', 'character varying(50)'],
    ['character varying ( 50 )', 'character varying(50)'],
    ['varchar', 'character varying'],
    ['char', 'character(1)'],
    ['char(4)', 'character(4)'],
    ['bpchar', 'bpchar'],
    ['bpchar(4)', 'character(4)'],
    ['  Text ', 'text'],
    ['decimal(10,2)', 'numeric(10,2)'],
    ['numeric(10, 2)', 'numeric(10,2)'],
    ['numeric(10)', 'numeric(10,0)'],
    ['numeric(5,-2)', 'numeric(5,-2)'],
    ['numeric', 'numeric'],
    ['float', 'double precision'],
    ['float(24)', 'real'],
    ['float(25)', 'double precision'],
    ['float4', 'real'],
    ['float8', 'double precision'],
    ['timestamp', 'timestamp without time zone'],
    ['timestamp(3)', 'timestamp(3) without time zone'],
    ['timestamptz(6)', 'timestamp(6) with time zone'],
    ['timestamp(3) with time zone', 'timestamp(3) with time zone'],
    ['timestamp  without\ntime zone', 'timestamp without time zone'],
    ['time', 'time without time zone'],
    ['timetz(2)', 'time(2) with time zone'],
    ['interval(3)', 'interval(3)'],
    ['bit', 'bit(1)'],
    ['varbit(8)', 'bit varying(8)'],
    ['bytea', 'bytea'],
    ['uuid', 'uuid'],
    ['int4[]', 'integer[]'],
    ['varchar(5)[ ]', 'character varying(5)[]'],
    ['timestamp(3) without time zone[][]', 'timestamp(3) without time zone[]'],
  ])('spells %s as format_type does: %s', (text, type) => {
    expect(canonicalType(text)).toBe(type);
    expect(canonicalType(type)).toBe(type);
  });
});

describe('canonicalType of an invalid column type', () => {
  it.each([
    '',
    'nvarchar(50)',
    'money',
    'serial',
    'public.my_type',
    '"text"',
    'varchar(0)',
    'varchar(max)',
    'varchar()',
    'varchar(10485761)',
    'numeric(10,)',
    'numeric(0)',
    'numeric(1001)',
    'numeric(10,2,1)',
    'numeric(1.5)',
    'timestamp(7)',
    'float(0)',
    'float(54)',
    'integer(4)',
    'text with time zone',
    'text; DROP TABLE a',
    'text DEFAULT 1',
    'constructor',
  ])('is undefined: %s', (text) => {
    expect(canonicalType(text)).toBeUndefined();
  });
});

it.each([
  ['numeric(10,2)[]', { base: 'numeric', facets: [10, 2], array: true }],
  ['timestamp(3) with time zone', { base: 'timestamp with time zone', facets: [3], array: false }],
  ['text', { base: 'text', facets: [], array: false }],
])('parsePgType parses %s', (text, type) => {
  expect(parsePgType(text)).toEqual(type);
});
