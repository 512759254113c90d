import { type PostgresServer, startPostgres } from '@cdc-migrations/postgres-fixture';
import type { Sql } from 'postgres';
import { BUILT_WITHIN_MS, describeWire } from './programs.ts';
import {
  type Insert,
  type Inserted,
  type JdbcBind,
  type PqBind,
  startJdbcWriter,
  startPqWriter,
  type Writer,
} from './writers.ts';

const SCHEMA = 'sch "1"';
const COLUMN = 'Say "hi"? Døv';

let server: PostgresServer;
let sql: Sql;
let database: string;

/** Writes a value to a column of a type. Returns the stored value, or the reason of a refusal. */
async function write<Bind>(
  writer: Writer<Bind>,
  type: string,
  value: Bind,
  more: Partial<Insert<Bind>> = {},
): Promise<string> {
  await sql`CREATE TABLE ${sql(SCHEMA)}.t (${sql(COLUMN)} ${sql.unsafe(type)})`;
  try {
    const insert = { schema: SCHEMA, table: 't', columns: [COLUMN], rows: [[value]] };
    return await describeResult(await writer.insert({ ...insert, ...more }));
  } finally {
    await sql`DROP TABLE ${sql(SCHEMA)}.t`;
  }
}

async function describeResult(inserted: Inserted): Promise<string> {
  const rows = await sql`SELECT ${sql(COLUMN)}::text AS v FROM ${sql(SCHEMA)}.t`;
  const stored = rows.map(({ v }) => String(v)).join(' ');
  if (inserted.ok) return `stored ${stored}`;
  expect(stored).toBe('');
  return `refused ${inserted.sqlstate ?? `by the driver: ${inserted.message}`}`;
}

