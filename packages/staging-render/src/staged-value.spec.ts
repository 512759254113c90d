import { keyText, keyValue, storedValue, unavailableLiteral } from './staged-value.ts';

const TEXT = `'__debezium_unavailable_value'`;
const BYTES = `'\\x5f5f646562657a69756d5f756e617661696c61626c655f76616c7565'::bytea`;

describe('the unavailable value of a column', () => {
  it.each<[string, string | undefined, string | undefined]>([
    ['text', 'ntext', TEXT],
    ['text', 'nvarchar(max)', TEXT],
    ['text', 'text', TEXT],
    ['text', undefined, TEXT],
    ['text', 'dbo.Note (nvarchar(max))', TEXT],
    ['text', 'nvarchar(4000)', undefined],
    ['text', 'dbo.Url (varchar(200))', undefined],
    ['xml', 'xml', TEXT],
    ['jsonb', 'json', TEXT],
    ['bytea', 'image', BYTES],
    ['bytea', 'varbinary(max)', BYTES],
    ['bytea', 'varbinary(50)', undefined],
    ['bytea', 'binary(8)', undefined],
    ['bytea', 'rowversion', undefined],
    ['bytea', 'bytea', BYTES],
    ['text[]', 'text[]', "'{__debezium_unavailable_value}'"],
    ['jsonb[]', 'jsonb[]', "'{__debezium_unavailable_value}'"],
    ['character(9)[]', 'character(9)[]', "'{__debezium_unavailable_value}'"],
    ['integer[]', 'integer[]', expect.stringMatching(/^'\{95,95,100,101,98,101,/)],
    ['date[]', 'date[]', expect.stringMatching(/^'\{1970-04-06,1970-04-06,1970-04-11,/)],
    ['uuid[]', 'uuid[]', undefined],
    ['character varying(500)', 'character varying(500)', TEXT],
    ['character varying(6)', 'character varying(6)', TEXT],
    ['character varying(5)', 'character varying(5)', undefined],
    ['character varying(5)', 'public.zip (character varying(5))', undefined],
    ['character varying(5)', 'text', TEXT],
    ['character(11)', 'public.pnr (character(11))', TEXT],
    ['character(5)', 'character(5)', undefined],
    ['text', 'public.mood (enum)', undefined],
    ['character varying(4000)', 'nvarchar(4000)', undefined],
    ['character varying', 'character varying', TEXT],
    ['integer', 'int', undefined],
    ['tsvector', 'tsvector', undefined],
  ])('%s of %s is %s', (type, source, literal) => {
    const column = { role: 'source', type } as const;
    const found = unavailableLiteral(
      source === undefined ? column : { ...column, source: { name: 'a', type: source } },
    );
    expect(found).toEqual(literal);
  });

  it('is undefined for a column that the source does not have', () => {
    expect(unavailableLiteral({ role: 'template', type: 'text' })).toBeUndefined();
  });
});

const column = (type: string, source = 'int') =>
  ({ role: 'source', type, source: { name: 'a', type: source } }) as const;

it.each([
  ['xml', 'xml', 'v::xml'],
  ['jsonb[]', 'jsonb[]', 'v::jsonb[]'],
  ['text', 'ntext', 'v'],
  ['numeric(5,2)', 'decimal(5,2)', 'v'],
  ['timestamp(6) without time zone', 'datetime2(6)', 'v'],
  [
    'timestamp(6) without time zone',
    'datetime2(7)',
    "cdc_management.as_timestamp(v, 6, '9999-12-31 23:59:59.999999')",
  ],
  [
    'timestamp(0) without time zone',
    'datetime2(3)',
    "cdc_management.as_timestamp(v::text, 0, '9999-12-31 23:59:59')",
  ],
  [
    'timestamp(6) with time zone',
    'dbo.Instant (datetimeoffset(7))',
    "cdc_management.as_timestamptz(v, 6, '9999-12-31 23:59:59.999999+00')",
  ],
  [
    'timestamp with time zone',
    'datetime2(7)',
    "cdc_management.as_timestamp(v, 6, '9999-12-31 23:59:59.999999') AT TIME ZONE 'UTC'",
  ],
  ['time(6) without time zone', 'time(7)', "cdc_management.as_time(v, 6, '23:59:59.999999')"],
  [
    'timestamp(3) with time zone',
    'timestamp with time zone',
    'cdc_management.as_timestamptz(v::text, 3)',
  ],
  [
    'time(2) with time zone',
    's.t (time with time zone(3))',
    'cdc_management.as_timetz(v::text, 2)',
  ],
])('%s of %s is stored as %s', (type, source, stored) => {
  expect(storedValue('v', column(type, source))).toBe(stored);
});

it.each([
  ['integer', 'v', 'v::text'],
  ['numeric(5,2)', 'v::numeric(5,2)', 'v::numeric(5,2)::text'],
  ['numeric', 'v::numeric', 'trim_scale(v)::text'],
  ['real', 'v::real', '(v::real + 0)::text'],
  ['double precision', 'v', '(v + 0)::text'],
  [
    'time(0) without time zone',
    'v::time(0) without time zone',
    'v::time(0) without time zone::text',
  ],
  ['character(4)', 'v', 'v::text'],
])('a key of type %s is compared as %s and digested as %s', (type, value, text) => {
  expect([keyValue('v', column(type)), keyText('v', column(type))]).toEqual([value, text]);
});

it('a truncated key is compared and digested in its stored form', () => {
  const cut = column('time(6) without time zone', 'time(7)');
  expect([keyValue('v', cut), keyText('v', cut)]).toEqual([
    "cdc_management.as_time(v, 6, '23:59:59.999999')",
    "cdc_management.as_time(v::text, 6, '23:59:59.999999')::text",
  ]);
});
