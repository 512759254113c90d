import { type ColumnDefinition, type ReplicatedTable } from '@cdc-migrations/table-defs';
import { buildTable } from '@cdc-migrations/table-fixture';

/** Types whose values a setting can format or parse differently, and some more. */
const TYPES = [
  ...['smallint', 'integer', 'bigint', 'numeric(19,4)', 'numeric', 'real', 'double precision'],
  ...['boolean', 'character varying(200)', 'character(4)', 'text', 'bytea', 'uuid', 'date'],
  ...['time(3) without time zone', 'time with time zone', 'timestamp(3) without time zone'],
  ...[
    'timestamp with time zone',
    'interval',
    'json',
    'jsonb',
    'xml',
    'bit(8)',
    'bit varying',
    'inet',
  ],
  ...[
    'int4range',
    'numrange',
    'daterange',
    'tsrange',
    'tstzrange',
    'text[]',
    'interval[]',
    'date[]',
  ],
  ...['double precision[]', 'bytea[]', 'timestamp with time zone[]', 'jsonb[]', 'integer[]'],
];

const KEY_TYPES = ['interval', 'timestamp with time zone', 'double precision', 'bytea', 'date'];

const column = (name: string, type: string, more: Partial<ColumnDefinition> = {}) =>
  ({ name, role: 'source', type, nullable: true, exactness: 'exact', ...more }) as const;

const values = TYPES.map((type) => column(`a ${type}`, type));
const keys = KEY_TYPES.map((type) => column(`key ${type}`, type, { nullable: false }));
const narrow = [column('Wider', 'character varying(10)'), column('Larger', 'integer')];
const wide = [
  column('Wider', 'character varying(20)'),
  column('Larger', 'bigint'),
  column('On', 'date', { nullable: false, default: `'2020-01-02'::date` }),
  column('For', 'interval', { nullable: false, default: `'1 day 02:03:04'::interval` }),
  column('Share', 'double precision', { nullable: false, default: '0.1' }),
  column('Path', 'text', { nullable: false, default: `E'a\\\\b'::text` }),
  column('Raw', 'bytea', { nullable: false, default: `'\\x0102'::bytea` }),
];

/** Builds the tables for the first apply, without rows, and for the last one. */
export function buildVersions(): { readonly first: Tables; readonly last: Tables } {
  return { first: build(narrow), last: build(wide) };
}

type Tables = readonly ReplicatedTable[];

function build(more: readonly ColumnDefinition[]): Tables {
  const id = column('id', 'integer', { nullable: false });
  const soft = buildTable({
    name: 'Keys',
    columns: [...keys, column('Text', 'text'), ...more],
    deleteMode: 'soft',
    key: keys.map(({ name }) => name),
  });
  return [
    buildTable({ name: 'Values', columns: [id, ...values, ...more] }),
    soft,
    {
      ...buildTable({
        name: 'Hard keys',
        columns: [...keys, ...more],
        key: keys.map(({ name }) => name),
      }),
      staging: 'logged',
    },
    buildTable({ name: 'Appended', columns: [...values, ...more], key: [], staging: 'logged' }),
  ];
}
