import { measurePostgres } from './measure-postgres.fixture.ts';
import { BUILT_WITHIN_MS, describeWire } from './programs.ts';
import {
  SCHEMAS_IN_POSTGRES,
  SENT_BY_POSTGRES,
  UNAVAILABLE_IN_POSTGRES,
} from './sent-by-postgres.ts';

const many = (element: string) => `(SELECT array_agg(${element}) FROM generate_series(1, 2000) i)`;

/** SQL for values that are stored out of line, from a text `s` of 32,000 characters. */
const LARGE: Record<keyof typeof UNAVAILABLE_IN_POSTGRES, string> = {
  text: 's',
  varchar: 's',
  citext: 's',
  bytea: 's::bytea',
  json: 'to_json(s)',
  jsonb: 'to_jsonb(s)',
  xml: `('<a>' || s || '</a>')::xml`,
  hstore: `hstore('a', s)`,
  numeric: `repeat('123456789', 1500)::numeric`,
  'bit varying': `repeat('1', 40000)::bit varying`,
  'text[]': many('i::text'),
  'integer[]': many('i'),
  'bigint[]': many('i::bigint'),
  'numeric[]': many('i::numeric'),
  'boolean[]': many('true'),
  'double precision[]': many('i::float8'),
  'uuid[]': many('gen_random_uuid()'),
  'date[]': many(`'2024-01-01'::date`),
  'timestamp[]': many('now()::timestamp'),
  'timestamptz[]': many('now()'),
  'bytea[]': many(`'x'::bytea`),
  'jsonb[]': many(`'{}'::jsonb`),
};

describeWire("Debezium's connector for PostgreSQL", () => {
  it(
    'sends the values and schemas in sent-by-postgres.ts',
    async () => {
      const { values, unavailable, schemas } = await measurePostgres(SENT_BY_POSTGRES, LARGE);
      expect(values).toEqual(SENT_BY_POSTGRES);
      expect(unavailable).toEqual(UNAVAILABLE_IN_POSTGRES);
      expect(schemas).toEqual(SCHEMAS_IN_POSTGRES);
    },
    BUILT_WITHIN_MS,
  );
});
