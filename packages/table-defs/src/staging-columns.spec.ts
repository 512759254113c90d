import { METADATA_COLUMNS, DELETED_AT } from './metadata-columns.ts';
import { buildStagingColumns, stagingType } from './staging-columns.ts';

describe('a staging column takes any value', () => {
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
  ])('%s: %s', (type, staging) => {
    expect(stagingType({ role: 'source', type })).toBe(staging);
  });

  it('but of the metadata, whose types are ours', () => {
    expect(stagingType({ role: 'metadata', type: 'integer' })).toBe('integer');
  });
});

it('has the generation by default, the time of Kafka, and no mark of a deletion', () => {
  const columns = buildStagingColumns({ columns: [...METADATA_COLUMNS, DELETED_AT] });
  expect(columns.map(({ name }) => name)).toEqual([
    ...METADATA_COLUMNS.map(({ name }) => name),
    '__kafka_timestamp',
  ]);
  expect(columns.filter((column) => column.default !== undefined)).toEqual([
    { name: '__stream_generation', type: 'integer', default: '0' },
  ]);
});