describeWire('writers', () => {
  beforeAll(async () => {
    server = await startPostgres({ major: 15 });
    database = await server.createDatabase();
    sql = server.connect({ database, max: 1, onnotice: () => {} });
    await sql`CREATE SCHEMA ${sql(SCHEMA)}`;
  }, BUILT_WITHIN_MS);

  afterAll(async () => {
    await server?.stop();
  });

  const target = () => ({
    ...{ port: server.port, database, user: 'postgres', password: server.password },
  });

  describe('lib/pq', () => {
    let writer: Writer<PqBind>;
    beforeAll(async () => {
      writer = await startPqWriter(target());
    }, BUILT_WITHIN_MS);
    afterAll(() => writer?.stop());

    it.each<[type: string, bind: PqBind['bind'], value: string, result: string]>([
      ['date', 'string', '2024-01-01', 'stored 2024-01-01'],
      ['date', 'number', '20240101', 'stored 2024-01-01'],
      ['date', 'number', '19723', 'refused 22007'],
      [
        'timestamptz',
        'time',
        '2024-01-01T10:23:45.1234567Z',
        'stored 2024-01-01 10:23:45.123457+00',
      ],
      ['bigint', 'number', '9007199254740993', 'stored 9007199254740993'],
      ['bigint', 'int64', '9007199254740993', 'stored 9007199254740993'],
      ['bigint', 'float64', '9007199254740993', 'stored 9007199254740992'],
      ['integer', 'float64', '1.5', 'refused 22P02'],
      ['numeric', 'number', '1.50', 'stored 1.50'],
      ['boolean', 'bool', 'true', 'stored true'],
      ['bytea', 'bytes', '3q2+7w==', 'stored \\xdeadbeef'],
      ['bytea', 'string', '\\xdeadbeef', 'stored \\x5c786465616462656566'],
      ['text', 'string', 'Døv 😀', 'stored Døv 😀'],
      ['text', 'string', 'a\u0000b', 'refused 22021'],
      ['text', 'bytes', '/w==', 'refused 22021'],
      ['text', 'null', '', 'stored null'],
    ])('writes to %s with %s %j: %s', async (type, bind, value, result) => {
      expect(await write(writer, type, { bind, value } as PqBind)).toBe(result);
    });

    it('refuses an object in the driver', async () => {
      expect(await write(writer, 'jsonb', { bind: 'structured', value: '{"a":1}' })).toMatch(
        /^refused by the driver: .*unsupported type map/,
      );
    });

    it('refuses all rows of a statement if one row is invalid', async () => {
      const rows: PqBind[][] = [[{ bind: 'string', value: '1' }], [{ bind: 'string', value: 'x' }]];
      const unused: PqBind = { bind: 'null' };
      expect(await write(writer, 'integer', unused, { rows })).toBe('refused 22P02');
    });

    it('continues after a refused statement', async () => {
      const missing = { schema: SCHEMA, table: 'nowhere', columns: ['a'], rows: [[]] };
      expect(await writer.insert(missing)).toMatchObject({ ok: false });
      expect(await write(writer, 'text', { bind: 'string', value: 'x' })).toBe('stored x');
    });
  });

  describe('pgjdbc', () => {
    let writer: Writer<JdbcBind>;
    let untyped: Writer<JdbcBind>;
    beforeAll(async () => {
      writer = await startJdbcWriter(target());
      untyped = await startJdbcWriter({ ...target(), parameters: { stringtype: 'unspecified' } });
    }, BUILT_WITHIN_MS);
    afterAll(async () => {
      await writer?.stop();
      await untyped?.stop();
    });

    it.each<[type: string, bind: JdbcBind['bind'], value: string, result: string]>([
      ['date', 'LocalDate', '2024-01-01', 'stored 2024-01-01'],
      ['date', 'setDate', '1704067200000', 'stored 2024-01-01'],
      ['date', 'setInt', '19723', 'refused 42804'],
      ['date', 'setString', '2024-01-01', 'refused 42804'],
      ['time', 'LocalTime', '23:59:59.999999', 'stored 23:59:59.999999'],
      ['time', 'setTime', '86399999', 'stored 23:59:59.999'],
      [
        'timestamp',
        'LocalDateTime',
        '2024-01-01T10:23:45.123456',
        'stored 2024-01-01 10:23:45.123456',
      ],
      ['timestamp', 'LocalDateTime', '0001-01-01T00:00:00', 'stored 0001-01-01 00:00:00'],
      ['timestamp', 'setTimestamp', '-1', 'stored 1969-12-31 23:59:59.999'],
      ['timestamp', 'setLong', '1', 'refused 42804'],
      [
        'timestamptz',
        'OffsetDateTime',
        '2024-01-01T10:23:45+02:00',
        'stored 2024-01-01 08:23:45+00',
      ],
      ['numeric', 'setBigDecimal', '1.50', 'stored 1.50'],
      ['bigint', 'setLong', '9007199254740993', 'stored 9007199254740993'],
      ['bytea', 'setBytes', '3q2+7w==', 'stored \\xdeadbeef'],
      ['bytea', 'setString', '\\xdeadbeef', 'refused 42804'],
      ['text', 'setString', 'a\u0000b', 'refused 22021'],
      ['text', 'null', '', 'stored null'],
    ])('writes to %s with %s %j: %s', async (type, bind, value, result) => {
      expect(await write(writer, type, { bind, value } as JdbcBind)).toBe(result);
    });

    it('applies the casts of a request, and binds text without a type if stringtype is unspecified', async () => {
      const value: JdbcBind = { bind: 'setString', value: '6fa459ea-ee8a-3ca4-894e-db77e160355e' };
      expect(await write(writer, 'uuid', value)).toBe('refused 42804');
      const casts = { [COLUMN]: 'uuid' };
      expect(await write(writer, 'uuid', value, { casts })).toBe(`stored ${value.value}`);
      expect(await write(untyped, 'uuid', value)).toBe(`stored ${value.value}`);
      const bytes: JdbcBind = { bind: 'setString', value: '\\xdeadbeef' };
      expect(await write(untyped, 'bytea', bytes)).toBe('stored \\xdeadbeef');
    });
  });
});
