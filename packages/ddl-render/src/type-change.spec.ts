import { classifyTypeChange } from '@cdc-migrations/table-defs';
import { type ManagedDatabase, startManagedDatabase } from './management.fixture.ts';

const TYPES = [
  'smallint',
  'integer',
  'bigint',
  'numeric',
  'numeric(4,0)',
  'numeric(5,-2)',
  'numeric(5,0)',
  'numeric(10,2)',
  'numeric(12,2)',
  'numeric(12,4)',
  'numeric(19,0)',
  'real',
  'double precision',
  'boolean',
  'character(4)',
  'character(6)',
  'bpchar',
  'character varying(4)',
  'character varying(50)',
  'character varying',
  'text',
  'bytea',
  'uuid',
  'date',
  'time(0) without time zone',
  'time without time zone',
  'time with time zone',
  'timestamp(3) without time zone',
  'timestamp without time zone',
  'timestamp(6) without time zone',
  'timestamp(0) with time zone',
  'timestamp with time zone',
  'interval(3)',
  'interval',
  'jsonb',
  'xml',
  'bit(3)',
  'bit varying(8)',
  'inet',
  'integer[]',
  'bigint[]',
  'character varying(4)[]',
];
const PAIRS = TYPES.flatMap((from) => TYPES.map((to) => ({ from, to })));

describe('a type change', () => {
  let database: ManagedDatabase;
  beforeAll(async () => {
    database = await startManagedDatabase();
  });
  afterAll(() => database.server.stop());

  it('has the same class in the database and in the definitions', async () => {
    const rows = await database.sql<{ from: string; to: string; change: string }[]>`
      SELECT pair ->> 'from' AS from, pair ->> 'to' AS to,
        cdc_management.type_change(pair ->> 'from', pair ->> 'to') AS change
      FROM jsonb_array_elements(${JSON.stringify(PAIRS)}::text::jsonb) AS pair`;
    const expected = PAIRS.map(({ from, to }) => ({
      from,
      to,
      change: classifyTypeChange(from, to),
    }));
    expect([...rows]).toEqual(expected);
  });

  it('is tested with types as PostgreSQL spells them', async () => {
    const columns = TYPES.map((type, index) => `c${index} ${type}`).join(', ');
    await database.sql.unsafe(`CREATE TABLE avansas.spelled (${columns})`);
    const rows = await database.sql<{ type: string }[]>`
      SELECT format_type(atttypid, atttypmod) AS type FROM pg_attribute
      WHERE attrelid = 'avansas.spelled'::regclass AND attnum > 0 ORDER BY attnum`;
    expect(rows.map(({ type }) => type)).toEqual(TYPES);
  });

  it('succeeds if it is free or a rewrite, and is free only if the table is not rewritten', async () => {
    const wrong: string[] = [];
    for (const { from, to } of PAIRS) {
      const change = classifyTypeChange(from, to);
      if (change !== 'free' && change !== 'rewrite') continue;
      await database.sql.unsafe(`CREATE TABLE avansas.changed (a ${from})`);
      const file = async () => {
        const [row] = await database.sql`SELECT pg_relation_filenode('avansas.changed') AS node`;
        return row?.['node'] as number;
      };
      const before = await file();
      await database.sql.unsafe(`ALTER TABLE avansas.changed ALTER COLUMN a TYPE ${to}`);
      if (change === 'free' && (await file()) !== before) wrong.push(`${from} to ${to}`);
      await database.sql`DROP TABLE avansas.changed`;
    }
    expect(wrong).toEqual([]);
  });
});
