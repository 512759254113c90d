import { type PostgresServer, startPostgres } from '@cdc-migrations/postgres-fixture';
import { createRandom } from '../random.ts';
import { buildValue, storedValue } from './build-value.ts';

const TYPES = [
  ...[
    'smallint',
    'integer',
    'bigint',
    'numeric(38,10)',
    'numeric(19,4)',
    'numeric(5,2)',
    'numeric',
  ],
  ...['real', 'double precision', 'boolean', 'character varying(50)', 'character(4)', 'text'],
  ...['bytea', 'uuid', 'date', 'time(0) without time zone', 'time(6) without time zone'],
  ...['timestamp(0) without time zone', 'timestamp(3) without time zone', 'interval'],
  ...['timestamp without time zone', 'timestamp(3) with time zone', 'timestamp with time zone'],
  ...[
    'json',
    'jsonb',
    'xml',
    'bit(8)',
    'bit varying(64)',
    'bit varying',
    'inet',
    'cidr',
    'macaddr',
  ],
  ...['macaddr8', 'int4range', 'int8range', 'numrange', 'daterange', 'tsrange', 'tstzrange'],
  ...['text[]', 'jsonb[]', 'time with time zone'],
];

/** Length, precision or scale. Without them a type truncates and rounds nothing. */
const FACETS = /\(\d+(,\d+)?\)/;

describe('buildValue', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres({ major: 15 });
  });
  afterAll(() => server.stop());

  it.each(TYPES)('builds values of %s that the type preserves exactly', async (type) => {
    const random = createRandom(1);
    const values = Array.from({ length: 200 }, () => buildValue(type, random));
    const wide = /^(character|bit)\(/.test(type) ? type : type.replace(FACETS, '');
    const differences = await server.connect({ max: 1 }).unsafe(
      `SELECT value FROM unnest($1::text[]) AS value
       WHERE (value::${wide})::text IS DISTINCT FROM (value::${type})::text`,
      [values],
    );
    expect(differences).toEqual([]);
    expect(new Set(values).size).toBeGreaterThan(1);
  });

  it('builds only values that a tinyint of SQL Server can hold', () => {
    const random = createRandom(2);
    const values = Array.from({ length: 500 }, () =>
      Number(buildValue('smallint', random, 'tinyint')),
    );
    expect([Math.min(...values), Math.max(...values)]).toEqual([0, 255]);
  });

  it('builds all fractional digits of a second that a column of SQL Server has', () => {
    const random = createRandom(3);
    const digits = Array.from({ length: 500 }, () => {
      const value = buildValue('time(6) without time zone', random, 'time(7)');
      return value.split('.')[1]?.length ?? 0;
    });
    expect(new Set(digits)).toEqual(new Set([0, 7]));
  });

  it('refuses an unsupported type', () => {
    expect(() => buildValue('tsvector', createRandom(1))).toThrow('tsvector');
  });
});

describe('storedValue', () => {
  it.each([
    ['time(6) without time zone', 'time(7)', '23:59:59.9999999', '23:59:59.999999'],
    ['time(0) without time zone', 'time(7)', '23:59:59.9999999', '23:59:59'],
    [
      'timestamp(6) without time zone',
      'datetime2',
      '9999-12-31 23:59:59.9999999',
      '9999-12-31 23:59:59.999999',
    ],
    [
      'timestamp(3) without time zone',
      'datetime2(7)',
      '2024-01-02 03:04:05.1239999',
      '2024-01-02 03:04:05.123',
    ],
    [
      'timestamp(6) with time zone',
      'datetimeoffset(7)',
      '9999-12-31T23:59:59.9999999+02:00',
      '9999-12-31T23:59:59.999999+02:00',
    ],
    [
      'timestamp(6) with time zone',
      'datetimeoffset(7)',
      '9999-12-31T18:30:00.0000000-05:30',
      '9999-12-31T23:59:59.999999Z',
    ],
    [
      'timestamp(6) with time zone',
      'datetimeoffset(7)',
      '9999-12-31T18:29:59.9999999-05:30',
      '9999-12-31T18:29:59.999999-05:30',
    ],
    [
      'timestamp(3) with time zone',
      'Moment (datetimeoffset(7))',
      '9999-12-31T23:59:59Z',
      '9999-12-31T23:59:59Z',
    ],
    [
      'timestamp(6) with time zone',
      'datetimeoffset(7)',
      '0001-01-01T00:00:00.1234567+02:00',
      '0001-01-01T00:00:00.123456+02:00',
    ],
    [
      'timestamp(3) with time zone',
      'datetimeoffset(3)',
      '9999-12-31T23:59:59.999-05:30',
      '9999-12-31T23:59:59.999-05:30',
    ],
    [
      'timestamp with time zone',
      'timestamp with time zone',
      '9999-12-31T23:59:59-05:30',
      '9999-12-31T23:59:59-05:30',
    ],
    ['text', 'time(7)', '23:59:59.9999999', '23:59:59.9999999'],
  ])('for %s from %s converts %s to %s', (type, source, sent, stored) => {
    expect(storedValue({ type, source: { name: 'at', type: source } }, sent)).toBe(stored);
  });
});
