import { type PostgresServer, startPostgres } from '@cdc-migrations/postgres-fixture';
import { createRandom } from '../random.ts';
import { buildValue } from './build-value.ts';

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

/** Length, precision or scale: without them a type cuts and rounds nothing. */
const FACETS = /\(\d+(,\d+)?\)/;

describe('buildValue', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres({ major: 15 });
  });
  afterAll(() => server.stop());

  it.each(TYPES)('%s: values that the type keeps exactly', async (type) => {
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

  it('gives only what a tinyint of SQL Server holds', () => {
    const random = createRandom(2);
    const values = Array.from({ length: 500 }, () =>
      Number(buildValue('smallint', random, 'tinyint')),
    );
    expect([Math.min(...values), Math.max(...values)]).toEqual([0, 255]);
  });

  it('refuses a type that it has no values for', () => {
    expect(() => buildValue('tsvector', createRandom(1))).toThrow('tsvector');
  });
});
